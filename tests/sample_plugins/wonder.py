"""A plugin that listens and works as a test tells it to, and what tests of workers look at."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.models import Delivery
from regulars_core.crm import Crm
from regulars_core.jobs.leases import claim
from regulars_core.jobs.models import JobSlot
from regulars_core.jobs.worker import run_worker
from regulars_core.stores.models import Region
from regulars_plugin_api.contributions import EventHandler, Job, JobRun, LeasedBatch
from regulars_plugin_api.events import Delivered, StoreCreated, StoreUpdated, emit
from sample_plugins import toy

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


class MovingClock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> dt.datetime:
        return self.time


class Wonder:
    """What the toy plugin of these tests does; each test says how it fails."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.outside_fails: Callable[[Delivered[Any]], bool] = lambda event: False
        self.fails: Callable[[Delivered[Any]], bool] = lambda event: False
        self.job: Callable[[JobRun], None] = self.calls.append

    def outside(self, crm: Any, event: Delivered[StoreCreated]) -> None:
        self.calls.append(("outside", event.body.code, event.id.partition(":")[2], event.attempt))
        if self.outside_fails(event):
            raise ConnectionError("nobody answers")

    def apply(self, session: Session, event: Delivered[StoreCreated]) -> None:
        session.add(Region(name=event.body.code))
        session.flush()
        if self.fails(event):
            raise ValueError("no such shelf")
        if event.depth < 2:
            emit(session, StoreUpdated(store_id=event.body.store_id, code=event.body.code, changed=()))

    def module(self, every: dt.timedelta | None = None) -> ModuleType:
        def event_handlers() -> Iterable[EventHandler]:
            yield EventHandler("toy.listen", (StoreCreated,), apply=self.apply, outside=self.outside)

        def jobs() -> Iterable[Job]:
            yield Job("toy.tidy", lambda crm, job_run: self.job(job_run), every=every)

        return toy("toy", event_handlers, jobs)


def tell(crm: Crm, *codes: str) -> None:
    with crm.transaction() as session:
        for number, code in enumerate(codes):
            emit(session, StoreCreated(store_id=number, code=code))


def lease(crm: Crm) -> LeasedBatch | None:
    with crm.database.transaction() as session:
        return claim(session, Delivery, "toy.listen", crm.clock.now(), crm.jobs.limits)


def work_off(crm: Crm) -> None:
    batch = lease(crm)
    if batch:
        crm.jobs.deliver(batch)


def regions(crm: Crm) -> list[str]:
    with crm.read() as session:
        return list(session.scalars(sa.select(Region.name).order_by(Region.id)))


def states(crm: Crm) -> list[tuple[str, int, str | None]]:
    with crm.read() as session:
        rows = session.scalars(sa.select(Delivery).where(Delivery.handler == "toy.listen").order_by(Delivery.id))
        return [(row.state, row.attempts, row.error) for row in rows]


def periods(crm: Crm) -> list[str]:
    """How the runs of the periodic job stand. One that is under way has a lease, which lapses where a test moves the clock."""
    with crm.read() as session:
        return list(session.scalars(sa.select(JobSlot.state).where(JobSlot.job == "toy.tidy").order_by(JobSlot.id)))


def move(crm: Crm, **ahead: float) -> None:
    assert isinstance(crm.clock, MovingClock)
    crm.clock.time += dt.timedelta(**ahead)


@contextmanager
def worker(*crms: Crm, **options: Any) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=run_worker, args=(crm, stop), kwargs=options) for crm in crms]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False
