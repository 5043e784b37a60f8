"""A filter field whose SQL fails when it is run: the answer says which condition it was and whose, on pages, in the API and in exports."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from sample_plugins import everything, open_with, toy
from structlog.testing import capture_logs

from regulars_core.crm import Crm
from regulars_core.customers.filter import BadFilter, blaming
from regulars_core.exchange import export_desk
from regulars_core.plugins.switching import enable
from regulars_core.users.holding import viewer_of
from regulars_core.users.models import User
from regulars_plugin_api.contributions import FieldType, FilterField
from regulars_plugin_api.db import UtcDateTime, customers
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.staff import Staff
from regulars_web.app import create_app

# Row by row, not before: a planner that sees constants works them out, and a table without rows fails nowhere.
OVERFLOW = {"postgresql": "1 / (id - id) > 0", "sqlite": "abs(-9223372036854775807 - 1 + id - id) > 0"}


def noisy(dialect: str) -> Any:
    """A plugin with a field that works and three that do not."""

    def field(name: str, clause: Callable[[Any], Any]) -> FilterField:
        return FilterField(
            f"noisy.{name}", f"Noise of {name}", FieldType.TEXT, ["eq"], lambda column, op, value: clause(column), lambda *_given: 1
        )

    def filter_fields() -> Iterable[FilterField]:
        yield field("good", lambda column: column > 0)
        yield field("missing", lambda column: column.in_(sa.select(sa.column("no_such_column", sa.Integer)).select_from(customers)))
        yield field("by_row", lambda column: column.in_(sa.select(customers.c.id).where(sa.text(OVERFLOW[dialect]))))
        naive = dt.datetime(2026, 1, 1)
        yield field("naive", lambda column: sa.literal(naive, UtcDateTime()) < sa.func.now())

    return toy("noisy", filter_fields)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Crm]:
    crm = open_with(database_url, tmp_path, noisy(sa.make_url(database_url).get_backend_name()), everything)
    for name in ("noisy", "everything"):
        enable(crm, name)
    crm.customers.create({"display_name": "Åsa Holm"})
    with capture_logs():
        yield crm
    crm.close()


def condition(name: str) -> dict[str, Any]:
    return {
        "all": [
            {"field": "city", "op": "empty", "value": True},
            {"field": "noisy.good", "op": "eq", "value": "x"},
            {"not": {"field": name, "op": "eq", "value": "x"}},
        ]
    }


def told(name: str) -> str:
    return f"The plugin noisy failed to look up “Noise of {name.partition('.')[2]}”. Leave this condition out."


BROKEN = ("noisy.missing", "noisy.by_row", "noisy.naive")


@pytest.mark.parametrize("name", BROKEN)
def test_a_page_says_which_condition_and_whose(house: Crm, staff: Any, name: str) -> None:
    admin: Staff = staff(role="administrator", on=create_app(house))
    for order in ("", "&sort=newest"):
        page = admin.get(f"/customers?filter={quote(json.dumps(condition(name)))}{order}")
        assert page.status_code == 422
        assert told(name) in page.text
        assert 'href="/everything/"' in page.text, "the rest of the page is there"
    assert "Åsa Holm" in admin.get("/customers").text
    assert f"SQL of filter field {name}" in admin.get("/plugins/noisy").text


def test_the_api_answers_with_a_problem_that_leads_to_the_condition(house: Crm, staff: Any) -> None:
    admin: Staff = staff(role="administrator", on=create_app(house))
    for name in BROKEN:
        reply = admin.get(f"/api/v1/customers?filter={quote(json.dumps(condition(name)))}")
        assert (reply.status_code, reply.content_type) == (422, "application/problem+json")
        assert reply.get_json()["errors"] == [{"field": "filter.all[2].not", "detail": told(name)}]


def test_an_export_stops_with_the_reason(house: Crm, staff: Any) -> None:
    staff(role="administrator", on=create_app(house))
    with house.read() as session:
        user = session.scalars(sa.select(User).options(sa.orm.selectinload(User.roles))).first()
        assert user is not None
        viewer = viewer_of(session, user)
    for name in BROKEN:
        run = export_desk.start(house, viewer, "customer", "csv", condition(name))
        assert export_desk.work_once(house)
        with house.read() as session:
            stopped = export_desk.get(session, user.id, run)
        assert (stopped.state.value, stopped.trouble) == ("stopped", f"all[2].not: {told(name)}")


def test_the_log_names_the_plugin_and_what_else_goes_wrong_is_nobodys_fault(house: Crm) -> None:
    for _again in range(7):
        with capture_logs() as logs, house.read() as session, pytest.raises(BadFilter):
            house.customers.page(session, SYSTEM, where=condition("noisy.missing"))
        assert {one["plugin"] for one in logs if "plugin" in one} <= {"noisy"}
    with pytest.raises(sa.exc.SQLAlchemyError, match="nothing to do with it"), blaming(house, condition("noisy.good")):
        raise sa.exc.OperationalError("nothing to do with it", {}, Exception())
    with pytest.raises(sa.exc.SQLAlchemyError), blaming(house, None):
        raise sa.exc.OperationalError("nothing to do with it", {}, Exception())


def test_a_field_of_the_saved_filter_is_found_in_a_transaction_too(house: Crm) -> None:
    with house.transaction(SYSTEM, "test") as session:
        with pytest.raises(BadFilter), session.begin_nested():
            house.customers.page(session, SYSTEM, where=condition("noisy.missing"))
        assert house.customers.count_about(session, SYSTEM) == 1
