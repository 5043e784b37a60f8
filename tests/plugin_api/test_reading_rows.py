"""Rows of plain columns, read past the ORM."""

from __future__ import annotations

import datetime as dt
import gc
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.crm import Crm
from regulars_core.customers.models import Customer, Tag
from regulars_core.users.models import User
from regulars_plugin_api import _prepared as prepared
from regulars_plugin_api.db import Quantity, read_rows
from regulars_plugin_api.ids import uuid7
from regulars_testkit.databases import counted

NAMES = sa.select(Tag.id, Tag.name).where(Tag.name != sa.bindparam("but")).order_by(Tag.name)


def test_what_was_added_to_the_session_is_among_them(crm: Crm) -> None:
    with crm.transaction() as session:
        session.add_all(Tag(name=name) for name in ("a", "b", "c"))
        assert [row.name for row in read_rows(session, NAMES, {"but": "b"})] == ["a", "c"]
    with crm.read() as session:
        assert read_rows(session, NAMES, {"but": "a"}) == session.execute(NAMES, {"but": "a"}).all()


def test_a_page_that_only_reads_writes_nothing_by_asking(crm: Crm) -> None:
    with crm.transaction() as session:
        session.add(Tag(name="a"))
    with crm.read() as session:
        tag = session.scalars(sa.select(Tag)).one()
        tag.name = "changed by mistake"
        assert [row.name for row in read_rows(session, NAMES, {"but": "b"})] == ["a"]


EVERYTHING = (
    sa.select(
        *Customer.__table__.c, sa.literal("it's 5 %: :x").label("text"), sa.type_coerce(Customer.version * 1500, Quantity).label("half")
    )
    .where(
        Customer.id.in_(sa.bindparam("wanted", expanding=True)),
        Customer.created_at <= sa.bindparam("until", type_=Customer.created_at.type),
    )
    .where(Customer.version.in_([1, 2]))
    .order_by(Customer.id)
    .limit(sa.bindparam("most", type_=sa.Integer, literal_execute=True))
)
USERS = sa.union_all(
    sa.select(User.active, User.preferences, User.last_sign_in_at), sa.select(User.active, User.preferences, User.created_at)
)


@pytest.fixture
def people(crm: Crm) -> Crm:
    for number in range(3):
        crm.customers.create({"display_name": f"No {number}", "birthday": "1980-02-29" if number else "", "kind": "company"})
    with crm.transaction() as session:
        keys = {"uid": uuid7(), "fs_uniquifier": "a", "password": "x", "created_at": crm.clock.now()}
        session.add(User(email="a@example.com", name="A", preferences={"theme": ["dark", 1]}, **keys))
    return crm


@pytest.mark.parametrize("wanted", [[], [2], [1, 2], [3, 1, 2, 99]])
@pytest.mark.parametrize("most", [1, 5])
def test_a_statement_that_is_asked_again_has_the_same_rows(people: Crm, wanted: list[int], most: int) -> None:
    with people.read() as session:
        last = session.scalars(sa.select(sa.func.max(Customer.created_at))).one()
    for until in (last, last - dt.timedelta(days=1)):
        values: dict[str, Any] = {"wanted": wanted, "most": most, "until": until}
        with people.read() as session:
            asked = session.execute(EVERYTHING, values).all()
            for _again in range(3):
                found = read_rows(session, EVERYTHING, values)
                assert found == asked
                assert len(found) == (min(most, len({1, 2, 3} & {*wanted})) if until == last else 0)
                assert [row._mapping for row in found] == [row._mapping for row in asked]
                assert [list(map(type, row)) for row in found] == [list(map(type, row)) for row in asked]


def test_a_long_list_of_numbers_is_one_value_of_postgresql(people: Crm) -> None:
    among, but = (sa.bindparam(name, type_=Customer.id.type, expanding=True) for name in ("wanted", "but"))
    named = sa.select(Customer.id).where(Customer.display_name.in_(sa.bindparam("names", expanding=True)))
    statement = named.where(sa.or_(Customer.id.in_(among), Customer.id.in_(among)), Customer.id.not_in(but)).order_by(Customer.id)
    values: dict[str, Any] = {"names": [f"No {number}" for number in range(3)], "but": []}
    with people.read() as session, counted() as statements:
        long = [2**40, *range(2, prepared.FEW + 30)]
        for wanted, others in (
            (long, []),
            ([1, 2], [1]),
            ([*long, 1], [2]),
            ([1], long),
            (long[:20], long[5:]),
            (long, long),
            ([*long, None], []),
        ):
            found = [row.id for row in read_rows(session, statement, {**values, "wanted": wanted, "but": others})]
            assert found == sorted({1, 2, 3} & {*wanted} - {*others})
    # The first is asked in the ordinary way. A short list has a text of its own, as on SQLite each list has.
    arrays = [text.count("any(") + text.count("all(") for text in statements]
    assert arrays == ([0, 0, 2, 1, 3, 3, 2] if people.database.url.get_backend_name() == "postgresql" else [0] * 7)


def test_instants_are_compared_as_they_are_kept(people: Crm) -> None:
    earlier = (
        sa.select(Customer.id).where(Customer.created_at < sa.bindparam("until", type_=Customer.created_at.type)).order_by(Customer.id)
    )
    with people.read() as session:
        first, last = session.execute(sa.select(sa.func.min(Customer.created_at), sa.func.max(Customer.created_at))).one()
        for until, ids in ((first, []), (last, [1, 2]), (last.astimezone(dt.timezone(dt.timedelta(hours=9))), [1, 2])):
            assert [row.id for row in read_rows(session, earlier, {"until": until})] == ids


def test_values_of_each_kind_come_back_as_they_were_put(people: Crm) -> None:
    with people.read() as session:
        for _again in range(3):
            active, preferences, at = sorted(read_rows(session, USERS), key=lambda row: row.last_sign_in_at is None)[-1]
            assert (active, preferences, at) == (True, {"theme": ["dark", 1]}, None)


def test_what_is_wrong_is_told_as_ever_and_leaves_the_session_as_it_was(people: Crm) -> None:
    wrong: Any = sa.select(sa.literal_column("no_such_column").label("a"), sa.bindparam("value", type_=sa.Integer).label("b"))
    right = sa.select(sa.bindparam("value", type_=sa.Integer).label("b"))
    with people.read() as session:
        for _again in range(3):
            with pytest.raises(sa.exc.DBAPIError, match="no_such_column"):
                read_rows(session, wrong, {"value": 1})
            assert [row.b for row in read_rows(session, right, {"value": 1})] == [1]
        with pytest.raises(sa.exc.StatementError, match="value"):
            read_rows(session, right)


def test_a_value_may_be_left_out_where_the_statement_has_one(people: Crm) -> None:
    statement = sa.select(Customer.id).where(Customer.id > sa.bindparam("beyond", 1)).order_by(Customer.id)
    with people.read() as session:
        for given, ids in (({}, [2, 3]), ({"beyond": 2}, [3]), ({}, [2, 3]), ({"beyond": 0}, [1, 2, 3])):
            assert [row.id for row in read_rows(session, statement, given)] == ids


def test_pairs_may_be_asked_for(people: Crm) -> None:
    statement = sa.select(Customer.id).where(sa.tuple_(Customer.id, Customer.version).in_(sa.bindparam("wanted", expanding=True)))
    with people.read() as session:
        for wanted in ([(1, 1)], [(1, 1), (2, 1)], [(1, 1), (2, 2)], []):
            right = [(number,) for number, version in wanted if version == 1]
            assert sorted(read_rows(session, statement, {"wanted": wanted})) == right


def test_whoever_listens_to_statements_hears_each(people: Crm) -> None:
    with people.read() as session:
        for _again in range(3):
            read_rows(session, NAMES, {"but": "b"})
        with counted() as statements:
            for _again in range(3):
                read_rows(session, NAMES, {"but": "b"})
    assert len(statements) == 3


def test_nothing_is_kept_of_a_statement_that_nobody_has_any_more(people: Crm) -> None:
    before = len(prepared._statements)
    with people.read() as session:
        for _once in range(50):
            for _again in range(2):
                statement = sa.select(Customer.id)
                read_rows(session, statement)
        del statement
        gc.collect()
    # SQLAlchemy keeps the first of those that are alike, with what it compiled of it.
    assert len(prepared._statements) <= before + 1


def test_only_so_many_texts_are_kept_of_one(people: Crm) -> None:
    statement = sa.select(Customer.id).where(Customer.id.in_(sa.bindparam("wanted", expanding=True))).order_by(Customer.id)
    with people.read() as session:
        for length in range(2 * prepared.MOST_TEXTS):
            assert read_rows(session, statement, {"wanted": list(range(length))}) == [(number,) for number in (1, 2, 3) if number < length]
    assert len(prepared._statements[statement].texts) <= prepared.MOST_TEXTS
