"""Amounts, quantities, returns, times and codes of a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Summary = Callable[[dict[str, Any]], dict[str, Any]]
AMOUNTS = "receipt_no,sold_at,store,sku,kind,quantity,unit_price,amount,discount,cost"


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (",,,10.00,,", ("sale", 1000, None, 1000, 0)),
        (",3,10,,,", ("sale", 3000, 100000, 3000, 0)),
        (",3,10,,2.50,", ("sale", 3000, 100000, 2750, 250)),
        (",0.335,29.90,,,", ("sale", 335, 299000, 1002, 0)),
        (",1,0.005,,,", ("sale", 1000, 50, 1, 0)),
        (",2,9.99,19.98,,", ("sale", 2000, 99900, 1998, 0)),
        (",0,,0.00,,", ("sale", 0, None, 0, 0)),
        ("return,1,10,10.00,1.00,", ("return", -1000, 100000, -1000, -100)),
        ("return,-1,10,-9.00,-1.00,", ("return", -1000, 100000, -900, -100)),
        (",-2,10,,,", ("return", -2000, 100000, -2000, 0)),
        (",,,-10.00,,", ("return", -1000, None, -1000, 0)),
        ("retur,1,,5.00,,", ("return", -1000, None, -500, 0)),
        ("sale,1,,-5.00,,", ("sale", 1000, None, -500, 0)),
    ],
)
def test_what_a_line_comes_to(chain: Any, cells: str, line: tuple[Any, ...]) -> None:
    report = chain.sales(f"7,2025-03-01 10:00,M1,A,{cells}", columns=AMOUNTS, decimal=".")
    assert report["created"] == 1, report
    assert [found[3:] for found in chain.lines()] == [line]
    chain.figures_are_exact()
    again = chain.sales(f"7,2025-03-01 10:00,M1,A,{cells}", columns=AMOUNTS, decimal=".")
    assert again["unchanged"] == 1


def test_returns_are_taken_off_totals_and_figures(chain: Any) -> None:
    chain.load("customer", "external_id,display_name", "K1,Ada")
    chain.sales(
        "7,2025-03-01 10:00,M1,K1,sale,2,20.00",
        "7,2025-03-01 10:00,M1,K1,return,1,5.00",
        "8,2025-03-05 10:00,M1,K1,return,1,8.00",
        columns="receipt_no,sold_at,store,customer_external_id,kind,quantity,amount",
    )
    assert chain.receipts() == [("7", "Ada", 1500, 1000, 2), ("8", "Ada", -800, -1000, 1)]
    assert chain.figures() == [("Ada", "SEK", 2, 700)]


def test_an_amount_that_differs_wins_and_is_noted(chain: Any, summary: Summary) -> None:
    rows = (
        "7,2025-03-01 10:00,M1,A,,3,10.00,28.00,,",
        "7,2025-03-01 10:00,M1,A,,3,3.33,10.00,,",
        "7,2025-03-01 10:00,M1,A,,3,10.00,28.00,2.00,",
    )
    report = chain.sales(*rows, columns=AMOUNTS)
    assert summary(report) == {"created": 3, "notes": {"amount_differs": 1}}
    assert chain.receipts() == [("7", None, 6600, 9000, 3)]


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ("7,2025-03-01 10:00,M1,A,,1,,,,", "amount", "blank"),
        ("7,2025-03-01 10:00,M1,A,,1,,1.005,,", "amount", "too_precise"),
        ("7,2025-03-01 10:00,TY,A,,1,,1.5,,", "amount", "too_precise"),
        ("7,2025-03-01 10:00,M1,A,,1.2345,,1.00,,", "quantity", "too_precise"),
        ("7,2025-03-01 10:00,M1,A,,1,1.23456,,,", "unit_price", "too_precise"),
        ("7,2025-03-01 10:00,M1,A,gift,1,,1.00,,", "kind", "unknown_choice"),
        ("7,2025-03-01 10:00,M1,A,,1,,99999999999999999.00,,", "amount", "too_large"),
        ("7,2025-03-01 10:00,XX,A,,1,,1.00,,", "store", "unknown_store"),
        ("7,2025-03-01 10:00,,A,,1,,1.00,,", "store", "blank"),
        (",2025-03-01 10:00,M1,A,,1,,1.00,,", "receipt_no", "blank"),
        ("7,,M1,A,,1,,1.00,,", "sold_at", "blank"),
        ("7,2025-02-30 10:00,M1,A,,1,,1.00,,", "sold_at", "bad_date"),
        ("7,2025-03-01 10:00,M1,4111 1111 1111 1111,,1,,1.00,,", "sku", "card_number"),
        ("4111111111111111,2025-03-01 10:00,M1,A,,1,,1.00,,", "receipt_no", "card_number"),
    ],
)
def test_what_is_refused(chain: Any, summary: Summary, row: str, field: str, code: str) -> None:
    report = chain.sales(row, columns=AMOUNTS, decimal=".", date_order="ymd")
    assert summary(report) == {"rejected": [(1, field, code)]}
    assert chain.receipts() == []
    assert "4111" not in str(report["rejected"])


@pytest.mark.parametrize("column", ["till", "cashier", "customer_external_id", "customer_email", "customer_phone"])
def test_a_card_number_is_refused_wherever_it_stands(chain: Any, summary: Summary, column: str) -> None:
    report = chain.sales("7,2025-03-01 10:00,M1,1.00,5555-5555-5555-4444", columns=f"receipt_no,sold_at,store,amount,{column}")
    assert summary(report) == {"rejected": [(1, column, "card_number")]}


@pytest.mark.parametrize(
    ("sold_at", "store", "timezone", "instant", "day", "notes"),
    [
        ("2025-03-01 23:30", "M1", None, "2025-03-01T22:30", "2025-03-01", {}),
        ("2025-03-01 23:30", "NY", None, "2025-03-02T04:30", "2025-03-01", {}),
        ("2025-03-02T04:30:00Z", "NY", None, "2025-03-02T04:30", "2025-03-01", {}),
        ("2025-03-02T05:30:00+01:00", "NY", None, "2025-03-02T04:30", "2025-03-01", {}),
        ("2025-03-02 04:30", "NY", "UTC", "2025-03-02T04:30", "2025-03-01", {}),
        ("2025-10-26 02:30", "M1", None, "2025-10-26T00:30", "2025-10-26", {"repeated_hour": 1}),
        ("2025-10-26T02:30:00+01:00", "M1", None, "2025-10-26T01:30", "2025-10-26", {}),
        ("2025-03-30 02:30", "M1", None, "2025-03-30T01:30", "2025-03-30", {"skipped_hour": 1}),
        ("2025-03-01", "NY", None, "2025-03-01T05:00", "2025-03-01", {"no_time": 1}),
        ("2025-03-01", "NY", "UTC", "2025-03-01T05:00", "2025-03-01", {"no_time": 1}),
    ],
)
def test_time_of_sale_and_business_day(
    chain: Any, summary: Summary, sold_at: str, store: str, timezone: str | None, instant: str, day: str, notes: dict[str, int]
) -> None:
    report = chain.sales(f"7,{sold_at},{store},1.00", columns="receipt_no,sold_at,store,amount", timezone=timezone)
    assert summary(report) == {"created": 1} | ({"notes": notes} if notes else {})
    from regulars_plugin_api.views import SYSTEM
    from regulars_purchases import api

    with chain.crm.read() as session:
        (receipt,) = api.receipts_by_number(session, "7", SYSTEM, 5)
    assert (receipt.sold_at.isoformat()[:16], receipt.business_date.isoformat()) == (instant, day)


def test_currency_is_the_stores_unless_the_line_says_otherwise(chain: Any) -> None:
    columns = "receipt_no,sold_at,store,currency,amount"
    chain.sales("1,2025-03-01 10:00,M1,,10.00", "2,2025-03-01 10:00,M1,EUR,10.00", "3,2025-03-01 10:00,TY,,10", columns=columns)
    assert chain.rows("SELECT receipt_no, currency, total_minor FROM purchases_receipt ORDER BY id") == [
        ("1", "SEK", 1000),
        ("2", "EUR", 1000),
        ("3", "JPY", 10),
    ]


def test_headings_in_five_languages(chain: Any, summary: Summary) -> None:
    for heading in (
        "kvittonummer;tidpunkt;butik;artikelnummer;antal;belopp",
        "номер чека;время продажи;магазин;артикул;количество;сумма",
        "شماره رسید;زمان فروش;فروشگاه;کد کالا;تعداد;مبلغ",
        "小票号;销售时间;门店;货号;数量;金额",
        "Receipt number;Timestamp;Store code;Article;Qty;Line total",
    ):
        number = heading[:3]
        report = chain.sales(f"{number};2025-03-01 10:00;M1;A;2;10,50", columns=heading)
        assert (heading, summary(report)) == (heading, {"created": 1})
    assert chain.rows("SELECT sum(total_minor) FROM purchases_receipt") == [(5250,)]


def test_an_unknown_article_becomes_a_stub_that_products_fill(chain: Any, summary: Summary) -> None:
    report = chain.sales("7,2025-03-01 10:00,M1,A,10.00", "7,2025-03-01 10:00,M1,A,10.00", "7,2025-03-01 10:00,M1,B,1.00")
    assert [(note["code"], note["count"], note["records"]) for note in report["notes"]] == [("unknown_product", 2, [1, 3])]
    assert summary(chain.load("product", "sku,name", "A,Lamp", "C,Chair")) == {"created": 1, "updated": 1}
    assert chain.rows("SELECT sku, name, is_stub FROM purchases_product ORDER BY sku") == [
        ("A", "Lamp", False),
        ("B", None, True),
        ("C", "Chair", False),
    ]
    assert chain.rows("SELECT count(*) FROM purchases_receipt_line l JOIN purchases_product p ON p.id = l.product_id") == [(3,)]
