"""What the doctor finds, what keeps a process from being ready, and what strangers are told of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.bus.models import DEAD, Delivery
from regulars_core.crm import Crm
from regulars_core.db import Database
from regulars_core.jobs.models import WorkerBeat
from regulars_core.plugins.models import PluginTrouble
from regulars_core.users import passwords, service
from regulars_plugin_api.contributions import EventHandler, HealthCheck
from regulars_plugin_api.events import CustomerCreated
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import plugin
from regulars_web.app import create_app
from regulars_web.health import examine, security
from regulars_web.heartbeat import Heartbeat

HOUR = dt.timedelta(hours=1)
CORE = [
    *("database", "home", "disk space", "schema", "database version", "database settings", "clock"),
    *("worker", "clocks of workers", "deliveries waiting", "deliveries given up", "hooks"),
]


@hookimpl
def event_handlers() -> Any:
    yield EventHandler("toy.greet", (CustomerCreated,), apply=lambda session, event: None)


@pytest.fixture
def house(make_crm: Callable[..., Crm]) -> Crm:
    """The system with a plugin that has work to do."""
    return make_crm(plugin("toy", event_handlers=event_handlers))


def problems(crm: Crm) -> dict[str, str]:
    """What is wrong, by question."""
    return {one.name: str(one.problem) for one in examine(crm) if one.problem is not None}


def test_a_healthy_system_is_asked_everything(house: Crm) -> None:
    Heartbeat()(house)
    assert [one.name for one in examine(house)] == CORE
    assert problems(house) == {}


def test_work_that_nobody_does_that_was_given_up_or_left_alone_is_told_of(house: Crm) -> None:
    for name in ("Åsa", "Bo"):
        house.customers.create({"display_name": name})
    now = house.clock.now()
    with house.transaction() as session:
        late = sa.update(Delivery).values(due_at=now - HOUR)
        session.execute(late)
        session.execute(late.where(Delivery.id == 1).values(state=DEAD))
        session.add(PluginTrouble(process="host:1", plugin="toy", hook="panels", reason="x", count=5, rests_until=now + HOUR, noted_at=now))
    assert problems(house) == {
        "worker": "Events wait and no worker is running. Start one: regulars worker",
        "deliveries waiting": "Waiting for long: toy.greet: 1, 60 min",
        "deliveries given up": "Given up: toy.greet (1). See: regulars events dead",
        "hooks": "Left alone after failures: toy.panels",
    }


def test_a_worker_that_fell_silent_or_whose_clock_is_off_is_named(house: Crm) -> None:
    now = house.clock.now()
    with house.transaction() as session:
        session.add(WorkerBeat(worker="north:7", started_at=now - HOUR, seen_at=now - HOUR, clock_ahead_ms=0))
    assert problems(house) == {"worker": "Not heard of any more: north:7. Start one: regulars worker"}
    with house.transaction() as session:
        session.add(WorkerBeat(worker="south:8", started_at=now - HOUR, seen_at=now, clock_ahead_ms=-90_000))
    told = "The clocks of these workers are off the database's: south:8. Keep them right by NTP."
    assert problems(house) == {"clocks of workers": told}


def test_a_home_that_others_can_read_or_without_room_is_told_of(house: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    home = house.config.home
    home.chmod(0o755)
    monkeypatch.setattr("regulars_web.health.home.ROOM", 1 << 62)
    told = problems(house)
    assert told["home"] == f"Others can read {home}. Run: chmod -R go= {home}"
    assert told["disk space"].endswith(f" MB are free for {home}.")


def test_a_clock_that_is_off_is_told_of(house: Crm, postgres_url: str) -> None:
    if house.database.is_sqlite:
        assert "clock" not in problems(house), "one host has one clock"
        return

    class Fast:
        def now(self) -> dt.datetime:
            return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)

    house.clock = Fast()
    assert problems(house)["clock"].startswith("This host's clock is 90 s off the database's.")


def test_a_process_without_its_database_is_not_ready_and_tells_strangers_no_more(house: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = create_app(house).test_client()
    assert (visitor.get("/readyz").status_code, visitor.get("/readyz").get_json()) == (200, {"missing": [], "status": "ready"})
    monkeypatch.setattr("regulars_web.health.SUSTAINED", 0.0)
    monkeypatch.setattr(house, "database", Database("postgresql+psycopg://anna:hunter2@127.0.0.1:9/none"))
    reply = visitor.get("/readyz")
    assert reply.status_code == 503
    assert reply.get_json() == {"missing": ["database"], "reasons": {"database": "The database does not answer."}, "status": "not ready"}
    assert visitor.get("/healthz").status_code == 200
    assert problems(house)["database"].startswith("It does not answer: ")
    assert "hunter2" not in problems(house)["database"]


def test_what_plugins_need_keeps_a_process_from_being_ready_without_details(make_crm: Callable[..., Crm]) -> None:
    asked: list[str] = []

    def check(name: str, answer: str | None) -> HealthCheck:
        return HealthCheck(name, name, lambda session: asked.append(name) or answer, needed=name == "toy.vital")  # type: ignore[func-returns-value]

    @hookimpl
    def health_checks() -> Any:
        yield check("toy.vital", "password hunter2 was refused")
        yield check("toy.nice", "no")

    crm = make_crm(plugin("toy", health_checks=health_checks))
    reply = create_app(crm).test_client().get("/readyz")
    assert reply.status_code == 503
    assert reply.get_json() == {"missing": ["toy.vital"], "reasons": {"toy.vital": "Not ready."}, "status": "not ready"}
    assert asked == ["toy.vital"], "only what is needed"
    assert problems(crm) == {"toy.vital": "password hunter2 was refused", "toy.nice": "no"}


def weak(crm: Crm, **settings: Any) -> dict[str, str]:
    """What is weak with these settings, but for ports of this machine."""
    crm.config = replace(crm.config, **settings)
    return {one.name: str(one.problem) for one in security.examine(crm) if one.problem is not None and one.name != "address"}


def test_weak_settings_are_told_of(house: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    good = "pLq8Zk1vT3xYw7Rb5NcJ2mHs9DfGa4Eu"
    assert weak(house, secret_key=good, base_url="https://crm.example.com") == {}
    monkeypatch.setenv("FLASK_DEBUG", "1")
    monkeypatch.setattr("regulars_web.headers.ALWAYS", {})
    found = weak(house, secret_key="k" * 40, base_url="http://crm.example.com", http_allow=frozenset({"10.0.0.1"}))
    assert found == {
        "https": "http://crm.example.com is not https: passwords travel in the clear. Put a proxy with a certificate before it.",
        "secret key": "It is easy to guess. Take the one that regulars init makes, or 32 random characters and more.",
        "debug": "FLASK_DEBUG is set: take it away.",
        "headers": found["headers"],
        "outbound calls": "REGULARS_HTTP_ALLOW lets plugins call inner addresses: 10.0.0.1",
    }
    assert "Content-Security-Policy" in found["headers"]


def test_sample_passwords_that_still_work_are_told_of(house: Crm) -> None:
    users = {"manager@example.com": "the first password", "clerk@example.com": "a second password"}
    file = house.config.home / "sample-users.json"
    file.write_text(json.dumps(users))
    with house.transaction() as session:
        service.create(
            session, email="manager@example.com", name="M", password=users["manager@example.com"], roles=["manager"], at=house.clock.now()
        )
        service.create(session, email="clerk@example.com", name="C", password="another one now", roles=["clerk"], at=house.clock.now())
    told = f"They stand in {file} and still open: manager@example.com. Disable these users, or set others."
    assert weak(house, secret_key=passwords.invented() * 4)["sample passwords"] == told
