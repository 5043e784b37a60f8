"""Rules about data that belong to no single part: identifiers, money, time, deletion, reading."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import regulars_core.models  # noqa: F401 - every table of core
from regulars_core.customers.models import Customer, Tag
from regulars_plugin_api import events
from regulars_plugin_api.db import Base, Money, Quantity, UnitPrice, UtcDateTime, from_minor, to_minor
from regulars_testkit.crm import CrmHarness

TABLES = sorted(Base.metadata.tables.values(), key=lambda table: table.name)


def test_a_deleted_highest_id_is_given_to_nobody_else(crm: CrmHarness) -> None:
    with crm.transaction() as session:
        session.add(gone := Tag(name="a"))
        session.flush()
        session.delete(gone)
    with crm.transaction() as session:
        session.add(next_one := Tag(name="b"))
        session.flush()
        assert next_one.id > gone.id
    numbered = [table for table in TABLES if "id" in table.primary_key.columns and not table.c.id.foreign_keys]
    assert [table.name for table in numbered if not table.dialect_options["sqlite"]["autoincrement"]] == []


def test_what_leaves_the_house_has_a_name_of_its_own(crm: CrmHarness) -> None:
    customer_id = crm.customers.create({"first_name": "Eva"})
    with crm.read() as session:
        uid = session.get_one(Customer, customer_id).uid
        event = session.execute(sa.text("SELECT uid FROM event")).scalars().first()
    assert [uuid.UUID(one).version for one in (uid, event) if one] == [7, 7]


def test_no_table_counts_money_or_amounts_in_floats_or_decimals() -> None:
    kept = [(table.name, column.name, column.type) for table in TABLES for column in table.columns]
    assert [one for one in kept if isinstance(one[2], sa.Numeric | sa.Float)] == []


def test_ten_times_ten_cents_are_one_and_nothing_is_rounded(crm: CrmHarness) -> None:
    prices = sa.Table(
        "price", sa.MetaData(), sa.Column("price", UnitPrice), sa.Column("quantity", Quantity), sa.Column("minor", sa.BigInteger)
    )
    with crm.database.engine.begin() as connection:
        prices.create(connection)
        row = {"price": Decimal("0.1"), "quantity": Decimal("0.125"), "minor": to_minor(Decimal("0.10"), "SEK")}
        connection.execute(sa.insert(prices), [row] * 10)
        sums = connection.execute(sa.select(sa.func.sum(prices.c.minor), sa.func.sum(prices.c.price), sa.func.sum(prices.c.quantity))).one()
    assert (from_minor(int(sums[0]), "SEK"), sums[1], sums[2]) == (Decimal("1.00"), Decimal("1.0000"), Decimal("1.250"))
    assert [to_minor(Decimal(5), currency) for currency in ("SEK", "JPY", "KWD")] == [500, 5, 5000]
    with pytest.raises(ValueError, match="more than 2 decimals"):
        to_minor(Decimal("0.105"), "SEK")
    with pytest.raises(sa.exc.StatementError, match="float"), crm.database.engine.begin() as connection:
        connection.execute(sa.insert(prices), {"price": 0.1})


def test_an_instant_has_its_offset_and_comes_back_in_utc(crm: CrmHarness) -> None:
    stamps = sa.Table("stamp", sa.MetaData(), sa.Column("at", UtcDateTime))
    stockholm = dt.datetime(2024, 5, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    with crm.database.engine.begin() as connection:
        stamps.create(connection)
        connection.execute(sa.insert(stamps), {"at": stockholm})
        (found,) = connection.execute(sa.select(stamps.c.at)).one()
    assert (found, found.tzinfo) == (stockholm, dt.UTC)
    with pytest.raises(sa.exc.StatementError, match="naive"), crm.database.engine.begin() as connection:
        connection.execute(sa.insert(stamps), {"at": dt.datetime(2024, 5, 1)})
    assert [(table.name, one.name) for table in TABLES for one in table.columns if type(one.type) is sa.DateTime] == []


def test_what_points_at_a_customer_goes_with_it_or_stays_without_the_name() -> None:
    rules = {
        (table.name, key.parent.name): (key.ondelete, key.parent.nullable)
        for table in TABLES
        for key in table.foreign_keys
        if key.target_fullname == "customer.id"
    }
    assert set(rules.values()) <= {("CASCADE", False), ("SET NULL", True), ("CASCADE", True)}


def test_a_reader_writes_nothing(crm: CrmHarness) -> None:
    with crm.read() as session, pytest.raises(sa.exc.DBAPIError):
        session.execute(sa.text("UPDATE customer SET notes = 'x'"))


def test_events_are_named_by_their_owner_and_what_happened_and_hold_no_names() -> None:
    told = [one for one in vars(events).values() if isinstance(one, type) and issubclass(one, events.DomainEvent) and "type" in vars(one)]
    assert len(told) > 10
    for one in told:
        owner, happened = one.type.split(".")
        assert (owner.isidentifier(), happened.rpartition("_")[2].endswith(("ed", "undone"))) == (True, True), one.type
        assert not {"name", "first_name", "email", "phone", "notes", "address"} & set(one.__annotations__), one.type
        assert isinstance(one.version, int)


def test_money_is_a_decimal_over_whole_minor_units() -> None:
    class Row:
        total = Money("total_minor")
        currency = "SEK"
        total_minor: int | None = None

    row = Row()
    row.total = Decimal("12.50")
    assert (row.total_minor, row.total) == (1250, Decimal("12.50"))


def test_a_written_value_is_journaled_whoever_wrote_it(crm: CrmHarness) -> None:
    crm.import_text("customer", "external_id,first_name\n1,Eva\n")
    crm.import_text("customer", "external_id,first_name\n1,Evy\n")
    crm.customers.update(1, {"first_name": "Eve"})
    other = crm.customers.create({"first_name": "Bo", "notes": "ringer"})
    crm.customers.merge(1, other)
    with crm.read() as session:
        told = (
            changes(session, "customer", "first_name")
            + changes(session, "customer", "notes")
            + changes(session, "customer", "merged_into_id")
        )
    assert told == [
        ("import:2", '"Eva"', '"Evy"'), ("system", '"Evy"', '"Eve"'), ("merge:1", None, '"ringer"'), ("merge:1", None, "1"),
    ]  # fmt: skip


def changes(session: Session, table: str, column: str) -> list[tuple[str, str | None, str | None]]:
    query = sa.text("SELECT cause, old, new FROM change WHERE table_name = :table AND column_name = :column ORDER BY id")
    return [(row.cause, row.old, row.new) for row in session.execute(query, {"table": table, "column": column})]
