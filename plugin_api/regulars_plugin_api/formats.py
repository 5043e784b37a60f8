"""Values in words and digits of the language that is spoken now."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale, numbers

from regulars_plugin_api.i18n import current_locale
from regulars_plugin_api.values import minor_digits


def money(value: Decimal, currency: str) -> str:
    """An amount with all decimals of its currency and the currency's code after it: ``1,249.00 SEK``, ``1 249,00 SEK``, ``1,249 JPY``."""
    decimals = minor_digits(currency)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + "\N{NO-BREAK SPACE}¤¤"
    # CLDR rounds some currencies in daily use; the books do not.
    return numbers.format_currency(value, currency, pattern, locale=Locale.parse(current_locale()), currency_digits=False)
