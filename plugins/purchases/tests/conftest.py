"""The plugin switched on in a small chain: one store in Malmö, one in New York, one in Tokyo."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.jobs.worker import run_worker
from regulars_testkit.crm import CrmHarness

STORES = """code,name,timezone,currency,country
M1,Malmö,Europe/Stockholm,SEK,SE
NY,New York,America/New_York,USD,US
TY,Tokyo,Asia/Tokyo,JPY,JP
"""


class Chain:
    """A running system with what tests of purchases do all the time."""

    def __init__(self, crm: CrmHarness) -> None:
        self.crm = crm

    def sales(self, *rows: str, columns: str = "receipt_no,sold_at,store,sku,amount", **options: Any) -> dict[str, Any]:
        """Import lines of receipts and return the report without its number."""
        return self.load("sale", columns, *rows, **options)

    def load(self, kind: str, columns: str, *rows: str, **options: Any) -> dict[str, Any]:
        """Import rows of any kind."""
        return self.crm.import_text(kind, "\n".join((columns, *rows)) + "\n", **options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.crm.read() as session:
            return [tuple(row) for row in session.execute(sa.text(query))]

    def work(self) -> None:
        """Let a worker do all that is waiting."""
        stop = threading.Event()
        worker = threading.Thread(target=run_worker, args=(self.crm, stop))
        worker.start()
        patience = time.monotonic() + 60
        while self.rows("SELECT 1 FROM delivery WHERE state = 'ready'") and time.monotonic() < patience:
            time.sleep(0.05)
        stop.set()
        worker.join()
        assert self.rows("SELECT handler, error FROM delivery WHERE state <> 'done'") == []

    def receipts(self) -> list[tuple[Any, ...]]:
        """Number, customer, total, units in thousandths and lines of each receipt."""
        columns = "r.receipt_no, c.display_name, r.total_minor, r.units, r.line_count"
        return self.rows(f"SELECT {columns} FROM purchases_receipt r LEFT JOIN customer c ON c.id = r.customer_id ORDER BY r.id")

    def lines(self) -> list[tuple[Any, ...]]:
        """Receipt, number, article, kind, thousandths, price, amount, discount of each line."""
        columns = "r.receipt_no, l.line_no, l.sku, l.kind, l.quantity, l.unit_price, l.amount_minor, l.discount_minor"
        return self.rows(
            f"SELECT {columns} FROM purchases_receipt_line l JOIN purchases_receipt r ON r.id = l.receipt_id ORDER BY r.id, l.line_no"
        )

    def figures(self) -> list[tuple[Any, ...]]:
        """Customer, currency, receipts and value of each row of figures."""
        columns = "c.display_name, f.currency, f.receipts, f.value_minor"
        return self.rows(f"SELECT {columns} FROM purchases_figures f JOIN customer c ON c.id = f.customer_id ORDER BY 1, 2")

    def figures_are_exact(self) -> None:
        """Compare every figure and total with what the receipts and lines come to."""
        days = "CAST(first_on AS TEXT), CAST(last_on AS TEXT)"
        kept = f"SELECT customer_id, currency, {days}, receipts, value_minor, units FROM purchases_figures"
        summed = (
            "SELECT customer_id, currency, CAST(min(business_date) AS TEXT), CAST(max(business_date) AS TEXT), count(*), "
            "CAST(sum(total_minor) AS BIGINT), CAST(sum(units) AS BIGINT) "
            "FROM purchases_receipt WHERE customer_id IS NOT NULL GROUP BY 1, 2"
        )
        assert sorted(self.rows(kept)) == sorted(self.rows(summed))
        totals = "SELECT id, total_minor, units, line_count FROM purchases_receipt"
        added = (
            "SELECT r.id, CAST(coalesce(sum(l.amount_minor), 0) AS BIGINT), CAST(coalesce(sum(l.quantity), 0) AS BIGINT), count(l.id) "
            "FROM purchases_receipt r LEFT JOIN purchases_receipt_line l ON l.receipt_id = r.id GROUP BY r.id"
        )
        assert sorted(self.rows(totals)) == sorted(self.rows(added))


@pytest.fixture
def empty_chain(crm: CrmHarness) -> Chain:
    """The plugin switched on, and nothing else."""
    crm.enable("purchases")
    return Chain(crm)


@pytest.fixture
def chain(empty_chain: Chain) -> Chain:
    """Three stores."""
    assert empty_chain.load("store", *STORES.splitlines())["created"] == 3
    return empty_chain


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """The counts of a report that are not nought, its rejections as (record, field, code) and its notes as code -> count."""
    counts = {name: report[name] for name in ("created", "updated", "unchanged", "merged") if report[name]}
    rejected = [(one["record"], one["field"], one["code"]) for one in report["rejected"]]
    notes = {note["code"]: note["count"] for note in report["notes"] if note["code"] != "unknown_product"}
    assert sum(counts.values()) + len(rejected) == report["records"]
    return counts | ({"rejected": rejected} if rejected else {}) | ({"notes": notes} if notes else {})


@pytest.fixture(name="summary")
def _summary() -> Any:
    return summary
