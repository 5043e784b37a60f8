"""Handlers that get events in the order of the log."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import open_with, toy
from sample_plugins.wonder import MovingClock, tell
from sqlalchemy.orm import Session

from regulars_core.bus.models import Delivery
from regulars_core.crm import Crm
from regulars_core.jobs.leases import claim
from regulars_core.plugins import switching
from regulars_core.stores.models import Region
from regulars_plugin_api.contributions import EventHandler, LeasedBatch
from regulars_plugin_api.events import Delivered, StoreCreated, StoreUpdated, emit


class Follower:
    """A plugin that follows the log and fails at what it is told to fail at, before or in its transaction."""

    def __init__(self) -> None:
        self.fails_outside: set[str] = set()
        self.fails: set[str] = set()
        self.wanted: tuple[Any, ...] = (StoreCreated, StoreUpdated)

    def call(self, crm: Any, event: Delivered[Any]) -> None:
        if event.body.code in self.fails_outside:
            raise ConnectionError("nobody answers")

    def apply(self, session: Session, event: Delivered[Any]) -> None:
        if event.body.code in self.fails:
            raise ValueError("no")
        session.add(Region(name=event.body.code))

    def event_handlers(self) -> Iterable[EventHandler]:
        yield EventHandler("toy.follow", self.wanted, apply=self.apply, outside=self.call, in_order=True)


@pytest.fixture
def follower() -> Follower:
    return Follower()


@pytest.fixture
def crm(database_url: str, tmp_path: Path, follower: Follower) -> Crm:
    def event_handlers() -> Iterable[EventHandler]:
        return follower.event_handlers()

    crm = open_with(database_url, tmp_path, toy("toy", event_handlers))
    crm.clock = MovingClock()
    switching.enable(crm, "toy")
    return crm


def lease(crm: Crm) -> LeasedBatch | None:
    with crm.database.transaction() as session:
        return claim(session, Delivery, "toy.follow", crm.clock.now(), crm.jobs.limits, in_order=True)


def work_off(crm: Crm) -> None:
    while batch := lease(crm):
        crm.jobs.deliver(batch)


def applied(crm: Crm) -> list[str]:
    with crm.read() as session:
        return list(session.scalars(sa.select(Region.name).order_by(Region.id)))


def move(crm: Crm, **ahead: float) -> None:
    assert isinstance(crm.clock, MovingClock)
    crm.clock.time += dt.timedelta(**ahead)


@pytest.mark.parametrize("where", ["fails", "fails_outside"])
def test_one_that_fails_holds_back_all_later_ones(crm: Crm, follower: Follower, where: str) -> None:
    getattr(follower, where).add("c")
    tell(crm, "a", "b", "c", "d", "e")
    work_off(crm)
    assert applied(crm) == ["a", "b"]
    tell(crm, "f")
    work_off(crm)
    move(crm, seconds=10)
    work_off(crm)
    assert applied(crm) == ["a", "b"]
    getattr(follower, where).clear()
    move(crm, minutes=1)
    work_off(crm)
    assert applied(crm) == ["a", "b", "c", "d", "e", "f"]


def test_one_that_is_given_up_holds_back_nobody_any_more(crm: Crm, follower: Follower) -> None:
    follower.fails.add("a")
    tell(crm, "a", "b")
    for _attempt in range(crm.jobs.limits.attempts):
        work_off(crm)
        move(crm, hours=2)
    work_off(crm)
    assert applied(crm) == ["b"]


def test_there_is_one_batch_at_a_time(crm: Crm) -> None:
    tell(crm, "a")
    first = lease(crm)
    tell(crm, "b")
    assert first is not None
    assert lease(crm) is None
    crm.jobs.deliver(first)
    assert lease(crm) is not None


def test_of_two_who_claim_at_once_one_gets_the_batch(crm: Crm) -> None:
    tell(crm, *(str(number) for number in range(120)))
    together, got = threading.Barrier(4), []

    def take() -> None:
        together.wait()
        got.append(lease(crm))

    threads = [threading.Thread(target=take) for _one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(batch.ids) for batch in got if batch] == [crm.jobs.limits.batch]


def test_what_a_handler_no_longer_wants_is_not_kept_for_it(crm: Crm, follower: Follower) -> None:
    tell(crm, "a")
    with crm.transaction() as session:
        emit(session, StoreUpdated(store_id=1, code="b", changed=()))
    follower.wanted = (StoreUpdated,)
    switching.catch_up(crm)
    work_off(crm)
    assert applied(crm) == ["b"]
    with crm.read() as session:
        assert session.scalars(sa.select(Delivery.state).where(Delivery.handler == "toy.follow")).all() == ["done"]
