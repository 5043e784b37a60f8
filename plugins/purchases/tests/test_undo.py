"""Undo takes back what an import did to receipts, lines, products and figures."""

from __future__ import annotations

from typing import Any

import pytest

from regulars_core.exchange import engine, undo

COLUMNS = "receipt_no,line_no,sold_at,store,customer_external_id,sku,amount"


@pytest.fixture
def filled(chain: Any) -> Any:
    chain.load("customer", "external_id,display_name", "K1,Ada", "K2,Bo")
    chain.load("product", "sku,name", "A,Lamp")
    chain.sales(
        "1,1,2025-03-01 10:00,M1,K1,A,10.00", "1,2,2025-03-01 10:00,M1,K1,A,5.00", "2,1,2025-03-02 10:00,M1,K2,A,7.00", columns=COLUMNS
    )
    return chain


def test_new_receipts_go(filled: Any) -> None:
    before = filled.crm.dump()
    run = filled.sales("3,1,2025-03-03 10:00,M1,K1,B,1.00", "3,2,2025-03-03 10:00,M1,K1,C,1.00", columns=COLUMNS)["run"]
    result = undo.undo(filled.crm, run)
    assert (result["kept"], filled.crm.dump() == before) == ([], True)
    filled.figures_are_exact()


def test_changes_of_everything_go_back(filled: Any) -> None:
    before = filled.crm.dump()
    rows = (
        "1,1,2025-03-01 11:00,M1,K2,B,11.00",
        "1,2,2025-03-01 11:00,M1,K2,A,6.00",
        "1,3,2025-03-01 11:00,M1,K2,C,1.00",
        "2,1,2025-03-02 10:00,M1,K2,A,9.00",
        "3,1,2025-03-03 10:00,M1,K1,D,1.00",
    )
    run = filled.sales(*rows, columns=COLUMNS)["run"]
    filled.figures_are_exact()
    assert filled.figures() == [("Ada", "SEK", 1, 100), ("Bo", "SEK", 2, 2700)]
    result = undo.undo(filled.crm, run)
    assert (result["kept"], filled.crm.dump()) == ([], before)
    filled.figures_are_exact()


def test_receipts_over_many_batches_go(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SMALLEST_BATCH", 2)
    monkeypatch.setattr(engine, "LARGEST_BATCH", 2)
    monkeypatch.setattr(undo, "STEP", 2)
    monkeypatch.setattr(undo, "STEP_ON_SQLITE", 2)
    before = filled.crm.dump()
    rows = [
        f"{receipt},{line},2025-03-0{receipt} 12:00,NY,K{receipt % 2 + 1},X{line},{line}.00"
        for line in range(1, 6)
        for receipt in range(1, 5)
    ]
    run = filled.sales(*rows, columns=COLUMNS)["run"]
    filled.figures_are_exact()
    assert undo.undo(filled.crm, run)["kept"] == []
    assert filled.crm.dump() == before
    filled.figures_are_exact()


def test_what_was_changed_since_is_kept(filled: Any) -> None:
    run = filled.sales("3,1,2025-03-03 10:00,M1,K1,B,1.00", "4,1,2025-03-03 10:00,M1,K1,B,1.00", columns=COLUMNS)["run"]
    filled.sales("3,1,2025-03-03 10:00,M1,K1,B,2.00", columns=COLUMNS)
    kept = undo.undo(filled.crm, run)["kept"]
    # The receipt whose line was mended since, and the stub it needs.
    assert [one["table"] for one in kept] == ["purchases_receipt", "purchases_product"]
    assert [number for number, *_rest in filled.receipts()] == ["1", "2", "3"]
    filled.figures_are_exact()


def test_products_go_back_and_those_that_were_sold_stay(filled: Any) -> None:
    before = filled.crm.dump()
    run = filled.load("product", "sku,name,price,currency", "A,Table lamp,99.5,SEK", "Z,Chair,10,SEK")["run"]
    assert undo.undo(filled.crm, run)["kept"] == []
    assert filled.crm.dump() == before
    run = filled.load("product", "sku,name", "Y,Bed")["run"]
    filled.sales("5,1,2025-03-03 10:00,M1,K1,Y,1.00", columns=COLUMNS)
    assert [one["table"] for one in undo.undo(filled.crm, run)["kept"]] == ["purchases_product"]
