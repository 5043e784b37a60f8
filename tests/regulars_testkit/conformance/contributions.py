"""What the plugin contributes: named after it, leading somewhere, for those with permission, and working with rows and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from jinja2 import TemplateNotFound
from sqlalchemy.orm import Session

from regulars_core.users.roles import CORE_PERMISSIONS
from regulars_plugin_api.contributions import (
    CustomerColumn,
    EventHandler,
    FieldType,
    FilterField,
    HealthCheck,
    Job,
    Permission,
    Report,
    SearchSource,
    TimelineSource,
)
from regulars_plugin_api.contributions.base import Contribution
from regulars_plugin_api.db import customers
from regulars_plugin_api.exchange import Exporter
from regulars_plugin_api.manifest import Tier
from regulars_plugin_api.values import BadValue
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.conformance.asking import contributed
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House

NAMED = (CustomerColumn, EventHandler, FilterField, HealthCheck, Job, Report, TimelineSource)
TIMELINE = {"customer_id", "at", "kind", "channel", "store_id", "ref"}
VALUES: dict[FieldType, tuple[Any, ...]] = {
    FieldType.TEXT: ("a",),
    FieldType.NUMBER: (1, "1"),
    FieldType.MONEY: ("1", 1, {"amount": "1", "currency": "EUR"}),
    FieldType.DATE: ("2026-01-05",),
    FieldType.DATETIME: ("2026-01-05T12:00:00+00:00", "2026-01-05"),
    FieldType.CHOICE: (),
    FieldType.YES_NO: (True,),
}


@check(Tier.BRONZE, Place.HOUSE)
def named(house: House) -> Iterator[Flaw]:
    """Names of columns, fields, handlers, jobs and the like begin with the plugin's."""
    for hook, one in contributed(house):
        if isinstance(one, NAMED) and not one.name.startswith(f"{house.subject.name}."):
            yield Flaw(f"{hook} offers {one.name}.", f"Name it {house.subject.name}.…: what two plugins call alike is left out.")


@check(Tier.BRONZE, Place.HOUSE)
def lead_somewhere(house: House) -> Iterator[Flaw]:
    """Menu entries, buttons, panels and tiles name views and templates that are there."""
    for hook, one in contributed(house):
        if not isinstance(one, Contribution):
            continue
        endpoint, template = getattr(one, "endpoint", None), getattr(one, "template", None)
        if endpoint and endpoint not in house.app.view_functions:
            yield Flaw(f"{hook} leads to {endpoint}, which is no view.", "Write <blueprint>.<function>, as for url_for.")
        if template and not _is_template(house, template):
            yield Flaw(f"{hook} names the template {template}, which is not there.", f"Put it at templates/{template} in the package.")


def _is_template(house: House, name: str) -> bool:
    try:
        house.app.jinja_env.get_template(name)
    except TemplateNotFound:
        return False
    return True


@check(Tier.BRONZE, Place.HOUSE)
def permitted(house: House) -> Iterator[Flaw]:
    """What asks for a permission asks for one that somebody can be given."""
    declared = {one.name for found in house.on.plugins.permissions().values() for one in found if isinstance(one, Permission)}
    for hook, one in contributed(house):
        permission = getattr(one, "permission", None)
        if permission is not None and permission not in {*declared, *CORE_PERMISSIONS}:
            yield Flaw(f"{hook} asks for {permission}, which nobody can be given.", "Yield a Permission of that name from permissions().")


@check(Tier.SILVER, Place.EACH_DATABASE)
def work(house: House) -> Iterator[Flaw]:
    """Columns, fields, sources, reports, exports and checks work with the plugin's rows there, on both databases."""
    house.plant(house.people[0])
    for hook, one in contributed(house):
        try_it = next((look for kind, look in _LOOKS.items() if isinstance(one, kind)), None)
        if try_it is None:
            continue
        with house.on.read(SYSTEM) as session:
            try:
                wrong = try_it(session, one, list(house.people))
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
        if wrong:
            yield Flaw(f"{hook}: {getattr(one, 'name', type(one).__name__)}: {wrong}", "Try it in a test of your own with such a row.")


def _column(session: Session, one: CustomerColumn, ids: list[int]) -> str | None:
    found = one.load(session, ids, SYSTEM)
    return None if set(found) <= set(ids) else "answers for customers it was not asked for"


def _field(session: Session, one: FilterField, ids: list[int]) -> str | None:
    values = VALUES[one.type]
    if one.choices is not None:
        values = (*(key for key, _title in one.choices(session)[:1]), *values)
    for op in one.operators:
        if not values:
            break
        clauses = [clause for value in values if (clause := _clause(one, op, value)) is not None]
        if not clauses:
            return f"refuses {values[0]!r} for {op}"
        session.scalar(sa.select(sa.func.count()).select_from(customers).where(clauses[0]))
    one.explain(session, ids[0])
    return None


def _clause(one: FilterField, op: str, value: Any) -> sa.ColumnElement[bool] | None:
    try:
        return one.clause(customers.c.id, op, [value] if op == "in" else True if op == "empty" else value)
    except BadValue:
        return None


def _timeline(session: Session, one: TimelineSource, ids: list[int]) -> str | None:
    query = one.select(SYSTEM)
    names = query.selected_columns.keys()
    if set(names) != TIMELINE:
        return f"selects {', '.join(sorted(names))}, not {', '.join(sorted(TIMELINE))}"
    refs = [row.ref for row in session.execute(query.where(query.selected_columns.customer_id.in_(ids)))]
    said = one.render(session, refs, SYSTEM)
    return None if set(said) >= set(refs) else "does not say what each of its happenings was"


def _search(session: Session, one: SearchSource, ids: list[int]) -> str | None:
    return None if len(one.search(session, "a", 5, SYSTEM)) <= 5 else "gives more hits than asked for"


def _report(session: Session, one: Report, ids: list[int]) -> str | None:
    table = one.run(session, one.parameters().load({}), SYSTEM)
    wide = all(len(row) == len(table.columns) for row in table.rows)
    return None if wide else "has rows that are not as long as its columns"


def _exporter(session: Session, one: Exporter, ids: list[int]) -> str | None:
    width = len(one.columns(session))
    wide = all(len(row) == width for row in one.rows(session, SYSTEM, None))
    return None if wide else "has rows that are not as long as its columns"


def _health(session: Session, one: HealthCheck, ids: list[int]) -> str | None:
    one.check(session)
    return None


_LOOKS: dict[type, Callable[[Session, Any, list[int]], str | None]] = {
    CustomerColumn: _column,
    FilterField: _field,
    TimelineSource: _timeline,
    SearchSource: _search,
    Report: _report,
    Exporter: _exporter,
    HealthCheck: _health,
}
