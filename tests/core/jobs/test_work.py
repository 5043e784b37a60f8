"""Deliveries: exactly once in the database, tried again after a failure, never by two at a time."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sample_plugins import open_with
from sample_plugins.wonder import NOON, MovingClock, Wonder, lease, move, periods, regions, sleep, soon, states, tell, work_off, worker
from sqlalchemy.orm import Session

from regulars_core.bus.models import Delivery, Event
from regulars_core.crm import Crm
from regulars_core.jobs.leases import Limits
from regulars_core.plugins import switching
from regulars_plugin_api.events import Delivered
from regulars_web import event_desk as desk


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
