"""The personal data in the plugin's tables: handed out, united and forgotten, with the package there or gone."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from regulars_core.privacy.upkeep import scrub
from regulars_plugin_api.db import Base
from regulars_plugin_api.manifest import Erase, Merge, PersonalTable, Tier
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.conformance.planting import Markers
from regulars_testkit.conformance.subject import Subject
from regulars_testkit.crm import CrmHarness

MAP = "Manifest(personal_data=…)"
PERSON = {
    "first_name": "Zqfirstname",
    "last_name": "Zqlastname",
    "notes": "Zqnotes",
    "street": "Zqstreet 1",
    "emails": ["zqmail@example.com"],
    "phones": ["+46701740631"],
}


@check(Tier.SILVER)
def mapped(subject: Subject) -> Iterator[Flaw]:
    """The manifest's personal-data map names every column that points at customers, and only columns that are there."""
    rules = {(one.table, one.customer_column) for one in subject.manifest.personal_data}
    for table in subject.tables:
        for key in table.foreign_keys:
            if key.target_fullname == "customer.id" and (table.name, key.parent.name) not in rules:
                words = f"{table.name}.{key.parent.name} points at customers, and {MAP} does not say what becomes of its rows."
                yield Flaw(words, f'Add PersonalTable("{table.name}", export=(…)) to the map: erasing a person empties no other table.')
    for rule in subject.manifest.personal_data:
        columns = Base.metadata.tables[rule.table].columns.keys() if rule.table in Base.metadata.tables else ()
        for name in (rule.customer_column, *rule.export, *rule.clear, *rule.add, *rule.same):
            if name not in columns:
                yield Flaw(f"{MAP} names {rule.table}.{name}, which is not there.", "Name tables and columns as the model does.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def handed_out(house: House) -> Iterator[Flaw]:
    """What a person's rows say is in the package handed to that person."""
    crm = house.on
    one = crm.customers.create({"display_name": "Ada"})
    markers = house.plant(one)
    package = _package(crm, one)
    for rule in house.subject.manifest.personal_data:
        for (table, column), marker in markers.items():
            if table == rule.table and marker not in package and _is_told(rule, column):
                words = f"The text in {table}.{column} is not in the package of personal data."
                yield Flaw(words, f"Add {column!r} to export of that table in {MAP}, or yield it from export_personal_data.")


def _is_told(rule: PersonalTable, column: str) -> bool:
    """Whether a person has a right to the text: not to what is worked out from others, nor to what is not about them in the books."""
    table = Base.metadata.tables[rule.table]
    left_out = table.info.get("dump", {}).get("omit", ())
    return column in (*rule.export, *rule.clear) or (rule.erase is Erase.DELETE and column not in left_out)


def _package(crm: CrmHarness, customer_id: int) -> str:
    out = io.BytesIO()
    crm.privacy.personal_data(customer_id, out)
    with zipfile.ZipFile(out) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


@check(Tier.SILVER, Place.EACH_DATABASE)
def united(house: House) -> Iterator[Flaw]:
    """When two customers are united nothing is lost or left behind, and taking it back restores both."""
    crm = house.on
    keep, drop = (crm.customers.create({"display_name": name}) for name in ("Ada", "Ada Berg"))
    house.plant(keep)
    house.plant(drop)
    rules = {one.table: one for one in house.subject.manifest.personal_data}
    before, dumped = _counts(house, crm), _records(house, crm)
    merge = crm.customers.merge(keep, drop)
    for table, column in _references(house.subject):
        with crm.read() as session:
            left = session.scalar(sa.select(sa.func.count()).select_from(table).where(column == drop))
        if left:
            words = f"{left} rows of {table.name} still belong to the customer that was merged into another."
            yield Flaw(words, "Choose merge=MOVE, UNION or SUM in the map, or move them in customers_merging.")
    for name, count in _counts(house, crm).items():
        if count < before[name] and (name not in rules or rules[name].merge is Merge.MOVE):
            yield Flaw(f"Uniting two customers lost {before[name] - count} rows of {name}.", "Delete nothing in customers_merging.")
    crm.customers.unmerge(merge)
    if lost := _difference(dumped, _records(house, crm)):
        yield Flaw(f"Taking the merge back did not restore {lost}.", "What customers_merging does, customers_unmerging takes back.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def forgotten(house: House) -> Iterator[Flaw]:
    """After a person is erased, nothing of the person is left anywhere in the database."""
    yield from _erased(house, house.on)


@check(Tier.SILVER, Place.EACH_DATABASE)
def forgotten_without_the_package(house: House) -> Iterator[Flaw]:
    """The same after the package was removed and only its data is kept."""
    if not any(getattr(house.subject.module, name, None) for name in ("erase_personal_data", "customers_merging")):
        yield from _erased(house, house.open(with_plugin=False))


def _erased(house: House, eraser: CrmHarness) -> Iterator[Flaw]:
    crm = house.on
    one = crm.customers.create(PERSON)
    markers = house.plant(one)
    crm.customers.update(one, {"notes": "Zqnotesagain"})
    with suppress(AssertionError):
        # A handler that calls elsewhere can't do so here.
        crm.work_off()
    house.administrator.get(f"/customers/{one}")
    expected = dict(_that_go(house.subject, markers))
    eraser.privacy.erase(one)
    scrub(eraser)
    texts = {**expected, **{("customer", name): str(text).strip("[']") for name, text in PERSON.items()}}
    for (table, column), where in sorted(_found(eraser, texts).items()):
        hint = f"Say in {MAP} that the column is cleared, or erase it in erase_personal_data."
        what = f"The person's {column}" if table == "customer" else f"The text in {table}.{column}"
        yield Flaw(f"{what} is still in {', '.join(sorted(where))} after the person was erased.", hint)


def _that_go(subject: Subject, markers: Markers) -> Iterable[tuple[tuple[str, str], str]]:
    rules = {one.table: one for one in subject.manifest.personal_data}
    for (table, column), marker in markers.items():
        rule = rules.get(table)
        if rule is not None and (rule.erase is Erase.DELETE or column in rule.clear or _is_prose(rule, column)):
            yield (table, column), marker


def _is_prose(rule: PersonalTable, column: str) -> bool:
    """Whether what is handed out is free text about the person, not a code such as the number of a receipt."""
    kind = Base.metadata.tables[rule.table].c[column].type
    collation = getattr(kind.dialect_impl(cast(Any, postgresql).dialect()), "collation", None)
    return column in rule.export and type(kind) is sa.Text and collation is None


def _found(crm: CrmHarness, texts: Markers) -> dict[tuple[str, str], set[str]]:
    """Where in the whole database texts still are."""
    found: dict[tuple[str, str], set[str]] = {}
    with crm.read() as session:
        for table in _all_tables(session):
            for row in session.execute(sa.select(table)):
                whole = " ".join(str(value) for value in row if value is not None).casefold()
                for place in [place for place, text in texts.items() if text.casefold() in whole]:
                    found.setdefault(place, set()).add(table.name)
    return found


def _all_tables(session: Session) -> list[sa.Table]:
    reflected = sa.MetaData()
    connection = session.connection()
    for name in sa.inspect(connection).get_table_names():
        # Plain columns: reading types back would ask for more than looking at values needs.
        sa.Table(name, reflected, *(sa.Column(one["name"]) for one in sa.inspect(connection).get_columns(name)))
    return list(reflected.tables.values())


def _references(subject: Subject) -> Iterator[tuple[sa.Table, sa.Column[int]]]:
    for table in subject.tables:
        yield from ((table, key.parent) for key in table.foreign_keys if key.target_fullname == "customer.id")


def _counts(house: House, crm: CrmHarness) -> dict[str, int]:
    with crm.read() as session:
        tables = house.subject.tables
        return {one.name: session.scalar(sa.select(sa.func.count()).select_from(one)) or 0 for one in tables}


def _records(house: House, crm: CrmHarness) -> list[str]:
    """The plugin's rows that are not worked out from others."""
    kept = [one for one in house.subject.tables if not one.info.get("dump", {}).get("derived")]
    with crm.read() as session:
        return sorted(f"{table.name}: {tuple(row)}" for table in kept for row in session.execute(sa.select(table)))


def _difference(before: list[str], after: list[str]) -> str:
    return ", ".join(sorted({line.partition(":")[0] for line in set(before) - set(after)}))
