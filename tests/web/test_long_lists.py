"""Lists of very many: whoever they let through, wherever those stand in the order, each is met once and in its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.customers import paging, search
from regulars_core.customers.models import Customer
from regulars_core.stores.models import Store
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.crm import CrmHarness
from regulars_web import lookups
from regulars_web.listing import lines

PASSED, LAST = paging.WALKED + 500, 1200
BLOCKED, EVERY_NINTH = ({"field": "status", "op": "eq", "value": status} for status in ("blocked", "prospect"))


@pytest.fixture
def crowd(crm: CrmHarness) -> CrmHarness:
    """More customers than are walked past; those who are blocked stand behind all others, every ninth of those is a prospect."""
    now = crm.clock.now()

    def row(number: int) -> dict[str, Any]:
        is_last = number > PASSED
        name = f"{'王' if is_last else 'anna'} {number * 7919 % 100_003:06d}"
        status = "blocked" if is_last else "prospect" if number % 9 == 0 else "active"
        about = {"display_name": name, "fold_name": name, "first_name": name, "fold_first": name, "status": status, "kind": "person"}
        return {"uid": uuid7(), "created_at": now, "updated_at": now, "version": 1, **about}

    with crm.database.transaction() as session:
        session.execute(sa.insert(Customer), [row(number) for number in range(1, PASSED + LAST + 1)])
        search.reindex(session, range(1, PASSED + LAST + 1))
    return crm


def names(crm: CrmHarness, where: Any) -> list[tuple[str, int]]:
    with crm.read() as session:
        status = Customer.status == where["value"]
        return [(name, number) for name, number in session.execute(sa.select(Customer.fold_name, Customer.id).where(status))]


def forwards(crm: CrmHarness, **wanted: Any) -> Iterator[Any]:
    after = None
    for _ in itertools.count():
        with crm.read() as session:
            page = lines(crm, session, SYSTEM, after=after, limit=400, **wanted)
        yield page
        after = page.after
        if after is None:
            return


@pytest.mark.parametrize("where", [BLOCKED, EVERY_NINTH], ids=["all_at_the_end", "one_in_nine"])
def test_everybody_is_met_once_and_in_order(crowd: CrmHarness, where: Any) -> None:
    wanted = names(crowd, where)
    pages = list(forwards(crowd, where=where))
    assert [(row.fold_name, row.id) for page in pages for row in page.rows] == sorted(wanted)
    assert {page.count for page in pages} == {paging.COUNTED_AT_MOST + 1}
    newest = [row.id for page in forwards(crowd, where=where, newest=True) for row in page.rows]
    assert newest == sorted((number for _name, number in wanted), reverse=True)
    with crowd.read() as session:
        back = lines(crowd, session, SYSTEM, before=pages[-1].before, limit=400, where=where)
    assert back.rows == pages[-2].rows


@pytest.mark.parametrize("sort", lookups.SORTS)
@pytest.mark.parametrize("where", [BLOCKED, EVERY_NINTH], ids=["all_at_the_end", "one_in_nine"])
def test_programs_meet_everybody_too(crowd: CrmHarness, where: Any, sort: str) -> None:
    place: tuple[Any, ...] | None = None
    met: list[int] = []
    while True:
        with crowd.read() as session:
            found = lookups.listed(crowd, session, SYSTEM, where=where, sort=sort, after=place, limit=500)
        if not found:
            break
        met += [one.customer.id for one in found]
        place = found[-1].place
    order = sorted(names(crowd, where), key=(lambda one: one) if sort.endswith("name") else (lambda one: one[1]))
    assert met == [number for _name, number in (reversed(order) if sort.startswith("-") else order)]


def test_a_search_that_finds_very_many_shows_the_first_found(crowd: CrmHarness) -> None:
    for query, stem in (("王", "王"), ("anna", "anna")):
        pages = list(forwards(crowd, query=query))
        rows = [row for page in pages for row in page.rows]
        assert [row.fold_name for row in rows] == sorted(row.fold_name for row in rows)
        assert len({row.id for row in rows}) == len(rows) == paging.FOUND_AT_MOST + 1
        assert all(row.display_name.startswith(stem) for row in rows)
        assert {page.count for page in pages} == {paging.FOUND_AT_MOST + 1}
        with crowd.read() as session:
            beyond = lines(crowd, session, SYSTEM, after=("\U0010ffff", 0), query=query)
        assert (beyond.rows, beyond.count) == ([], paging.FOUND_AT_MOST + 1)


def test_a_short_word_beside_one_that_very_many_bear(crowd: CrmHarness) -> None:
    wanted = crowd.customers.create({"first_name": "Anna", "last_name": "王"})
    with crowd.read() as session:
        found = {query: lines(crowd, session, SYSTEM, query=query) for query in ("anna 王", "anna an", "anna zz", "王 0079")}
    assert {query: page.count for query, page in found.items()} == {
        "anna 王": 1,
        "anna an": paging.FOUND_AT_MOST + 1,
        "anna zz": 0,
        "王 0079": sum(row.startswith("王 ") and "0079" in row for row, _number in names(crowd, BLOCKED)),
    }
    assert [row.id for row in found["anna 王"].rows] == [wanted]


def test_a_condition_about_the_customer_itself_stays_one(crm: CrmHarness) -> None:
    with crm.transaction() as session:
        session.add_all(Store(code=code, name=code, timezone="Europe/Stockholm", currency="SEK") for code in "AB")
    for store in ("A", "A", "B"):
        crm.customers.create({"display_name": f"Of {store}", "store": store})
    with crm.read() as session:
        own = sa.select(Store.id).where(Store.id == Customer.store_id)
        found = paging.gathered(session, paging.Asked((paging.LIVING, Customer.id.in_(own))))
        among = session.scalars(sa.select(Customer.id).where(*found.conditions), found.values).all()
    assert (found.amount, among) == (1, [1])


def test_a_long_list_is_not_counted_again_and_a_short_one_is(crowd: CrmHarness) -> None:
    with crowd.read() as session:
        first, again = (lines(crowd, session, SYSTEM, limit=50) for _ in range(2))
        assert (first.count, again) == (paging.COUNTED_AT_MOST + 1, first)
    with crowd.transaction() as session:
        kept = session.scalars(sa.select(Customer.id).order_by(Customer.id).limit(20)).all()
        session.execute(sa.update(Customer).where(Customer.id.not_in(kept)).values(deleted_at=crowd.clock.now()))
    with crowd.read() as session:
        assert lines(crowd, session, SYSTEM, limit=50).count == len(kept)
