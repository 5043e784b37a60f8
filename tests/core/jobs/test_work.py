"""Deliveries and job runs: exactly once in the database, tried again after a failure, never by two at a time."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import open_with, rolled_back, toy
from sqlalchemy.orm import Session

from regulars_core.bus.models import Delivery, Event
from regulars_core.config import WrongSetting
from regulars_core.crm import Crm
from regulars_core.jobs.leases import Limits, claim
from regulars_core.jobs.models import JobSlot
from regulars_core.jobs.progress import Progress
from regulars_core.jobs.worker import run_worker
from regulars_core.plugins import switching
from regulars_core.stores.models import Region
from regulars_plugin_api.contributions import EventHandler, Executor, Job, JobRun, LeasedBatch
from regulars_plugin_api.errors import JobCancelled
from regulars_plugin_api.events import Delivered, StoreCreated, StoreUpdated, emit
from regulars_web import event_desk as desk
from regulars_web import job_desk

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


@pytest.fixture
def wonder() -> Wonder:
    return Wonder()


@pytest.fixture
def crm(database_url: str, tmp_path: Path, wonder: Wonder) -> Crm:
    crm = open_with(database_url, tmp_path, wonder.module())
    crm.clock = MovingClock()
    switching.enable(crm, "toy")
    return crm


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


def test_a_handler_is_told_and_its_effects_are_kept(crm: Crm, wonder: Wonder) -> None:
    tell(crm, "N", "S")
    work_off(crm)
    assert wonder.calls == [("outside", "N", "toy.listen", 1), ("outside", "S", "toy.listen", 1)]
    assert regions(crm) == ["N", "S"]
    assert states(crm) == [("done", 0, None)] * 2
    assert lease(crm) is None


def test_what_a_handler_tells_names_its_cause(crm: Crm) -> None:
    tell(crm, "N")
    work_off(crm)
    with crm.read() as session:
        cause, effect = session.scalars(sa.select(Event).where(Event.type.startswith("store")).order_by(Event.id))
    assert (cause.type, cause.depth, effect.type, effect.depth) == ("store.created", 0, "store.updated", 1)
    assert effect.cause == f"event:{cause.uid}"


def test_one_failure_takes_back_its_own_effects_only(crm: Crm, wonder: Wonder) -> None:
    wonder.fails = lambda event: event.body.code == "bad" and event.attempt == 1
    tell(crm, "N", "bad", "S")
    work_off(crm)
    assert regions(crm) == ["N", "S"]
    assert states(crm) == [("done", 0, None), ("ready", 1, "ValueError: no such shelf"), ("done", 0, None)]
    assert lease(crm) is None, "not before it is due again"
    move(crm, seconds=4)
    work_off(crm)
    assert regions(crm) == ["N", "S", "bad"]
    assert states(crm) == [("done", 0, None), ("done", 1, None), ("done", 0, None)]


def test_nothing_is_applied_when_the_outside_fails(crm: Crm, wonder: Wonder) -> None:
    wonder.outside_fails = lambda event: event.attempt == 1
    tell(crm, "N")
    work_off(crm)
    assert (regions(crm), states(crm)) == ([], [("ready", 1, "ConnectionError: nobody answers")])
    move(crm, seconds=4)
    work_off(crm)
    assert regions(crm) == ["N"]
    assert {call[2] for call in wonder.calls} == {"toy.listen"}, "the same key each time"


def test_waits_grow_until_it_is_dead_and_a_person_can_have_it_tried_again(crm: Crm, wonder: Wonder) -> None:
    wonder.fails = lambda event: True
    tell(crm, "bad")
    waits = []
    for _attempt in range(10):
        work_off(crm)
        with crm.read() as session:
            waits.append((session.scalars(sa.select(Delivery.due_at)).one() - crm.clock.now()).total_seconds())
        move(crm, hours=2)
    assert all(2**attempt * 0.5 <= wait <= 2**attempt * 1.5 for attempt, wait in enumerate(waits[:9], 1))
    assert states(crm) == [("dead", 10, "ValueError: no such shelf")]
    assert lease(crm) is None
    with crm.read() as session:
        assert [(delivery.error, event.payload["code"]) for delivery, event in desk.dead(session)] == [("ValueError: no such shelf", "bad")]
    wonder.fails = lambda event: False
    with crm.transaction() as session:
        assert (desk.retry(session, "toy.other"), desk.retry(session)) == (0, 1)
    work_off(crm)
    assert (regions(crm), states(crm)) == (["bad"], [("done", 0, None)])


def test_a_lost_lease_is_worked_again_and_the_slow_one_writes_nothing(crm: Crm) -> None:
    tell(crm, "N")
    lost = lease(crm)
    assert lost is not None
    assert lease(crm) is None
    move(crm, seconds=61)
    work_off(crm)
    assert regions(crm) == ["N"]
    crm.jobs.deliver(lost)
    assert (regions(crm), states(crm)) == (["N"], [("done", 0, None)])


def test_a_lease_lost_in_the_middle_of_the_outside_call_applies_nothing_twice(crm: Crm, wonder: Wonder) -> None:
    tell(crm, "N")
    slow = lease(crm)
    assert slow is not None

    def overtaken(event: Delivered[Any]) -> bool:
        if len(wonder.calls) == 1:
            move(crm, seconds=61)
            work_off(crm)
        return False

    wonder.outside_fails = overtaken
    crm.jobs.deliver(slow)
    assert len(wonder.calls) == 2, "the outside is at least once"
    assert (regions(crm), states(crm)) == (["N"], [("done", 0, None)])


def test_a_batch_that_waited_at_an_executor_begins_with_a_whole_lease(crm: Crm, wonder: Wonder) -> None:
    tell(crm, "N")
    waited = lease(crm)
    left: list[dt.timedelta] = []
    assert waited is not None

    def look(event: Delivered[Any]) -> bool:
        with crm.read() as session:
            until = session.scalars(sa.select(Delivery.leased_until)).one()
        left.append((until or NOON) - crm.clock.now())
        return False

    wonder.outside_fails = look
    move(crm, seconds=55)
    crm.jobs.deliver(waited)
    assert (left, regions(crm)) == ([dt.timedelta(seconds=60)], ["N"])


def test_events_wait_while_the_plugin_is_off(crm: Crm) -> None:
    tell(crm, "N")
    leased = lease(crm)
    assert leased is not None
    switching.disable(crm, "toy")
    crm.jobs.deliver(leased)
    tell(crm, "S")
    assert (regions(crm), states(crm)) == ([], [("ready", 0, None)] * 2)
    switching.enable(crm, "toy")
    work_off(crm)
    assert regions(crm) == ["N", "S"]


def test_a_long_batch_gives_up_the_write_lock_now_and_then(crm: Crm, wonder: Wonder) -> None:
    crm.jobs.limits = Limits(hold=dt.timedelta(milliseconds=5))
    wonder.fails = lambda event: sleep(0.01)
    tell(crm, *"abcdef")
    commits = 0

    def count(_session: Any) -> None:
        nonlocal commits
        commits += 1

    sa.event.listen(Session, "after_commit", count)
    try:
        work_off(crm)
    finally:
        sa.event.remove(Session, "after_commit", count)
    assert regions(crm) == list("abcdef")
    # Savepoints commit too: six of them beside six transactions.
    assert commits >= 6


def test_a_worker_works_until_told_to_stop_and_finishes_what_it_began(crm: Crm, wonder: Wonder) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(event: Delivered[Any]) -> bool:
        begun.set()
        return not go_on.wait(60)

    wonder.outside_fails = slow
    tell(crm, "N")
    with worker(crm):
        assert begun.wait(60)
        threading.Timer(0.2, go_on.set).start()
    assert (regions(crm), states(crm)) == (["N"], [("done", 0, None)])


def test_a_lease_is_renewed_while_the_work_goes_on(crm: Crm, wonder: Wonder, database_url: str, tmp_path: Path) -> None:
    from regulars_core.clock import SystemClock

    other = open_with(database_url, tmp_path, wonder.module())
    for one in (crm, other):
        one.clock = SystemClock()
        one.jobs.limits = Limits(lease=dt.timedelta(seconds=1))
    wonder.outside_fails = lambda event: sleep(2.5)
    tell(crm, "N")
    with worker(crm, other):
        assert soon(lambda: regions(crm) == ["N"])
    assert len(wonder.calls) == 1


def test_a_periodic_job_runs_once_per_period_on_two_hosts(database_url: str, tmp_path: Path, wonder: Wonder) -> None:
    crms = [open_with(database_url, tmp_path, wonder.module(every=dt.timedelta(hours=1))) for _host in range(2)]
    clock = MovingClock()
    for crm in crms:
        crm.clock = clock
    switching.enable(crms[0], "toy")
    with worker(*crms):
        assert soon(lambda: periods(crms[0]) == ["done"])
        clock.time += dt.timedelta(minutes=59)
        time.sleep(0.6)
        clock.time += dt.timedelta(minutes=1)
        assert soon(lambda: periods(crms[0]) == ["done", "done"])
        time.sleep(0.6)
    assert wonder.calls == [JobRun("toy.tidy", f"2026-03-01T{hour}:00:00+00:00", {}, 1) for hour in (12, 13)]


def test_hosts_whose_clocks_differ_change_everything_once(database_url: str, tmp_path: Path, wonder: Wonder) -> None:
    crms = [open_with(database_url, tmp_path, wonder.module(every=dt.timedelta(hours=1))) for _host in range(2)]
    for crm, fast in zip(crms, (dt.timedelta(0), dt.timedelta(minutes=10)), strict=True):
        crm.clock = MovingClock()
        crm.clock.time += fast
    switching.enable(crms[0], "toy")
    crms[1].plugins.refresh()
    tell(crms[0], *"abcdef")
    slow = lease(crms[0])
    assert slow is not None
    # To the other's clock that lease has lapsed.
    work_off(crms[1])
    crms[0].jobs.deliver(slow)
    assert (regions(crms[0]), states(crms[0])) == (list("abcdef"), [("done", 0, None)] * 6)
    wonder.calls.clear()
    move(crms[1], minutes=-10, seconds=30)
    with worker(*crms):
        assert soon(lambda: periods(crms[0]) == ["done"])
        for crm in crms:
            move(crm, minutes=59, seconds=30)
        assert soon(lambda: periods(crms[0]) == ["done", "done"])
        move(crms[0], seconds=30)
        time.sleep(0.6)
    assert [call.slot[11:13] for call in wonder.calls] == ["12", "13"], "a period once where clocks differ by less than a lease"


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_begun(crm: Crm, wonder: Wonder) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(event: Delivered[Any]) -> bool:
        begun.set()
        return not go_on.wait(60)

    wonder.outside_fails = slow
    tell(crm, "N", "S")
    with worker(crm):
        assert begun.wait(60)
        threading.Timer(0.5, go_on.set).start()
    assert (regions(crm), states(crm)) == (["N"], [("done", 0, None), ("ready", 0, None)])
    assert lease(crm) is not None, "another worker need not wait for the lease to lapse"


def test_a_job_is_started_by_key_once_with_the_transaction(crm: Crm, wonder: Wonder) -> None:
    with rolled_back(crm.transaction()) as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with crm.transaction() as session:
        asked = [crm.jobs.start(session, "toy.tidy", key, {"shelf": 3}) for key in ("tuesday", "tuesday")]
        crm.jobs.start(session, "toy.tidy", "wednesday", due_at=NOON + dt.timedelta(days=1))
    assert asked == [True, False]
    with worker(crm):
        assert soon(lambda: len(wonder.calls) == 1)
        time.sleep(0.5)
    assert wonder.calls == [JobRun("toy.tidy", "tuesday", {"shelf": 3}, 1)]


def test_a_job_that_fails_is_tried_again(crm: Crm, wonder: Wonder) -> None:
    def fail(job_run: JobRun) -> None:
        wonder.calls.append(job_run.attempt)
        if job_run.attempt == 1:
            raise OSError("disk full")

    wonder.job = fail
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with worker(crm):
        assert soon(lambda: wonder.calls == [1])
        assert soon(lambda: _slot(crm).error == "OSError: disk full")
        move(crm, seconds=4)
        assert soon(lambda: _slot(crm).state == "done")
    assert wonder.calls == [1, 2]


def test_a_job_says_how_far_it_is_and_ends_between_batches_when_it_is_cancelled(
    crm: Crm, wonder: Wonder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulars_core.jobs.progress.EVERY", 0.0)
    begun, go_on, numbers = threading.Event(), threading.Event(), itertools.count(1)

    def in_batches(job_run: JobRun) -> None:
        for done in range(1, 5):
            with crm.transaction() as session:
                session.add(Region(name=f"batch {next(numbers)}"))
            job_run.progress(done, 4)
            if done == 2:
                begun.set()
                assert go_on.wait(60)

    wonder.job = in_batches
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with worker(crm):
        assert begun.wait(60)
        assert (_slot(crm).done, _slot(crm).total) == (2, 4)
        with crm.transaction() as session:
            assert job_desk.cancel(session, _slot(crm).id) is False, "it runs, and ends when it next reports"
        go_on.set()
        assert soon(lambda: _slot(crm).state == "dead")
    assert (_slot(crm).error, regions(crm)) == ("cancelled", ["batch 1", "batch 2", "batch 3"])
    with crm.transaction() as session:
        job_desk.retry(session, _slot(crm).id)
    with worker(crm):
        assert soon(lambda: _slot(crm).state == "done")
    assert (_slot(crm).done, _slot(crm).total, _slot(crm).stopping, _slot(crm).attempts) == (4, 4, False, 0)


def test_a_cancelled_run_whose_worker_died_is_not_begun_again(crm: Crm, wonder: Wonder) -> None:
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with crm.database.transaction() as session:
        assert claim(session, JobSlot, "toy.tidy", crm.clock.now(), crm.jobs.limits) is not None
    with crm.transaction() as session:
        job_desk.cancel(session, _slot(crm).id)
    move(crm, seconds=61)
    with worker(crm):
        assert soon(lambda: _slot(crm).state == "dead")
    assert (wonder.calls, _slot(crm).error) == ([], "cancelled")


def test_a_run_that_another_worker_has_taken_over_ends(crm: Crm) -> None:
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with pytest.raises(JobCancelled):
        Progress(crm, _slot(crm).id, "a fence of long ago")(1)


def _slot(crm: Crm) -> JobSlot:
    with crm.read() as session:
        return session.scalars(sa.select(JobSlot)).one()


def test_long_work_of_core_runs_beside_in_slices(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars_core.jobs.worker.TROUBLED", 0.1)
    left, seen = [3, 2, 1], []

    def runner(given: Crm) -> bool:
        if not left:
            return False
        seen.append(left.pop(0))
        if seen == [3]:
            raise ConnectionError("try again")
        return True

    with worker(crm, runners=[runner]):
        assert soon(lambda: seen == [3, 2, 1])


def test_another_executor_takes_the_batches(database_url: str, tmp_path: Path, wonder: Wonder) -> None:
    taken: list[LeasedBatch] = []

    def executors() -> Iterable[Executor]:
        yield Executor("post", "By post", lambda _crm, batch: taken.append(batch))

    module = wonder.module()
    vars(module)["executors"] = vars(toy("toy", executors))["executors"]
    crm = open_with(database_url, tmp_path, module, executor="post")
    switching.enable(crm, "toy")
    tell(crm, "N")
    with worker(crm):
        assert soon(lambda: len(taken) == 1)
    assert regions(crm) == []
    crm.jobs.deliver(taken[0])
    assert regions(crm) == ["N"]
    unknown = open_with(database_url, tmp_path, wonder.module(), executor="pigeon")
    with pytest.raises(WrongSetting, match=r"REGULARS_EXECUTOR: expected one of"):
        run_worker(unknown, threading.Event())


def test_what_an_executor_cannot_take_now_stays_for_others(database_url: str, tmp_path: Path, wonder: Wonder) -> None:
    has_room = threading.Event()
    refused: list[LeasedBatch] = []

    def submit(crm: Any, batch: LeasedBatch) -> None:
        refused.append(batch)
        raise ConnectionError("the post office is closed")

    def executors() -> Iterable[Executor]:
        yield Executor("post", "By post", submit, lambda crm: has_room.is_set())

    module = wonder.module()
    vars(module)["executors"] = vars(toy("toy", executors))["executors"]
    crm = open_with(database_url, tmp_path, module, executor="post")
    switching.enable(crm, "toy")
    tell(crm, "N")
    with worker(crm):
        time.sleep(0.6)
        assert refused == [], "nothing is leased without room"
        has_room.set()
        assert soon(lambda: len(refused) > 1), "what could not be passed on is given back at once"
    work_off(crm)
    assert (regions(crm), states(crm)) == (["N"], [("done", 0, None)])


def test_work_under_another_plugins_name_is_left_out(sqlite_url: str, tmp_path: Path) -> None:
    def jobs() -> Iterable[Job]:
        yield Job("other.tidy", lambda crm, job_run: None)

    crm = open_with(sqlite_url, tmp_path, toy("toy", jobs))
    switching.enable(crm, "toy")
    assert crm.jobs.jobs() == {}
