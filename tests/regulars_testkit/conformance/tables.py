"""The plugin's tables: theirs by name, tied to others as the rules for data say, and exact."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from regulars_plugin_api.db import Base
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.conformance.subject import Subject
from regulars_testkit.crm import CrmHarness

ENDINGS = ("CASCADE", "SET NULL")


@check(Tier.BRONZE, Place.HOUSE)
def prefixed(house: House) -> Iterator[Flaw]:
    """Every table that switching the plugin on makes begins with its name."""
    subject = house.subject
    before, after = _names(house.never_on), _names(house.on)
    mine = (f"{subject.name}_", f"alembic_version_{subject.name}")
    for table in sorted(after - before):
        if not table.startswith(mine):
            yield Flaw(f"The table {table} does not begin with {subject.name}_.", "Name it so in the model and in the migration.")


def _names(crm: CrmHarness) -> set[str]:
    with crm.read() as session:
        return set(sa.inspect(session.connection()).get_table_names())


@check(Tier.BRONZE)
def foreign_keys(subject: Subject) -> Iterator[Flaw]:
    """Foreign keys cascade or are set null, and point at core's tables, the plugin's own or those of plugins it requires."""
    others = [one.manifest for one in subject.loaded.values()]
    strangers = [table for table in Base.metadata.tables if not _is_core(table) and not any(one.owns(table) for one in others)]
    for table in subject.tables:
        for key in table.foreign_keys:
            where, target = f"{table.name}.{key.parent.name}", key.target_fullname.partition(".")[0]
            if (key.ondelete or "").upper() not in ENDINGS:
                yield Flaw(
                    f"{where} points at {target} with ondelete={key.ondelete}.",
                    'Give the foreign key ondelete="CASCADE" for dependent data, or "SET NULL" for books.',
                )
            if target in strangers:
                yield Flaw(f"{where} points at {target}, a table of a plugin that is not required.", "Add that plugin to requires.")


def _is_core(table: str) -> bool:
    modules = (one.class_.__module__ for one in Base.registry.mappers if one.local_table is Base.metadata.tables[table])
    return any(module.startswith("regulars_core.") for module in modules)


@check(Tier.BRONZE)
def exact(subject: Subject) -> Iterator[Flaw]:
    """Amounts are whole numbers of their smallest unit, and instants carry their offset, on every database."""
    for table in subject.tables:
        for column in table.columns:
            if isinstance(column.type, (sa.Numeric, sa.Float)):
                hint = "Use Money over minor units, UnitPrice or Quantity of regulars_plugin_api.db: SQLite adds fractions inexactly."
                yield Flaw(f"{table.name}.{column.name} is a {column.type!r}.", hint)
            if isinstance(column.type, sa.DateTime):
                hint = "Use UtcDateTime of regulars_plugin_api.db: SQLite loses the offset of a plain date-time."
                yield Flaw(f"{table.name}.{column.name} is a {column.type!r}.", hint)


@check(Tier.BRONZE)
def numbered_once(subject: Subject) -> Iterator[Flaw]:
    """A deleted row's number is never given to another one."""
    for table in subject.tables:
        keys = list(table.primary_key.columns)
        is_number = len(keys) == 1 and isinstance(keys[0].type, sa.Integer) and not keys[0].foreign_keys
        if is_number and not table.dialect_options["sqlite"]["autoincrement"]:
            yield Flaw(f"{table.name} may use a number again on SQLite.", "Derive the model from Base, or set sqlite_autoincrement=True.")
