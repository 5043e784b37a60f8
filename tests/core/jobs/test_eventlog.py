"""Events are written with the change, told after it, and delivered to whoever subscribed."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import open_with, rolled_back, toy
from sqlalchemy.orm import Session

from regulars_core.acting import acting_as
from regulars_core.bus.eventlog import LoopStopped, replay
from regulars_core.bus.models import Delivery, Event, Subscription
from regulars_core.crm import Crm
from regulars_core.plugins import switching
from regulars_plugin_api.contributions import EventHandler
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.events import CustomersImported, Delivered, StoreCreated, StoreUpdated, emit
from regulars_plugin_api.services import Crm as CrmProtocol
from regulars_plugin_api.views import SYSTEM, Viewer

NORTH, SOUTH = StoreCreated(store_id=1, code="N"), StoreCreated(store_id=2, code="S")


def ignore(session: Session, event: Delivered[Any]) -> None:
    """Nothing to do."""


def listener(name: str, *, replays: bool = False) -> Any:
    def event_handlers() -> Iterable[EventHandler]:
        yield EventHandler(f"{name}.listen", (StoreCreated, StoreUpdated), apply=ignore, replay=replays)

    return toy(name, event_handlers)


@pytest.fixture
def crm(database_url: str, tmp_path: Path) -> Crm:
    return open_with(database_url, tmp_path, listener("early"), listener("late", replays=True))


def deliveries(crm: Crm) -> list[tuple[str, str, str]]:
    with crm.read() as session:
        found = sa.select(Delivery.handler, Event.payload, Delivery.state).join(Event, Event.id == Delivery.event_id).order_by(Delivery.id)
        return [(handler, payload["code"], state) for handler, payload, state in session.execute(found)]


def tell(crm: Crm, *events: Any) -> None:
    with crm.transaction() as session:
        for event in events:
            emit(session, event)


def test_an_event_says_who_why_and_when(crm: Crm) -> None:
    anna = Viewer(user_id=7, name="Anna", permissions=frozenset())
    with acting_as(anna, "web"), crm.transaction() as session:
        emit(session, NORTH)
        now = session.info["at"]
    with crm.read() as session:
        row = session.scalars(sa.select(Event)).one()
    assert (row.type, row.version, row.subject, row.actor, row.payload, row.cause, row.depth, row.at) == (
        "store.created",
        1,
        "store:1",
        "user:7",
        {"store_id": 1, "code": "N"},
        "web",
        0,
        now,
    )


def test_a_subscriber_gets_a_delivery_in_the_same_transaction(crm: Crm) -> None:
    tell(crm, NORTH)
    switching.enable(crm, "early")
    tell(crm, SOUTH, StoreUpdated(store_id=2, code="S2", changed=("code",)), CustomersImported(run_id=1))
    assert deliveries(crm) == [("early.listen", "S", "ready"), ("early.listen", "S2", "ready")]
    with rolled_back(crm.transaction()) as session:
        emit(session, NORTH)
    assert len(deliveries(crm)) == 2


def test_a_process_that_does_not_know_of_the_subscription_writes_the_delivery_too(crm: Crm, database_url: str, tmp_path: Path) -> None:
    stale = open_with(database_url, tmp_path)
    switching.enable(crm, "early")
    tell(stale, NORTH)
    assert deliveries(crm) == [("early.listen", "N", "ready")]


def test_a_handler_that_asks_for_it_gets_the_history_when_first_switched_on(crm: Crm) -> None:
    tell(crm, NORTH, SOUTH)
    switching.enable(crm, "late")
    assert deliveries(crm) == [("late.listen", "N", "ready"), ("late.listen", "S", "ready")]
    switching.disable(crm, "late")
    tell(crm, StoreCreated(store_id=3, code="W"))
    switching.enable(crm, "late")
    assert deliveries(crm) == [("late.listen", "N", "ready"), ("late.listen", "S", "ready"), ("late.listen", "W", "ready")]


def test_an_event_that_is_not_committed_yet_while_the_handler_is_switched_on_is_not_lost(crm: Crm) -> None:
    told, go_on = threading.Event(), threading.Event()

    def tell_slowly() -> None:
        with crm.transaction() as session:
            emit(session, NORTH)
            told.set()
            go_on.wait(60)

    thread = threading.Thread(target=tell_slowly)
    thread.start()
    assert told.wait(60)
    threading.Timer(0.5, go_on.set).start()
    switching.enable(crm, "late")
    thread.join()
    assert deliveries(crm) == [("late.listen", "N", "ready")]


def test_replay_delivers_everything_again(crm: Crm) -> None:
    switching.enable(crm, "early")
    tell(crm, NORTH, SOUTH)
    with crm.transaction() as session:
        session.execute(sa.update(Delivery).values(state="done"))
    tell(crm, StoreCreated(store_id=3, code="W"))
    with crm.transaction() as session:
        assert replay(session, "early.listen") == 3
        with pytest.raises(NotFound, match="no event handler named nobody"):
            replay(session, "nobody")
    assert sorted(deliveries(crm)) == [("early.listen", "N", "ready"), ("early.listen", "S", "ready"), ("early.listen", "W", "ready")]


def test_signals_are_sent_once_after_commit_and_not_for_what_was_rolled_back(crm: Crm) -> None:
    told: list[Any] = []

    def hear(event: StoreCreated) -> None:
        with crm.read() as session:
            told.append((event.code, session.scalar(sa.select(sa.func.count()).select_from(Event))))

    switching.enable(crm, "early")
    crm.signals.connect("early", StoreCreated, hear)
    crm.signals.connect("late", StoreCreated, lambda event: told.append("a plugin that is off"))
    with crm.transaction() as session:
        emit(session, NORTH)
        with rolled_back(session.begin_nested()):
            emit(session, SOUTH)
        assert told == []
    with crm.read() as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(Event))
    assert told == [("N", count)]
    with rolled_back(crm.transaction()) as session:
        emit(session, NORTH)
    assert told == [("N", count)]


def test_a_receiver_that_fails_does_not_keep_the_others_from_hearing(crm: Crm) -> None:
    told: list[str] = []

    def fail(event: StoreCreated) -> None:
        raise ValueError

    switching.enable(crm, "early")
    crm.signals.connect("early", StoreCreated, fail)
    crm.signals.connect("early", StoreCreated, lambda event: told.append(event.code))
    tell(crm, NORTH)
    assert told == ["N"]


def test_an_automation_loop_is_stopped(crm: Crm) -> None:
    with acting_as(SYSTEM, "event:x", depth=21), crm.transaction() as session, pytest.raises(LoopStopped, match="more than 20 times"):
        emit(session, NORTH)


def test_handlers_that_a_plugin_no_longer_has_are_unsubscribed_when_it_is_switched_on_again(
    crm: Crm, database_url: str, tmp_path: Path
) -> None:
    switching.enable(crm, "early")

    def event_handlers() -> Iterable[EventHandler]:
        yield EventHandler("early.other", (StoreUpdated,), apply=ignore)

    upgraded = open_with(database_url, tmp_path, toy("early", event_handlers))
    switching.enable(upgraded, "early")
    with upgraded.read() as session:
        assert [(row.handler, row.type) for row in session.scalars(sa.select(Subscription))] == [("early.other", "store.updated")]


def test_payloads_of_an_older_version_still_load() -> None:
    assert CustomersImported.from_payload({"run_id": 3, "updated": [4], "no_longer_known": 1}) == CustomersImported(run_id=3, updated=(4,))


def test_a_transaction_knows_its_moment(crm: Crm) -> None:
    class Fixed:
        def now(self) -> dt.datetime:
            return dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)

    crm.clock = Fixed()
    tell(crm, NORTH)
    with crm.read() as session:
        assert session.scalars(sa.select(Event.at)).one() == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def test_a_transaction_in_a_transaction_is_refused_at_once(crm: Crm) -> None:
    with crm.transaction(), pytest.raises(RuntimeError, match="pass its session on"):
        crm.customers.create({"display_name": "Anna"})
    crm.customers.create({"display_name": "Anna", "kind": "person"})


def test_the_running_system_is_what_plugins_are_promised(crm: Crm) -> None:
    promised: CrmProtocol = crm
    assert promised.hooks is crm.bus
