"""Figures for monitoring: who may read them, what they say, what they cost."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.bus.models import DEAD, Delivery
from regulars_core.config import create_home
from regulars_core.crm import Crm
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins.models import PluginTrouble
from regulars_core.users import tokens
from regulars_plugin_api.contributions import EventHandler, Job
from regulars_plugin_api.events import CustomerCreated
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import Staff, plugin
from regulars_web import metrics
from regulars_web.app import create_app
from regulars_web.heartbeat import Heartbeat

MINUTE = dt.timedelta(minutes=1)


@hookimpl
def event_handlers() -> Any:
    yield EventHandler("toy.greet", (CustomerCreated,), apply=lambda session, event: None)


@hookimpl
def jobs() -> Any:
    yield Job("toy.sweep", lambda crm, run: None)


@pytest.fixture
def house(make_crm: Callable[..., Crm]) -> Crm:
    """The system with a plugin that has work to do, watched from the same machine."""
    return make_crm(plugin("toy", event_handlers=event_handlers, jobs=jobs), metrics_on_loopback=True)


def figures(text: str) -> dict[str, float]:
    """Name and labels -> value, without those of times."""
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _space, value in lines if "seconds_" not in name and "_created" not in name}


def test_what_waits_was_given_up_or_failed_is_told(house: Crm) -> None:
    for name in ("Åsa Holm", "Bo", "Cy"):
        house.customers.create({"display_name": name})
    now = house.clock.now()
    with house.transaction() as session:
        session.execute(sa.update(Delivery).values(due_at=now - MINUTE))
        session.execute(sa.update(Delivery).where(Delivery.id == 1).values(state=DEAD))
        house.jobs.start(session, "toy.sweep", "monday")
        session.add(PluginTrouble(process="a:1", plugin="toy", hook="panels", reason="x", count=5, rests_until=now + MINUTE, noted_at=now))
        session.add(PluginTrouble(process="b:2", plugin="toy", hook="panels", reason="x", count=2, rests_until=None, noted_at=now))
    Heartbeat()(house)
    visitor = create_app(house).test_client()
    # Answers are counted when they have been sent; "buffered" reads them to the end.
    statuses = [visitor.get(path, buffered=True).status_code for path in ("/healthz", "/no-such-page")]
    assert statuses == [200, 404]
    reply = visitor.get("/metrics")
    assert reply.content_type.startswith("text/plain; version=0.0.4")
    told = figures(reply.text)
    assert 60 <= told.pop('regulars_delivery_lag_seconds{handler="toy.greet"}') < 90
    assert told == {
        'regulars_requests_total{endpoint="health.alive",method="GET",status="200"}': 1,
        'regulars_requests_total{endpoint="none",method="GET",status="404"}': 1,
        "regulars_database_connections_used": told["regulars_database_connections_used"],
        'regulars_deliveries_waiting{handler="toy.greet"}': 2,
        'regulars_deliveries_dead{handler="toy.greet"}': 1,
        'regulars_jobs{job="toy.sweep",state="ready"}': 1,
        "regulars_workers": 1,
        'regulars_hook_failures{hook="panels",plugin="toy"}': 7,
        'regulars_hook_breaker_open{hook="panels",plugin="toy"}': 1,
    }
    assert 'regulars_request_seconds_bucket{endpoint="health.alive",le="0.01"}' in reply.text
    assert "Holm" not in reply.text


def test_a_handler_with_nothing_to_do_is_told_of_too(house: Crm) -> None:
    told = figures(create_app(house).test_client().get("/metrics").text)
    assert told['regulars_deliveries_waiting{handler="toy.greet"}'] == 0


def test_only_a_token_for_it_or_this_machine_may_read_them(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    crm = make_crm()
    app = create_app(crm)
    admin = staff(role="administrator", on=app)
    secrets = {}
    with crm.transaction() as session:
        for scope in ("metrics.read", "customers.view"):
            known = ["metrics.read", "customers.view"]
            secrets[scope] = tokens.create(session, admin.email, name=scope, scopes=[scope], known=known, at=crm.clock.now())[1]
    visitor = app.test_client()
    assert visitor.get("/metrics").status_code == 401, "this machine has not been let in"
    for scope, status in (("metrics.read", 200), ("customers.view", 403)):
        assert visitor.get("/metrics", headers={"Authorization": f"Bearer {secrets[scope]}"}).status_code == status
    assert visitor.get("/metrics", headers={"Authorization": "Bearer none"}).status_code == 401
    assert staff(role="clerk", on=app).get("/metrics").status_code == 403


def test_what_a_proxy_on_this_machine_passes_on_is_not_of_this_machine(house: Crm) -> None:
    visitor = create_app(house).test_client()
    assert visitor.get("/metrics").status_code == 200
    assert visitor.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 401
    assert visitor.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.7"}).status_code == 401


def test_they_take_as_many_statements_however_much_there_is(house: Crm, statements: list[str]) -> None:
    visitor = create_app(house).test_client()
    visitor.get("/metrics")
    counts = []
    for number in range(2):
        for one in range(1 + number):
            house.customers.create({"display_name": f"{number} {one}"})
        with house.transaction() as session:
            session.add_all(JobSlot(job=f"toy.{number}", slot=str(one), due_at=house.clock.now()) for one in range(1 + number))
        statements.clear()
        assert visitor.get("/metrics").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8


def test_counting_costs_a_request_little(house: Crm) -> None:
    app = create_app(house)
    metrics._record(app, house, time.perf_counter(), "home.page", "GET", "200")
    # Of many short rounds the quickest: what else the machine does can only make it slower.
    best = min(_per_call(app, house) for _round in range(60))
    assert best < 30e-6


def test_the_start_does_not_wait_for_it() -> None:
    program = "import sys, regulars_web.app, regulars_web.metrics; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def _per_call(app: Any, crm: Crm, times: int = 50) -> float:
    began = time.thread_time()
    for _time in range(times):
        metrics._record(app, crm, began, "home.page", "GET", "200")
    return (time.thread_time() - began) / times


def test_whichever_process_of_the_web_is_asked_tells_of_all_and_they_end_when_told_to(sqlite_url: str, tmp_path: Path) -> None:
    create_home(tmp_path / "home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "REGULARS_HOME": str(tmp_path / "home"),
        "REGULARS_DATABASE_URL": sqlite_url,
        "REGULARS_METRICS_LOOPBACK": "1",
    }
    command = [sys.executable, "-m", "regulars_web", "web", "--workers", "2", "--port", str(port)]
    with subprocess.Popen(command, env=environment) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not _get(port, "/readyz"):
                time.sleep(0.1)
            for _time in range(20):
                assert _get(port, "/healthz")
            # An answer is counted when it has been sent, so whoever asks at once may be too early.
            while (told := {_count(_get(port, "/metrics")) for _time in range(6)}) != {20.0} and time.monotonic() < until:
                time.sleep(0.1)
            assert told == {20.0}
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()


def _count(text: str) -> float:
    found = re.search(r'regulars_requests_total\{endpoint="health.alive",method="GET",status="200"\} (\S+)', text)
    return float(found[1]) if found else 0


def _get(port: int, path: str) -> str:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
        return str(reply.read(), "utf-8")
    return ""
