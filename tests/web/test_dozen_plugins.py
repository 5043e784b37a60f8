"""A customer's page asks the database as often with twelve plugins as with none, but for what the plugins ask themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins.dozen import Spent, contributor

from regulars_core.crm import Crm
from regulars_testkit.staff import sign_in
from regulars_web.app import create_app


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """How often it asks is the same on every database."""
    return sqlite_url


def test_core_asks_no_more_with_many_plugins(make_crm: Callable[..., Crm], tmp_path: Path) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    counts = {}
    for amount in (0, 1, 12):
        spent = Spent()
        crm = make_crm(*(contributor(number, tmp_path, spent) for number in range(amount)))
        customer = crm.customers.create({"display_name": "Åsa Holm"})
        clerk = sign_in(create_app(crm), role="clerk")
        # Now and then a request also looks who was switched on: the fewest of several say what the page takes.
        fewest = []
        for _again in range(4):
            asked.clear()
            spent.statements = 0
            sa.event.listen(sa.Engine, "before_cursor_execute", note)
            page = clerk.get(f"/customers/{customer}").text
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
            assert (page.count("Put on shelf"), page.count("Åsa Holm: "), spent.statements) == (amount, amount, amount)
            fewest.append(len(asked) - spent.statements)
        counts[amount] = min(fewest)
    assert counts == dict.fromkeys((0, 1, 12), counts[0])
