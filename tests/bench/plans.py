"""What a page asks the database: how many statements, and whether one of them reads a large table from end to end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from regulars_core.crm import Crm
from regulars_web.app import create_app

LARGE = re.compile(r"(?:customer\w*|external_id|consent|purchases_receipt\w*|purchases_figures|contact_tracking_\w+)")

MOST_ROWS, OPERATIONS = 5000, 1000
"""A page may look at so many rows of a table in turn; SQLite's work is counted by the thousand operations, thirty to a row."""


@dataclass(frozen=True)
class Looked:
    """A page seen from the database."""

    statements: int
    bytes: int
    scans: list[str]


class Pages:
    """The staff's pages in this process, signed in."""

    def __init__(self, crm: Crm, email: str, password: str) -> None:
        self.crm = crm
        app = create_app(crm)
        self.client: FlaskClient = app.test_client()
        found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', self.client.get("/sign-in").data)
        assert found is not None
        self.client.post("/sign-in", data={"email": email, "password": password, "csrf_token": found[1].decode()})


def look_at(pages: Pages, path: str) -> Looked:
    """Open the page and explain each of its statements."""
    pages.client.get(path)
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((statement, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        reply = pages.client.get(path)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert reply.status_code == 200, path
    return Looked(len(asked), len(reply.data), [scan for statement, values in asked for scan in _scans(pages.crm, statement, values)])


def _scans(crm: Crm, statement: str, values: Any) -> list[str]:
    return _scans_of_sqlite(crm, statement, values) if crm.database.is_sqlite else _scans_of_postgresql(crm, statement, values)


def _scans_of_sqlite(crm: Crm, statement: str, values: Any) -> list[str]:
    """Scans of large tables in the plan, unless the statement is soon done all the same: a LIMIT stops it, which the plan does not say."""
    with crm.read() as session:
        connection = session.connection()
        plan = [str(tuple(row)) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
        found = [line for line in plan if re.search(rf"SCAN {LARGE.pattern}(?! USING)(?! VIRTUAL)", line)]
        if not found:
            return []
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(count, OPERATIONS)
        try:
            connection.exec_driver_sql(statement, values).all()
        finally:
            driver.set_progress_handler(None, 0)
        return found if steps * OPERATIONS > 30 * MOST_ROWS else []


def _scans_of_postgresql(crm: Crm, statement: str, values: Any) -> list[str]:
    """Scans of large tables that read more rows than a page needs."""
    with crm.read() as session:
        plan = [row[0] for row in session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", values)]
    found = []
    for place, line in enumerate(plan):
        if re.search(rf"Seq Scan on {LARGE.pattern}", line):
            actual = re.search(r"actual rows=([\d.]+)", line)
            removed = next((one for one in plan[place + 1 : place + 4] if "Rows Removed by Filter" in one), ": 0")
            if float(actual[1] if actual else 0) + int(removed.rpartition(":")[2]) > MOST_ROWS:
                found.append(line)
    return found
