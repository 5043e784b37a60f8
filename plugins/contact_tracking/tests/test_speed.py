"""A long history opens as fast as a short one: each source is read from its index, newest first, and no further than the page."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_contact_tracking.models import follow_ups, interactions
from regulars_core.customers import timeline
from regulars_plugin_api.bulk import insert_rows, reserve_ids
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.views import SYSTEM

FIRST = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)
MANY = 2500


@pytest.fixture
def busy(chain: Any) -> int:
    """A customer with 5,000 happenings, among others with as many."""
    ada: int = chain.customer("Ada Öberg")
    with chain.crm.transaction() as session:
        for customer_id in (ada, chain.customer("Bo")):
            ids = reserve_ids(session, interactions, MANY)
            columns = ("id", "uid", "customer_id", "channel", "direction", "at", "business_date", "text", "words", "version", "created_at")
            moments = [FIRST + dt.timedelta(hours=7 * number) for number in range(MANY)]
            rows = [
                (row_id, uuid7(), customer_id, "phone", "in", at, at.date(), f"call {row_id}", "", 1, at)
                for row_id, at in zip(ids, moments, strict=True)
            ]
            insert_rows(session, interactions, columns, rows)
            step_ids = reserve_ids(session, follow_ups, MANY)
            steps = [
                (row_id, uuid7(), customer_id, f"step {row_id}", at.date(), at, at) for row_id, at in zip(step_ids, moments, strict=True)
            ]
            insert_rows(session, follow_ups, ("id", "uid", "customer_id", "what", "due_on", "done_at", "created_at"), steps)
    return ada


def test_each_source_is_read_from_its_index(chain: Any, busy: int) -> None:
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_about: Any) -> None:
        if "UNION ALL" in statement:
            sent.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        first = timeline.page(chain.crm, SYSTEM, busy)
        timeline.page(chain.crm, SYSTEM, busy, after=first.following)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len(sent) == 2
    with chain.crm.read() as session:
        session.execute(sa.text("SELECT 1"))
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        for statement, parameters in sent:
            plan = session.connection().exec_driver_sql(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + statement, parameters)
            text = "\n".join(str(row) for row in plan)
            for index in ("ix_contact_tracking_interaction_customer_id_at_id", "ix_contact_tracking_follow_up_customer_id_done_at"):
                assert index in text
            assert "SCAN contact_tracking" not in text
            assert "Seq Scan on contact_tracking" not in text


def test_five_thousand_happenings_open_fast(chain: Any, busy: int) -> None:
    timeline.page(chain.crm, SYSTEM, busy)
    began = time.perf_counter()
    page = timeline.page(chain.crm, SYSTEM, busy)
    taken = time.perf_counter() - began
    assert len(page.happenings) == 30
    assert taken < 0.3
