"""Lines become receipts: grouping, numbering, repeats, changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regulars_core.exchange import engine, runs
from regulars_core.exchange.options import ImportOptions

Summary = Callable[[dict[str, Any]], dict[str, Any]]
NUMBERED = "receipt_no,line_no,sold_at,store,sku,amount"


def test_lines_of_a_receipt_come_together(chain: Any, summary: Summary) -> None:
    report = chain.sales("7,2025-03-01 10:00,M1,A,10.00", "7,2025-03-01 10:00,M1,B,2.50", "8,2025-03-01 10:05,M1,A,10.00")
    assert summary(report) == {"created": 3}
    assert chain.receipts() == [("7", None, 1250, 2000, 2), ("8", None, 1000, 1000, 1)]
    assert chain.lines() == [
        ("7", 1, "A", "sale", 1000, None, 1000, 0),
        ("7", 2, "B", "sale", 1000, None, 250, 0),
        ("8", 1, "A", "sale", 1000, None, 1000, 0),
    ]


def test_the_same_file_again_changes_nothing(chain: Any, summary: Summary) -> None:
    rows = ("7,2025-03-01 10:00,M1,A,10.00", "7,2025-03-01 10:00,M1,A,10.00", "7,2025-03-01 10:00,M1,B,1.00")
    chain.sales(*rows)
    before = chain.crm.dump()
    assert summary(chain.sales(*rows)) == {"unchanged": 3}
    assert chain.crm.dump() == before


def test_numbers_come_again_on_another_till_day_and_store(chain: Any, summary: Summary) -> None:
    report = chain.sales(
        "7,2025-03-01 10:00,M1,1,10.00",
        "7,2025-03-02 10:00,M1,1,11.00",
        "7,2025-03-01 10:00,M1,2,12.00",
        "7,2025-03-01 10:00,NY,1,13.00",
        "7,2025-03-01 18:00,M1,1,14.00",
        columns="receipt_no,sold_at,store,till,amount",
    )
    # The last one is the first till's receipt of that day again: its other time is noted.
    assert summary(report) == {"created": 5, "notes": {"receipt_disagrees": 1}}
    assert [total for _no, _who, total, *_rest in chain.receipts()] == [2400, 1100, 1200, 1300]


@pytest.fixture(params=[2, 10_000])
def batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Batches of two lines, and one batch of all."""
    size: int = request.param
    monkeypatch.setattr(engine, "SMALLEST_BATCH", size)
    monkeypatch.setattr(engine, "LARGEST_BATCH", size)
    return size


@pytest.mark.usefixtures("batches")
def test_lines_are_numbered_over_the_whole_file(chain: Any, summary: Summary) -> None:
    rows = [f"{receipt},2025-03-01 10:00,M1,S{place}{receipt},{place}.00" for place in range(1, 6) for receipt in (1, 2, 3)]
    assert summary(chain.sales(*rows)) == {"created": 15}
    assert chain.receipts() == [(str(receipt), None, 1500, 5000, 5) for receipt in (1, 2, 3)]
    assert [line[:3] for line in chain.lines()] == [
        (str(receipt), place, f"S{place}{receipt}") for receipt in (1, 2, 3) for place in range(1, 6)
    ]
    assert summary(chain.sales(*rows)) == {"unchanged": 15}
    chain.figures_are_exact()


def test_a_refused_line_keeps_its_number(chain: Any, summary: Summary) -> None:
    report = chain.sales("7,2025-03-01 10:00,M1,A,10.00", "7,2025-03-01 10:00,M1,B,ten", "7,2025-03-01 10:00,M1,C,3.00")
    assert summary(report) == {"created": 2, "rejected": [(2, "amount", "bad_number")]}
    mended = chain.sales("7,2025-03-01 10:00,M1,A,10.00", "7,2025-03-01 10:00,M1,B,10", "7,2025-03-01 10:00,M1,C,3.00")
    assert summary(mended) == {"created": 1, "unchanged": 2}
    assert chain.receipts() == [("7", None, 2300, 3000, 3)]


@pytest.mark.usefixtures("batches")
def test_a_line_given_twice_is_merged_and_the_first_wins(chain: Any, summary: Summary) -> None:
    rows = (
        "7,1,2025-03-01 10:00,M1,A,10.00",
        "7,2,2025-03-01 10:00,M1,B,1.00",
        "7,1,2025-03-01 10:00,M1,A,12.00",
        "7,2,2025-03-01 10:00,M1,B,1.00",
    )
    assert summary(chain.sales(*rows, columns=NUMBERED)) == {"created": 2, "merged": 2, "notes": {"line_repeated": 1}}
    assert chain.receipts() == [("7", None, 1100, 2000, 2)]
    assert summary(chain.sales(*rows, columns=NUMBERED)) == {"unchanged": 2, "merged": 2, "notes": {"line_repeated": 1}}
    chain.figures_are_exact()


def test_numbers_of_the_file_may_have_gaps_and_stand_in_any_order(chain: Any, summary: Summary) -> None:
    rows = ("7,30,2025-03-01 10:00,M1,A,10.00", "7,,2025-03-01 10:00,M1,B,1.00", "7,10,2025-03-01 10:00,M1,C,2.00")
    assert summary(chain.sales(*rows, columns=NUMBERED)) == {"created": 3}
    assert [line[:3] for line in chain.lines()] == [("7", 10, "C"), ("7", 30, "A"), ("7", 31, "B")]


def test_a_changed_line_is_updated_with_totals_and_journal(chain: Any, summary: Summary) -> None:
    chain.load("customer", "external_id,display_name", "K1,Ada")
    columns = "receipt_no,sold_at,store,customer_external_id,sku,quantity,amount"
    chain.sales("7,2025-03-01 10:00,M1,K1,A,1,10.00", "7,2025-03-01 10:00,M1,K1,B,1,5.00", columns=columns)
    report = chain.sales("7,2025-03-01 10:00,M1,K1,A,2,20.00", "7,2025-03-01 10:00,M1,K1,B,1,5.00", columns=columns)
    assert summary(report) == {"updated": 1, "unchanged": 1}
    assert chain.receipts() == [("7", "Ada", 2500, 3000, 2)]
    assert chain.figures() == [("Ada", "SEK", 1, 2500)]
    journal = chain.rows(f"SELECT column_name, old, new FROM change WHERE cause = 'import:{report['run']}' ORDER BY column_name")
    assert journal == [("amount_minor", "1000", "2000"), ("quantity", "1000", "2000")]


def test_what_the_file_does_not_say_stays(chain: Any, summary: Summary) -> None:
    chain.sales(
        "7,2025-03-01 10:00,M1,A,2,10,18.00,2.00,4.5", columns="receipt_no,sold_at,store,sku,quantity,unit_price,amount,discount,cost"
    )
    before = chain.crm.dump()
    assert summary(chain.sales("7,2025-03-01 10:00,M1,2,18.00", columns="receipt_no,sold_at,store,quantity,amount")) == {"unchanged": 1}
    assert chain.crm.dump() == before


def test_a_line_is_added_to_a_receipt_that_was_there(chain: Any, summary: Summary) -> None:
    chain.sales("7,1,2025-03-01 10:00,M1,A,10.00", columns=NUMBERED)
    report = chain.sales("7,2,2025-03-01 10:00,M1,B,5.00", columns=NUMBERED)
    assert summary(report) == {"created": 1}
    assert chain.receipts() == [("7", None, 1500, 2000, 2)]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("create", {"created": 1, "rejected": [(1, "line_no", "already_exists")]}),
        ("update", {"updated": 1, "rejected": [(2, "line_no", "not_found")]}),
    ],
)
def test_modes(chain: Any, summary: Summary, mode: str, expected: dict[str, Any]) -> None:
    chain.sales("7,2025-03-01 10:00,M1,A,10.00")
    assert summary(chain.sales("7,2025-03-01 10:00,M1,A,12.00", "8,2025-03-01 10:00,M1,A,1.00", mode=mode)) == expected


def test_lines_that_disagree_about_their_receipt(chain: Any, summary: Summary) -> None:
    chain.load("customer", "external_id,display_name", "K1,Ada", "K2,Bo")
    columns = "receipt_no,sold_at,store,customer_external_id,cashier,amount"
    rows = ("7,2025-03-01 10:00,M1,K1,Åsa,10.00", "7,2025-03-01 10:01,M1,K2,Bo,5.00", "7,2025-03-01 10:00,M1,K1,Åsa,1.00")
    assert summary(chain.sales(*rows, columns=columns)) == {"created": 3, "notes": {"receipt_disagrees": 1}}
    assert chain.receipts() == [("7", "Ada", 1600, 3000, 3)]
    before = chain.crm.dump()
    assert summary(chain.sales(*rows, columns=columns)) == {"unchanged": 3, "notes": {"receipt_disagrees": 1}}
    assert chain.crm.dump() == before


def test_a_changed_head_updates_the_receipt(chain: Any, summary: Summary) -> None:
    chain.load("customer", "external_id,display_name", "K1,Ada", "K2,Bo")
    columns = "receipt_no,sold_at,store,customer_external_id,amount"
    chain.sales("7,2025-03-01 10:00,M1,K1,10.00", "7,2025-03-01 10:00,M1,K1,5.00", columns=columns)
    report = chain.sales("7,2025-03-01 11:00,M1,K2,10.00", "7,2025-03-01 11:00,M1,K2,5.00", columns=columns)
    assert summary(report) == {"updated": 1, "unchanged": 1}
    assert chain.receipts() == [("7", "Bo", 1500, 2000, 2)]
    assert chain.figures() == [("Bo", "SEK", 1, 1500)]


def test_another_currency_on_one_receipt_is_refused(chain: Any, summary: Summary) -> None:
    rows = ("7,2025-03-01 10:00,M1,SEK,10.00", "7,2025-03-01 10:00,M1,EUR,5.00", "7,2025-03-01 10:00,M1,,1.00")
    report = chain.sales(*rows, columns="receipt_no,sold_at,store,currency,amount")
    assert summary(report) == {"created": 2, "rejected": [(2, "currency", "currency_differs")]}
    assert chain.receipts() == [("7", None, 1100, 2000, 2)]


def test_a_run_that_was_interrupted_goes_on_with_the_same_numbers(
    chain: Any, summary: Summary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SMALLEST_BATCH", 4)
    monkeypatch.setattr(engine, "LARGEST_BATCH", 4)
    rows = [f"{receipt},2025-03-01 10:00,M1,S{place}{receipt},{place}.00" for place in range(1, 6) for receipt in (1, 2, 3)]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["receipt_no,sold_at,store,sku,amount", *rows]))
    run = runs.start(chain.crm, "sale", path, ImportOptions())

    def fail_after(done: int, _records: int) -> None:
        if done >= 8:
            raise ConnectionError("the power went")

    with pytest.raises(ConnectionError):
        runs.process(chain.crm, run, fail_after)
    assert len(chain.lines()) == 8
    runs.process(chain.crm, run)
    assert summary(chain.crm.report(run)) == {"created": 15}
    assert [line[:3] for line in chain.lines()] == [
        (str(receipt), place, f"S{place}{receipt}") for receipt in (1, 2, 3) for place in range(1, 6)
    ]
    chain.figures_are_exact()
