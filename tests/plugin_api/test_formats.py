"""Amounts as people read them."""

from decimal import Decimal

import pytest

from regulars_plugin_api.formats import money
from regulars_plugin_api.i18n import in_locale


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "shown"),
    [
        ("en", "31594.4", "SEK", "31,594.40 SEK"),
        ("sv", "31594.4", "SEK", "31 594,40 SEK"),
        ("en", "1249", "JPY", "1,249 JPY"),
        ("en", "1.5", "KWD", "1.500 KWD"),
        ("en", "12.50", "RSD", "12.50 RSD"),
    ],
)
def test_money_has_all_decimals_of_its_currency(locale: str, amount: str, currency: str, shown: str) -> None:
    with in_locale(locale):
        assert money(Decimal(amount), currency).replace("\N{NO-BREAK SPACE}", " ") == shown
