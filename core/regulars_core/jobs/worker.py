"""The worker: claims what is due, runs it in a pool of threads, and drains when told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import structlog

from regulars_core.bus.models import Delivery
from regulars_core.config import expected
from regulars_core.jobs.leases import Work, claim, give_back, held, waiting
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins.switching import catch_up
from regulars_plugin_api.contributions import Executor, LeasedBatch
from regulars_plugin_api.hookspecs import lifecycle
from regulars_plugin_api.i18n import _

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)
IDLE = 0.25
TROUBLED = 5.0
REFRESH = 1.0

Runner = Callable[["Crm"], bool]


def run_worker(crm: Crm, stop: threading.Event, concurrency: int = 4, runners: Sequence[Runner] = ()) -> None:
    """Work until ``stop`` is set, then finish what was begun.

    Deliveries and job runs each have ``concurrency`` threads. ``runners`` do long work of core in slices, each in a thread of its own; a
    runner returns whether it found something to do.
    """
    crm.plugins.refresh()
    catch_up(crm)
    with _Pool(concurrency) as deliveries, _Pool(concurrency) as jobs, ThreadPoolExecutor(max(1, len(runners))) as long:
        for runner in runners:
            long.submit(_keep_working, stop, partial(runner, crm))
        submit = _executor(crm, deliveries)
        known: dict[str, str] = {}
        _keep_working(stop, lambda: _round(crm, submit, jobs, known))
        crm.jobs.drain()
    crm.jobs.draining.clear()


def _round(crm: Crm, submit: _Pool | _Outside, jobs: _Pool, known: dict[str, str]) -> bool:
    crm.plugins.refresh(REFRESH)
    handlers, all_jobs = crm.jobs.handlers(), crm.jobs.jobs()
    for job in all_jobs.values():
        if job.every is not None:
            crm.jobs.start_period(job, known)
    in_order = {name for name, one in handlers.items() if one.in_order}
    delivered = _hand_out(crm, Delivery, list(handlers), submit, crm.jobs.deliver, in_order)
    return _hand_out(crm, JobSlot, list(all_jobs), jobs, crm.jobs.run) or delivered


def _hand_out(
    crm: Crm, work: Work, names: list[str], pool: _Pool | _Outside, run: Callable[[LeasedBatch], None], in_order: Container[str] = ()
) -> bool:
    with crm.database.read() as session:
        due = waiting(session, work, names, crm.clock.now())
    worked = False
    for name in due:
        if not pool.reserve():
            break
        batch = None
        try:
            with crm.database.transaction() as session:
                batch = claim(session, work, name, crm.clock.now(), crm.jobs.limits, in_order=name in in_order)
        finally:
            if batch is None:
                pool.release()
        if batch is not None:
            pool.submit(run, batch)
            worked = True
    return worked


class _Pool:
    """Threads of this process. What they can't take now stays in the database, for others."""

    def __init__(self, size: int) -> None:
        self._threads = ThreadPoolExecutor(size)
        self._free = threading.Semaphore(size)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_error: object) -> None:
        self._threads.shutdown(wait=True)

    def reserve(self) -> bool:
        return self._free.acquire(timeout=IDLE)

    def release(self) -> None:
        self._free.release()

    def submit(self, run: Callable[[LeasedBatch], None], batch: LeasedBatch) -> None:
        self._threads.submit(self._run, run, batch)

    def _run(self, run: Callable[[LeasedBatch], None], batch: LeasedBatch) -> None:
        try:
            run(batch)
        except Exception:
            log.exception("a batch could not be written down; it is done again when its lease has lapsed")
        finally:
            self.release()


class _Outside:
    """A plugin's executor. What it can't take now stays in the database, for others."""

    def __init__(self, crm: Crm, executor: Executor) -> None:
        self._crm, self._executor = crm, executor

    def reserve(self) -> bool:
        return self._executor.has_room(self._crm)

    def release(self) -> None:
        pass

    def submit(self, _run: Callable[[LeasedBatch], None], batch: LeasedBatch) -> None:
        try:
            self._executor.submit(self._crm, batch)
        except Exception:
            log.exception("the executor did not take a batch", executor=self._executor.name)
            with self._crm.database.transaction() as session:
                give_back(session, Delivery, sorted(held(session, Delivery, batch)))


def _executor(crm: Crm, own: _Pool) -> _Pool | _Outside:
    name = crm.config.executor
    if name is None:
        return own
    answers = crm.bus.answers(lifecycle.executors)
    found = {one.name: one for answer in answers for one in answer.value or ()}
    if name not in found and any(answer.failure for answer in answers):
        log.error("no executor of that name; the worker runs the work itself", wanted=name)
        return own
    if name not in found:
        raise expected("REGULARS_EXECUTOR", _("one of: %(names)s", names=", ".join(sorted(found)) or "-"))
    return _Outside(crm, found[name])


def _keep_working(stop: threading.Event, work: Callable[[], bool]) -> None:
    while not stop.is_set():
        try:
            worked = work()
        except Exception:
            # A database that is away for a while must not end the worker.
            log.exception("the worker could not do its work")
            stop.wait(TROUBLED)
            continue
        if not worked:
            stop.wait(IDLE)
