"""P12: deliveries that do nothing, beside a bare claim and done of the same run; and what one costs the change that makes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa
from sample_plugins import open_with
from sqlalchemy.orm import Session

from regulars_core.bus.models import DONE, Delivery
from regulars_core.crm import Crm
from regulars_core.db import Database
from regulars_core.jobs.worker import run_worker
from regulars_core.plugins.switching import enable
from regulars_plugin_api.contributions import EventHandler
from regulars_plugin_api.events import Delivered, StoreCreated, emit
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest

pytestmark = [pytest.mark.bench, pytest.mark.timeout(0)]

EVENTS, AT_ONCE, GOAL = 20_000, 20, 0.4


def _nothing(session: Session, event: Delivered[StoreCreated]) -> None:
    """Hear of it."""


@hookimpl
def event_handlers() -> Iterable[EventHandler]:
    yield EventHandler("idle.nothing", (StoreCreated,), apply=_nothing)


IDLE = ModuleType("idle")
IDLE.__dict__["MANIFEST"] = Manifest(name="idle", title="Idle", summary="Hears.", category=Category.OPERATIONS, api="1.0")
IDLE.__dict__["event_handlers"] = event_handlers


def test_deliveries(database_url: str, tmp_path: Path) -> None:
    crm = open_with(database_url, tmp_path, IDLE)
    enable(crm, "idle")
    for start in range(0, EVENTS, 1000):
        with crm.transaction() as session:
            for number in range(start, start + 1000):
                emit(session, StoreCreated(store_id=number, code=str(number)))
    floor = EVENTS / _floor(crm.database)
    product = EVENTS / _work(crm)
    print(  # noqa: T201
        f"\nP12 {crm.database.engine.dialect.name}: {product:,.0f} deliveries/s, bare claim and done {floor:,.0f}/s: {product / floor:.0%}"
    )
    crm.close()
    assert product >= floor * GOAL


def _work(crm: Crm) -> float:
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(crm, stop, 1))
    began = time.perf_counter()
    worker.start()
    while True:
        time.sleep(0.02)
        with crm.read() as session:
            if session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(Delivery.state == DONE)) == EVENTS:
                break
    spent = time.perf_counter() - began
    stop.set()
    worker.join()
    return spent


def _floor(database: Database) -> float:
    """Two statements a batch: lease the next, mark them done."""
    with database.transaction() as session:
        session.execute(sa.text("CREATE TABLE bare (id integer PRIMARY KEY, state text NOT NULL, leased_until integer)"))
        session.execute(sa.text("CREATE INDEX ix_bare ON bare (state, id)"))
        session.execute(sa.text("INSERT INTO bare (id, state) VALUES (:id, 'ready')"), [{"id": one} for one in range(EVENTS)])
    skip = "" if database.is_sqlite else "FOR UPDATE SKIP LOCKED"
    chosen = f"SELECT id FROM bare WHERE state = 'ready' AND leased_until IS NULL ORDER BY id LIMIT {AT_ONCE} {skip}"
    lease = sa.text(f"UPDATE bare SET leased_until = 1 WHERE id IN ({chosen}) RETURNING id")
    done = sa.text("UPDATE bare SET state = 'done' WHERE id BETWEEN :first AND :last AND leased_until = 1")
    began = time.perf_counter()
    while True:
        with database.transaction() as session:
            ids = session.scalars(lease).all()
        if not ids:
            break
        with database.transaction() as session:
            session.execute(done, {"first": min(ids), "last": max(ids)})
    spent = time.perf_counter() - began
    with database.transaction() as session:
        session.execute(sa.text("DROP TABLE bare"))
    return spent
