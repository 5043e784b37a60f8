"""Amounts, prices and quantities."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars_plugin_api import values
from regulars_plugin_api.values import DecimalMark

BIGINT = 2**63 - 1


def refused(raw: str, currency: str = "SEK", mark: DecimalMark = ".") -> str:
    with pytest.raises(values.BadValue) as caught:
        values.money(raw, currency, mark)
    return caught.value.code


@pytest.mark.parametrize(
    ("raw", "mark", "amount"),
    [
        ("1234.50", ".", "1234.50"),
        ("1234", ".", "1234.00"),
        (".5", ".", "0.50"),
        ("1234,5", ",", "1234.50"),
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1 234 567,89", ",", "1234567.89"),
        ("1\u00a0234,50", ",", "1234.50"),
        ("1\u202f234,50", ",", "1234.50"),
        ("1\u2009234.50", ".", "1234.50"),
        ("1'234.50", ".", "1234.50"),
        ("1’234.50", ".", "1234.50"),
        ("12,34,567.89", ".", "1234567.89"),
        ("-12.50", ".", "-12.50"),
        ("−12.50", ".", "-12.50"),
        ("+12.50", ".", "12.50"),
        (" 12.50 ", ".", "12.50"),
        ("12.5000", ".", "12.50"),
        ("1.500", ",", "1500.00"),
        ("1,500", ".", "1500.00"),
        ("1.500", ".", "1.50"),
        ("۱۲۳۴٫۵", ".", "1234.50"),
        ("۱٬۲۳۴٫۵", ",", "1234.50"),
        ("１２．５０", ".", "12.50"),
        ("٤٥", ",", "45.00"),
        ("12,50 kr", ",", "12.50"),
        ("SEK 12.50", ".", "12.50"),
        ("-kr 12.50", ".", "-12.50"),
        ("12.50sek", ".", "12.50"),
        ("0", ".", "0.00"),
        ("-0", ".", "0.00"),
        ("00012.50", ".", "12.50"),
    ],
)
def test_amounts_as_people_write_them(raw: str, mark: DecimalMark, amount: str) -> None:
    assert str(values.money(raw, "SEK", mark)) == amount


@pytest.mark.parametrize(
    ("raw", "mark", "code"),
    [
        ("12.505", ".", "too_precise"),
        ("1.0000000000000000000000000000000000001", ".", "too_precise"),
        ("12,50", ".", "bad_number"),
        ("12.50", ",", "bad_number"),
        ("1,23,45", ".", "bad_number"),
        ("1 234'567", ".", "bad_number"),
        ("0,500", ".", "bad_number"),
        ("1234 567", ".", "bad_number"),
        ("1.2.3", ".", "bad_number"),
        ("1,2,3", ",", "bad_number"),
        ("12-", ".", "bad_number"),
        ("--12", ".", "bad_number"),
        ("12.", ".", "bad_number"),
        (".", ".", "bad_number"),
        ("-", ".", "bad_number"),
        ("NaN", ".", "bad_number"),
        ("Infinity", ".", "bad_number"),
        ("1e5", ".", "bad_number"),
        ("1_000", ".", "bad_number"),
        ("0x10", ".", "bad_number"),
        ("12²", ".", "bad_number"),
        ("½", ".", "bad_number"),
        ("=1+1", ".", "bad_number"),
        ("kr", ".", "bad_number"),
        ("(12.50)", ".", "parentheses"),
        ("12 EUR", ".", "wrong_currency"),
        ("$12", ".", "wrong_currency"),
        ("12.50€", ".", "wrong_currency"),
        ("92233720368547758.08", ".", "too_large"),
        ("9" * 59, ".", "too_large"),
    ],
)
def test_what_is_no_exact_amount_is_refused(raw: str, mark: DecimalMark, code: str) -> None:
    assert refused(raw, "SEK", mark) == code


def test_decimals_follow_the_currency() -> None:
    assert str(values.money("1234", "JPY")) == "1234"
    assert str(values.money("1.234", "KWD")) == "1.234"
    assert refused("12.5", "JPY") == "too_precise"
    assert refused("1.2345", "KWD") == "too_precise"


def test_prices_have_four_decimals_and_quantities_three() -> None:
    assert str(values.unit_price("0,0125", "SEK", ",")) == "0.0125"
    assert str(values.quantity("1.5")) == "1.500"
    with pytest.raises(values.BadValue, match="more decimals"):
        values.quantity("0.0001")
    with pytest.raises(values.BadValue, match="not a number"):
        values.quantity("2 pcs")


def test_whole_numbers() -> None:
    assert values.whole_number(" ۱۲ ") == 12
    for raw, code in [("1.0", "bad_number"), ("1,000", "bad_number"), ("0", "out_of_range"), ("9" * 30, "bad_number")]:
        with pytest.raises(values.BadValue) as caught:
            values.whole_number(raw, minimum=1)
        assert caught.value.code == code


def grouped(amount: Decimal, group: str, mark: str) -> str:
    return f"{amount:,f}".replace(",", "\0").replace(".", mark).replace("\0", group)


@given(
    units=st.integers(-BIGINT, BIGINT),
    currency=st.sampled_from(["JPY", "SEK", "KWD", "CLF"]),
    style=st.sampled_from([("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), ("\u202f", ","), ("'", ".")]),
)
def test_an_amount_written_in_any_style_is_read_back(units: int, currency: str, style: tuple[str, DecimalMark]) -> None:
    amount = Decimal(units).scaleb(-values.minor_digits(currency))
    assert values.money(grouped(amount, *style), currency, style[1]) == amount
