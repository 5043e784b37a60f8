"""Customers with receipts are merged and taken apart: figures add up, books stay, nobody's receipts are counted twice."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
import zipfile
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars_core.customers import merging
from regulars_purchases.figures import recompute
from regulars_testkit.crm import CrmHarness

Figures = list[tuple[Any, ...]]


@pytest.fixture
def shop(crm: CrmHarness) -> CrmHarness:
    """A store, and purchases switched on."""
    crm.enable("purchases")
    crm.import_text("store", "code,name,timezone,currency\nLUND,Lund,Europe/Stockholm,SEK\nOSLO,Oslo,Europe/Oslo,NOK\n")
    return crm


def sell(crm: CrmHarness, *sales: str) -> None:
    """``receipt,day,store,currency,customer``: 100 each."""
    rows = []
    for sale in sales:
        number, day, store, currency, who = sale.split(",")
        rows.append(f"{number},1,{day} 10:00,{store},1,{who},SKU,1,100,{currency}")
    columns = "receipt_no,line_no,sold_at,store,till,customer_external_id,sku,quantity,amount,currency"
    assert crm.import_text("sale", "\n".join([columns, *rows]) + "\n")["rejected"] == []


def ids(crm: CrmHarness, *numbers: str) -> list[int]:
    with crm.read() as session:
        query = sa.text("SELECT customer_id FROM external_id WHERE value = :value")
        return [session.execute(query, {"value": number}).scalar_one() for number in numbers]


def figures(crm: CrmHarness) -> Figures:
    with crm.read() as session:
        query = "SELECT customer_id, currency, first_on, last_on, receipts, value_minor, units FROM purchases_figures"
        return sorted(tuple(map(str, row)) for row in session.execute(sa.text(query)))


def recounted(crm: CrmHarness) -> Figures:
    with crm.read() as session:
        query = (
            "SELECT customer_id, currency, min(business_date), max(business_date), count(*), sum(total_minor), sum(units)"
            " FROM purchases_receipt WHERE customer_id IS NOT NULL GROUP BY customer_id, currency"
        )
        return sorted(tuple(map(str, row)) for row in session.execute(sa.text(query)))


def test_figures_add_up_after_merge_and_unmerge(shop: CrmHarness) -> None:
    shop.import_text("customer", "external_id,first_name\nA,A\nB,B\n")
    sell(shop, "1,2024-05-01,LUND,SEK,A", "2,2024-06-01,LUND,SEK,B", "3,2024-04-01,OSLO,NOK,B")
    keep, drop = ids(shop, "A", "B")
    before, dump = figures(shop), shop.dump()
    merge = shop.customers.merge(keep, drop)
    assert figures(shop) == recounted(shop) == [
        (str(keep), "NOK", "2024-04-01", "2024-04-01", "1", "10000", "1000"),
        (str(keep), "SEK", "2024-05-01", "2024-06-01", "2", "20000", "2000"),
    ]  # fmt: skip
    sell(shop, "4,2024-07-01,LUND,SEK,B")
    assert figures(shop) == recounted(shop), "the number of the one leads to the other"
    shop.customers.unmerge(merge)
    assert figures(shop) == recounted(shop)
    with shop.database.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM purchases_receipt WHERE receipt_no = '4'"))
        connection.execute(sa.text("DELETE FROM purchases_figures"))
    assert [line for line in shop.dump() if "figures" not in line] == [line for line in dump if "figures" not in line]
    assert before != []


def test_a_receipt_that_comes_for_the_dropped_one_just_after_is_brought_after(shop: CrmHarness) -> None:
    shop.import_text("customer", "external_id,first_name\nA,A\nB,B\n")
    keep, drop = ids(shop, "A", "B")
    merge = shop.customers.merge(keep, drop)
    sell(shop, "1,2024-05-01,LUND,SEK,")
    with shop.transaction() as session:
        session.execute(sa.text("UPDATE purchases_receipt SET customer_id = :drop"), {"drop": drop})
        recompute(session, [drop])
    for _twice in range(2):
        merging.sweep(shop)
    assert figures(shop) == recounted(shop)
    assert [one[0] for one in figures(shop)] == [str(keep)]
    shop.customers.unmerge(merge)
    assert figures(shop) == recounted(shop)
    assert [one[0] for one in figures(shop)] == [str(drop)]


def test_receipts_in_the_package_have_their_lines(shop: CrmHarness) -> None:
    shop.import_text("customer", "external_id,first_name\nA,A\n")
    sell(shop, "1,2024-05-01,LUND,SEK,A")
    out = io.BytesIO()
    shop.privacy.personal_data(ids(shop, "A")[0], out)
    with zipfile.ZipFile(out) as archive:
        told = {one["title"]: one["rows"] for one in json.loads(archive.read("data.json"))["sections"]}
    (line,) = told["What was bought"]
    assert (line["Receipt"], line["Article"], Decimal(line["Amount"])) == ("1", "SKU", Decimal(100))


def choice(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *values])


PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "first_name": st.sampled_from(["Eva", "Åsa", "小红"]),
            "last_name": choice("Ek", "Öberg"),
            "emails": choice("eva@example.com", "Eva@Example.com;two@example.com"),
            "phones": choice("+46701740631", "+46701740632;+46701740631"),
            "birthday": choice("1984-03-12"),
            "city": choice("Lund", "Malmö"),
            "tags": choice("vip", "vip;hund"),
            "notes": choice("ringer"),
        }
    ),
    min_size=3,
    max_size=3,
)
WHO = st.integers(0, 2)
SAID = st.lists(st.tuples(WHO, st.sampled_from(["email", "sms"]), st.sampled_from(["granted", "withdrawn"]), st.integers(1, 3)), max_size=6)
SALES = st.lists(st.tuples(WHO, st.sampled_from(["SEK", "NOK"]), st.integers(1, 28)), max_size=6)
PAIRS = st.lists(st.permutations([0, 1, 2]).map(lambda order: (order[0], order[1])), min_size=1, max_size=3)
RECEIPT = (
    "INSERT INTO purchases_receipt (uid, customer_id, till, business_date, receipt_no, sold_at, currency, total_minor, units, line_count)"
    " VALUES (:uid, :customer, '', :day, :number, :at, :currency, 1000, 1000, 1)"
)
MANY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(PEOPLE, SAID, SALES, PAIRS)
def test_whoever_is_merged_is_as_before_when_it_is_taken_back(shop: CrmHarness, people: Any, said: Any, sales: Any, pairs: Any) -> None:
    with shop.transaction() as session:
        mine = [shop.customers.create(one, session=session) for one in people]
        for who, channel, state, day in said:
            shop.consents.record(session, mine[who], channel, state, given_at=dt.date(2024, 5, day), source="kassa")
        for who, currency, day in sales:
            about = {
                "uid": str(uuid.uuid4()),
                "number": str(uuid.uuid4()),
                "customer": mine[who],
                "currency": currency,
                "day": f"2024-05-{day:02}",
            }
            session.execute(sa.text(RECEIPT), about | {"at": f"2024-05-{day:02} 10:00:00.000000"})
        recompute(session, mine)
    before = shop.dump()
    done = []
    for one, other in pairs:
        now = [view.id for number in (mine[one], mine[other]) if (view := shop.customers.get(number))]
        if now[0] != now[1]:
            done.append(shop.customers.merge(mine[one], mine[other]))
            assert figures(shop) == recounted(shop)
    for merge in reversed(done):
        shop.customers.unmerge(merge)
        assert figures(shop) == recounted(shop)
    assert shop.dump() == before
