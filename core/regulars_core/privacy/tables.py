"""Where personal data lies: core's own map, the maps plugins saved when they were switched on, and the keys the database reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.plugins.models import PluginRow
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.manifest import Merge, PersonalTable

if TYPE_CHECKING:
    from regulars_core.crm import Crm

CORE = (
    PersonalTable("customer_email", export=("address",), merge=Merge.UNION, same=("match",)),
    PersonalTable("customer_phone", export=("number", "e164"), merge=Merge.UNION, same=("e164",)),
    PersonalTable(
        "customer_address",
        export=("street", "postal_code", "city", "region", "country"),
        merge=Merge.UNION,
        same=("street", "city", "postal_code", "region", "country"),
    ),
    PersonalTable("external_id", export=("source", "value")),
    PersonalTable("customer_tag", export=("tag_id",), merge=Merge.UNION),
    PersonalTable("customer_link", "from_id", export=("to_id", "role"), merge=Merge.UNION),
    PersonalTable("customer_link", "to_id", export=("from_id", "role"), merge=Merge.UNION),
    PersonalTable("consent", export=("channel", "state", "given_on", "source", "recorded_at"), merge=Merge.UNION),
    PersonalTable("notice", export=("text", "at")),
    PersonalTable("customer_distinct", "one_id", merge=Merge.UNION),
    PersonalTable("customer_distinct", "other_id", merge=Merge.UNION),
)
TITLES: Mapping[str, Text] = {
    "customer": _("Merged before"),
    "customer_email": _("E-mail addresses"),
    "customer_phone": _("Phone numbers"),
    "customer_address": _("Addresses"),
    "external_id": _("Customer numbers"),
    "customer_tag": _("Tags"),
    "customer_link": _("Ties to others"),
    "customer_distinct": _("Said to be somebody else"),
    "consent": _("Consents"),
    "notice": _("Notices to staff"),
}
# Core writes the search words itself, and they are another table on each database.
_NOT_FOLLOWED = "customer_search"


def saved(session: Session) -> dict[str, list[PersonalTable]]:
    """The map of every plugin that was ever on, by plugin, whether its package is there or not."""
    rows = session.execute(sa.select(PluginRow.name, PluginRow.personal_data).order_by(PluginRow.name))
    return {name: [PersonalTable.from_json(one) for one in tables] for name, tables in rows}


def title(crm: Crm, table: str) -> str:
    """What a table holds, for a person: core's words, or the plugin's title and the rest of the table's name."""
    if table in TITLES:
        return str(TITLES[table])
    owner = next((name for name in crm.plugins.rows if table.startswith(f"{name}_")), "")
    loaded = crm.plugins.get(owner)
    rest = table.removeprefix(f"{owner}_").replace("_", " ").capitalize()
    return f"{loaded.manifest.title if loaded else owner.capitalize()}: {rest}" if owner else rest


@dataclass(frozen=True)
class Reference:
    """A column that points at customers, as the database reports it, with what the map says of its table.

    ``key`` names a row beside that column, ``unique`` are the keys it takes part in, ``others`` further columns that point at
    customers, ``children`` the ``(table, column, column here)`` that point at its rows.
    """

    table: sa.TableClause
    column: str
    rule: PersonalTable
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    others: tuple[str, ...]
    children: tuple[tuple[str, str, str], ...]


def references(session: Session) -> list[Reference]:
    """Every foreign key to a customer, also of tables whose plugin is gone."""
    inspector = sa.inspect(session.connection())
    keys = {name: found for (_schema, name), found in inspector.get_multi_foreign_keys().items()}
    rules = {(one.table, one.customer_column): one for one in (*CORE, *(one for tables in saved(session).values() for one in tables))}
    found = []
    for name in sorted(keys.keys() - {_NOT_FOLLOWED}):
        pointing = [key["constrained_columns"][0] for key in keys[name] if key["referred_table"] == "customer"]
        for column in pointing:
            rule = rules.get((name, column)) or PersonalTable(name, column)
            others = tuple(other for other in pointing if other != column)
            found.append(_reference(inspector, keys, name, column, rule, others))
    return found


def counts(session: Session, customer_id: int) -> dict[str, int]:
    """How many rows of each table point at a customer, in one statement."""
    found: dict[str, int] = defaultdict(int)
    ways = [
        sa.select(sa.literal(one.table.name).label("name"), sa.func.count())
        .select_from(one.table)
        .where(one.table.c[one.column] == customer_id)
        for one in references(session)
    ]
    for name, count in session.execute(sa.union_all(*ways)):
        found[name] += count
    return {name: count for name, count in sorted(found.items()) if count}


def _reference(
    inspector: sa.Inspector, keys: dict[str, list[sa.engine.interfaces.ReflectedForeignKeyConstraint]],
    name: str, column: str, rule: PersonalTable, others: tuple[str, ...],
) -> Reference:  # fmt: skip
    columns = [one["name"] for one in inspector.get_columns(name)]
    primary = inspector.get_pk_constraint(name)["constrained_columns"] or columns
    unique: list[Sequence[str | None]] = [primary, *(one["column_names"] for one in inspector.get_unique_constraints(name))]
    # A partial index is left to the database: it knows whether a row is in it.
    unique += [one["column_names"] for one in inspector.get_indexes(name) if one["unique"] and not one.get("dialect_options")]
    children = tuple(
        (child, key["constrained_columns"][0], key["referred_columns"][0])
        for child, found in keys.items()
        for key in found
        if key["referred_table"] == name and name != "customer"
    )
    return Reference(
        table=sa.table(name, *map(sa.column, columns)),
        column=column,
        rule=rule,
        key=tuple(one for one in primary if one != column),
        unique=tuple({tuple(str(one) for one in key if one != column) for key in unique if column in key}),
        others=others,
        children=children,
    )
