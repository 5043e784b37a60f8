"""Amounts as people read them."""

import re
from decimal import Decimal

import pytest
from babel import numbers
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_plugin_api.formats import money, number
from regulars_plugin_api.i18n import digits, in_locale


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "shown"),
    [
        ("en", "31594.4", "SEK", "31,594.40 SEK"),
        ("sv", "31594.4", "SEK", "31 594,40 SEK"),
        ("en", "1249", "JPY", "1,249 JPY"),
        ("en", "1.5", "KWD", "1.500 KWD"),
        ("en", "12.50", "RSD", "12.50 RSD"),
        ("fa", "-31594.4", "SEK", "\u2067\u200e−۳۱٬۵۹۴٫۴۰\u200f SEK\u2069"),
    ],
)
def test_money_has_all_decimals_of_its_currency(locale: str, amount: str, currency: str, shown: str) -> None:
    with in_locale(locale):
        assert money(Decimal(amount), currency).replace("\N{NO-BREAK SPACE}", " ") == shown


@settings(deadline=None)  # the first amount of a language reads its data from the disk
@given(amount=st.decimals(min_value=-(10**12), max_value=10**12, places=2), locale=st.sampled_from(("en", "sv", "ru", "fa", "zh", "de")))
def test_money_reads_as_babel_writes_it(amount: Decimal, locale: str) -> None:
    # Except for the minus of a pattern of one's own, where Babel keeps a hyphen in every language.
    minus = numbers.get_minus_sign_symbol(locale, numbering_system="default")
    with in_locale(locale):
        pattern = "#,##0.00\N{NO-BREAK SPACE}¤¤"
        written = numbers.format_currency(amount, "EUR", pattern, locale=locale, currency_digits=False, numbering_system="default")
        assert re.sub("[\u2067\u200f\u2069]", "", money(amount, "EUR")) == digits(written.replace("-", minus))


@pytest.mark.parametrize(
    ("locale", "shown", "minus"), [("en", "1,234.5", "-"), ("sv", "1\N{NO-BREAK SPACE}234,5", "\u2212"), ("fa", "۱٬۲۳۴٫۵", "\u200e\u2212")]
)
def test_a_number_has_the_separators_digits_and_minus_of_the_language(locale: str, shown: str, minus: str) -> None:
    with in_locale(locale):
        assert (number(Decimal("1234.5")), number(Decimal("-1234.5"))) == (shown, minus + shown)
