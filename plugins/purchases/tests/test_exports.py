"""What goes out comes in again unchanged."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regulars_plugin_api.views import SYSTEM, Viewer
from regulars_purchases.exchange.exporters import SaleExporter

Summary = Callable[[dict[str, Any]], dict[str, Any]]
SALES = (
    "receipt_no,line_no,sold_at,store,till,cashier,customer_external_id,customer_email,"
    "sku,quantity,unit_price,amount,discount,cost,currency,kind"
)


@pytest.fixture
def filled(chain: Any) -> Any:
    chain.load("customer", "external_id,display_name,email", "K1,Ada,ada@example.com", ",Bo,bo@example.com")
    chain.load("product", "sku,name,price,cost,currency,barcode", "0007,=Lamp,1.234,0.5678,SEK,7312345678907", "B,王 chair,10,,EUR,")
    chain.sales(
        "0001,1,2025-10-26T02:30:00+01:00,M1,2,Åsa,K1,,0007,1.234,29.9,36.90,,12.3456,,sale",
        "0001,3,2025-10-26T02:30:00+01:00,M1,2,Åsa,K1,,B,1,,5.00,1.00,,,return",
        "2,1,2025-03-01 10:00:00.123456,NY,,,,bo@example.com,C,2,1.2345,2.47,,,,sale",
        "3,1,2025-03-01 10:00,TY,,,K9,nobody@example.com,,1,,1500,,,,sale",
        "4,1,2025-03-01 10:00,M1,,,,,B,1,,1.234,,,KWD,sale",
        columns=SALES,
        decimal=".",
        date_order="ymd",
    )
    return chain


@pytest.mark.parametrize("format_", ["csv", "xlsx", "jsonl"])
@pytest.mark.parametrize(("kind", "records"), [("product", 3), ("sale", 5)])
def test_out_and_in_again(filled: Any, summary: Summary, tmp_path: Path, kind: str, records: int, format_: str) -> None:
    before = filled.crm.dump()
    path = filled.crm.export_file(kind, tmp_path / f"out.{format_}", format_)
    report = summary(filled.crm.import_file(kind, path))
    report.pop("notes", None)
    assert report == {"unchanged": records}
    assert filled.crm.dump() == before


def test_a_sale_as_it_stands_in_the_file(filled: Any, tmp_path: Path) -> None:
    path = filled.crm.export_file("sale", tmp_path / "out.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))
    assert first == {
        "receipt_no": "0001",
        "line_no": "1",
        "sold_at": "2025-10-26T02:30:00+01:00",
        "store": "M1",
        "till": "2",
        "cashier": "Åsa",
        "customer_external_id": "K1",
        "customer_email": "",
        "customer_phone": "",
        "sku": "0007",
        "quantity": "1.2340",
        "unit_price": "29.9",
        "amount": "36.9",
        "discount": "0",
        "cost": "12.3456",
        "currency": "SEK",
        "kind": "sale",
    }


def test_a_viewer_exports_the_sales_of_own_stores(filled: Any) -> None:
    ((store_id,),) = filled.rows("SELECT id FROM store WHERE code = 'NY'")
    viewer = Viewer(user_id=1, name="Ny", permissions=frozenset({"purchases.export"}), store_ids=frozenset({store_id}))
    with filled.crm.read() as session:
        everything = [row[0] for row in SaleExporter().rows(session, SYSTEM, None)]
        own = [row[0] for row in SaleExporter().rows(session, viewer, None)]
    assert (everything, own) == (["0001", "0001", "2", "3", "4"], ["2"])
