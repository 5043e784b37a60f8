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
    explain = "EXPLAIN QUERY PLAN " if crm.database.is_sqlite else "EXPLAIN "
    with crm.read() as session:
        plan = [str(tuple(row)) for row in session.connection().exec_driver_sql(explain + statement, values)]
    scan = re.compile(rf"SCAN {LARGE.pattern}(?! USING)(?! VIRTUAL)" if crm.database.is_sqlite else rf"Seq Scan on {LARGE.pattern}")
    return [line for line in plan if scan.search(line)]
