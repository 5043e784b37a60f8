"""Jobs and events through pages: what ran, what was given up and why, trying it again."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.bus.models import DEAD, DONE, READY, Delivery, Event
from regulars_core.crm import Crm
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins.switching import disable
from regulars_plugin_api.contributions import EventHandler, Job
from regulars_plugin_api.events import CustomerCreated, CustomerDeleted, CustomerUpdated, StoreCreated, emit
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import Staff, plugin
from regulars_web import event_desk, retention
from regulars_web.app import create_app
from regulars_web.heartbeat import Heartbeat


@hookimpl
def jobs() -> Any:
    yield Job("toy.sweep", lambda crm, run: None, every=dt.timedelta(days=1))
    yield Job("toy.once", lambda crm, run: None)


@hookimpl
def event_handlers() -> Any:
    yield EventHandler("toy.greet", (CustomerCreated,), apply=lambda session, event: None)


@pytest.fixture
def house(make_crm: Callable[..., Crm]) -> Crm:
    """The system with a plugin that has work to do."""
    return make_crm(plugin("toy", jobs=jobs, event_handlers=event_handlers))


@pytest.fixture
def admin(house: Crm, staff: Callable[..., Staff]) -> Staff:
    """An administrator of it."""
    return staff(role="administrator", on=create_app(house))


def slots(crm: Crm) -> list[tuple[str, str, str | None]]:
    with crm.read() as session:
        return [(one.job, one.state, one.error) for one in session.scalars(sa.select(JobSlot).order_by(JobSlot.id))]


def given_up(crm: Crm) -> int:
    """A customer whose greeting could not be delivered."""
    customer = crm.customers.create({"display_name": "Åsa Holm"})
    with crm.transaction() as session:
        session.execute(sa.update(Delivery).values(state=DEAD, attempts=9, error="TimeoutError: the other side slept"))
    return customer


def deliveries(crm: Crm) -> list[tuple[str, int]]:
    with crm.read() as session:
        return [(one.state, one.attempts) for one in session.scalars(sa.select(Delivery))]


def test_a_run_can_be_asked_for_cancelled_and_tried_again(house: Crm, admin: Staff) -> None:
    assert "No runs" in admin.get("/jobs").text
    admin.post("/jobs/start/toy.sweep")
    assert slots(house) == [("toy.sweep", READY, None)]
    admin.post("/jobs/1/cancel")
    assert slots(house) == [("toy.sweep", DEAD, "cancelled")]
    assert "Cancelled by hand" in admin.get("/jobs?show=dead").text
    admin.post("/jobs/1/retry")
    assert slots(house) == [("toy.sweep", READY, None)]


def test_a_run_somebody_has_begun_ends_between_batches_and_says_so(house: Crm, admin: Staff) -> None:
    admin.post("/jobs/start/toy.sweep")
    with house.transaction() as session:
        session.execute(sa.update(JobSlot).values(leased_until=house.clock.now() + dt.timedelta(minutes=1), done=1200, total=4000))
    page = admin.get("/jobs").text
    assert "Running" in page
    assert "1,200 of 4,000" in page
    assert "The run ends after the batch it is at." in admin.get(admin.post("/jobs/1/cancel").location).text
    page = admin.get("/jobs").text
    assert "Being cancelled" in page
    assert "/jobs/1/cancel" not in page
    with house.transaction() as session:
        session.execute(sa.update(JobSlot).values(state="done"))
    assert admin.post("/jobs/1/cancel").status_code == 409


def test_the_workers_that_are_there_are_listed(house: Crm, admin: Staff) -> None:
    assert "No worker is running" in admin.get("/jobs").text
    heartbeat = Heartbeat()
    heartbeat(house)
    page = admin.get("/jobs").text
    assert "No worker is running" not in page
    assert f":{os.getpid()}" in page
    heartbeat.end(house)
    assert "No worker is running" in admin.get("/jobs").text


def test_a_job_nobody_knows_is_not_started(house: Crm, admin: Staff) -> None:
    admin.post("/jobs/start/toy.nothing")
    assert slots(house) == []


def test_what_could_not_be_delivered_says_why_and_is_tried_again(house: Crm, admin: Staff) -> None:
    given_up(house)
    page = admin.get("/events/failed").text
    assert "the other side slept" in page
    assert "toy.greet" in page
    admin.post("/events/failed/retry", {"delivery": "1"})
    assert deliveries(house) == [(READY, 0)]
    given_up(house)
    assert "2 deliveries are tried again." in admin.get(admin.post("/events/failed/retry").location).text
    assert "Everything was delivered" in admin.get("/events/failed").text


def test_the_log_is_newest_first_and_can_be_narrowed(house: Crm, admin: Staff) -> None:
    customer = house.customers.create({"display_name": "Åsa Holm"})
    page = admin.get("/events").text
    assert page.index("customer.created") < page.rindex("plugin.switched")
    assert f'href="/customers/{customer}"' in page
    narrowed = admin.get("/events?type=customer.created").text.split("<tbody>")[1]
    assert "plugin.switched" not in narrowed
    assert "Nothing happened yet" in admin.get("/events?type=no.such").text


def test_the_catalogue_speaks_the_words_of_the_docstrings(admin: Staff) -> None:
    page = admin.get("/events/catalogue").text
    assert "A customer was moved to the trash." in page
    assert 'id="import.finished"' in page


@pytest.mark.parametrize("path", ["/jobs", "/events", "/events/failed"])
def test_lists_take_as_many_statements_for_three_rows_as_for_one(house: Crm, admin: Staff, statements: list[str], path: str) -> None:
    counts = []
    admin.get(path)
    for number in range(2):
        for one in range(1 + number):
            given_up(house)
            with house.transaction() as session:
                house.jobs.start(session, "toy.once", f"{number}-{one}")
        statements.clear()
        assert admin.get(path).status_code == 200
        counts.append(len(statements))
    assert 0 < counts[0] == counts[1]


@pytest.mark.parametrize("role", ["manager", "clerk", "marketer", "analyst"])
def test_jobs_and_events_are_an_administrators_business(house: Crm, staff: Callable[..., Staff], role: str) -> None:
    given_up(house)
    somebody = staff(role=role, on=create_app(house))
    for path in ("/jobs", "/events", "/events/failed", "/events/handlers", "/events/catalogue"):
        assert somebody.get(path).status_code == 403
    for path in ("/jobs/start/toy.sweep", "/jobs/1/retry", "/jobs/1/cancel", "/events/failed/retry", "/events/handlers/toy.greet/replay"):
        assert somebody.post(path).status_code == 403
    assert (slots(house), deliveries(house)) == ([], [(DEAD, 9)])


def test_handlers_say_how_far_they_have_come_and_get_the_history_again(house: Crm, admin: Staff) -> None:
    house.customers.create({"display_name": "Åsa Holm"})
    given_up(house)
    house.customers.create({"display_name": "Bo Ek"})
    with house.read() as session:
        [figures] = event_desk.handlers(session, house.clock.now() + dt.timedelta(minutes=90))
    assert (figures.handler, figures.plugin, figures.types) == ("toy.greet", "toy", ["customer.created"])
    assert (figures.waiting, figures.retrying, figures.dead, figures.lag >= dt.timedelta(minutes=90)) == (1, 0, 2, True)
    page = admin.get("/events/handlers").text
    assert "toy.greet" in page
    assert 'href="/events/failed">2</a>' in page
    reply = admin.post("/events/handlers/toy.greet/replay")
    assert "3 events are delivered again." in admin.get(reply.location).text
    assert deliveries(house) == [(READY, 0)] * 3
    assert admin.post("/events/handlers/toy.nobody/replay").status_code == 404


def test_an_event_says_what_led_to_it_and_what_it_led_to(house: Crm, admin: Staff) -> None:
    with house.transaction(cause="cli") as session:
        emit(session, CustomerCreated(customer_id=1, uid="u1"))
    uids: list[str] = []
    for depth in range(1, 3):
        with house.read() as session:
            uids.append(session.scalars(sa.select(Event.uid).order_by(Event.id.desc())).first() or "")
        with house.transaction() as session:
            session.info.update(cause=f"event:{uids[-1]}", depth=depth)
            emit(session, CustomerUpdated(customer_id=1, uid="u1", changed=("notes",)))
    middle = admin.get(f"/events/{uids[1]}").text
    assert "step 1 of at most 20" in middle
    assert f'href="/events/{uids[0]}"' in middle.split("What it led to")[0]
    after = middle.split("What it led to")[1]
    assert "customer.updated" in after.split("Who was told")[0]
    assert "Nobody listens to this kind" in after
    first = admin.get(f"/events/{uids[0]}").text
    assert "toy.greet" in first.split("Who was told")[1]
    assert "cli" in first
    assert admin.get("/events/019a0000-0000-7000-8000-000000000000").status_code == 404


def test_events_go_by_rule_and_never_what_is_still_wanted(make_crm: Callable[..., Crm]) -> None:
    @hookimpl
    def event_handlers() -> Any:
        yield EventHandler("toy.greet", (CustomerCreated,), apply=lambda session, event: None)
        yield EventHandler("toy.history", (StoreCreated,), apply=lambda session, event: None, replay=True)

    @hookimpl
    def of_absent() -> Any:
        yield EventHandler("off.listens", (CustomerUpdated,), apply=lambda session, event: None)

    of_absent.__name__ = "event_handlers"
    crm = make_crm(plugin("toy", event_handlers=event_handlers), plugin("off", event_handlers=of_absent))
    disable(crm, "off")
    made = crm.clock.now()
    for event in (CustomerCreated(customer_id=1, uid="u1"), CustomerCreated(customer_id=2, uid="u2"), StoreCreated(store_id=1, code="N")):
        with crm.transaction() as session:
            emit(session, event)
    with crm.transaction() as session:
        emit(session, CustomerUpdated(customer_id=1, uid="u1", changed=("notes",)))
        emit(session, CustomerDeleted(customer_id=1, uid="u1"))
        open_one = sa.select(Delivery.id).where(Delivery.handler == "toy.greet").order_by(Delivery.id.desc()).limit(1).scalar_subquery()
        session.execute(sa.update(Delivery).where(Delivery.id != open_one).values(state=DONE))
    assert retention.let_go(crm, dt.timedelta(days=1)) == 0, "nothing is old yet"
    with crm.transaction() as session:
        session.execute(sa.update(Event).where(Event.at >= made).values(at=made - dt.timedelta(days=400)))
    assert retention.let_go(crm, dt.timedelta(days=365)) > 0
    with crm.read() as session:
        left = session.execute(sa.select(Event.type, Event.payload).where(Event.at < made - dt.timedelta(days=1)).order_by(Event.id)).all()
    kept = [(kind, payload) for kind, payload in left if not kind.startswith("plugin.")]
    assert kept == [
        ("customer.created", {"customer_id": 2, "uid": "u2"}),
        ("store.created", {"store_id": 1, "code": "N"}),
        ("customer.updated", {"customer_id": 1, "uid": "u1", "changed": ["notes"]}),
    ]


def test_the_worker_lets_events_go_where_that_is_asked_for(make_crm: Callable[..., Crm], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dt.timedelta] = []

    def let_go(_crm: Crm, keep: dt.timedelta) -> int:
        asked.append(keep)
        return 0

    monkeypatch.setattr(retention, "let_go", let_go)
    runner = retention.EventRetention()
    assert [runner(make_crm()), asked] == [False, []], "by default the log is kept"
    keeps = make_crm(events_keep_days=30)
    assert [runner(keeps), runner(keeps), asked] == [False, False, [dt.timedelta(days=30)]], "once an hour"
