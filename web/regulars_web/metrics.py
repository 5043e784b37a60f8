"""Figures for Prometheus: requests as they are answered, the rest read from the database when somebody asks.

``prometheus_client`` is imported after the first answer has gone out: it would cost the start a tenth of a second. Several processes
of one server share files in ``PROMETHEUS_MULTIPROC_DIR``, so that whichever of them is asked tells of all.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask import Flask, Response, g, request

from regulars_core.crm import Crm
from regulars_core.plugins.models import PluginTrouble
from regulars_web import figures
from regulars_web.heartbeat import alive

if TYPE_CHECKING:
    from prometheus_client.core import Metric

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_making = threading.Lock()


def install(app: Flask, crm: Crm) -> None:
    """Count what ``app`` answers. It costs a request nothing: it is written down when the answer has been sent."""

    @app.before_request
    def note_begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def count(reply: Response) -> Response:
        if request.endpoint != "asset":
            about = (request.endpoint or "none", request.method, str(reply.status_code))
            reply.call_on_close(partial(_record, app, crm, g.get("began", time.perf_counter()), *about))
        return reply


def _record(app: Flask, crm: Crm, began: float, endpoint: str, method: str, status: str) -> None:
    connections = sum(engine.pool.checkedout() for engine in (crm.database.engine, crm.database.readers))  # type: ignore[attr-defined]
    _requests(app).answered(endpoint, method, status, time.perf_counter() - began, connections)


def _requests(app: Flask) -> _Requests:
    made: _Requests | None = app.extensions.get("regulars_metrics")
    if made is None:
        with _making:
            made = app.extensions.get("regulars_metrics") or _Requests()
            app.extensions["regulars_metrics"] = made
    return made


class _Requests:
    """What this process, or with a shared folder its server, has answered."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self._answers = Counter("regulars_requests", "Requests answered.", ("endpoint", "method", "status"), registry=self.registry)
        about = "Time from the arrival of a request until its answer was sent."
        self._seconds = Histogram("regulars_request_seconds", about, ("endpoint",), buckets=BUCKETS, registry=self.registry)
        pool = "Connections to the database in use."
        self._pool = Gauge("regulars_database_connections_used", pool, registry=self.registry, multiprocess_mode="livesum")

    def answered(self, endpoint: str, method: str, status: str, seconds: float, connections: int) -> None:
        """Count one."""
        self._answers.labels(endpoint, method, status).inc()
        self._seconds.labels(endpoint).observe(seconds)
        self._pool.set(connections)


def page(app: Flask, crm: Crm) -> tuple[bytes, str]:
    """All figures in Prometheus' text format, and its content type."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
    from prometheus_client.multiprocess import MultiProcessCollector

    answered = _requests(app).registry
    if os.environ.get(FOLDER):
        answered = CollectorRegistry()
        MultiProcessCollector(answered)  # type: ignore[no-untyped-call]
    shared = CollectorRegistry()
    shared.register(_Shared(crm))
    return generate_latest(answered) + generate_latest(shared), CONTENT_TYPE_PLAIN_0_0_4


class _Shared:
    """What the database knows, the same from whichever process: a statement for each group, none over what is done."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the database when this is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Ask."""
        from prometheus_client.core import GaugeMetricFamily

        def gauge(name: str, about: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
            family = GaugeMetricFamily(f"regulars_{name}", about, labels=labels)
            for of, value in values:
                family.add_metric(of, value)
            return family

        crm, now = self._crm, self._crm.clock.now()
        with crm.read() as session:
            handlers = figures.lags(crm, session)
            jobs, imports = figures.open_jobs(session), figures.open_imports(session)
            workers = alive(session, now)
            resting = sa.func.max(PluginTrouble.rests_until)
            failed = sa.select(PluginTrouble.plugin, PluginTrouble.hook, sa.func.sum(PluginTrouble.count), resting)
            troubles = session.execute(failed.group_by(PluginTrouble.plugin, PluginTrouble.hook)).all()
        yield gauge("deliveries_waiting", "Deliveries that wait.", ("handler",), [((one.handler,), one.waiting) for one in handlers])
        yield gauge("deliveries_dead", "Deliveries that were given up.", ("handler",), [((one.handler,), one.dead) for one in handlers])
        lag = [((one.handler,), one.lag.total_seconds()) for one in handlers]
        yield gauge("delivery_lag_seconds", "How long the oldest delivery that is due has been due.", ("handler",), lag)
        yield gauge("jobs", "Runs of jobs that wait or run (ready) or were given up (dead).", ("job", "state"), jobs.items())
        yield gauge(
            "imports", "Imports that have not ended, or stopped.", ("state",), [((state,), count) for state, count in imports.items()]
        )
        yield gauge("workers", "Workers that are there.", (), [((), len(workers))])
        failures = [((plugin, hook), float(count)) for plugin, hook, count, _until in troubles]
        yield gauge("hook_failures", "Failed calls of a plugin's hook within a day.", ("plugin", "hook"), failures)
        is_open = [((plugin, hook), float(until is not None and until > now)) for plugin, hook, _count, until in troubles]
        yield gauge("hook_breaker_open", "1 while a plugin's hook is left alone after failures.", ("plugin", "hook"), is_open)
