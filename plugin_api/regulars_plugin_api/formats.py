"""Values in words and digits of the language that is spoken now."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from babel import Locale, numbers

from regulars_plugin_api.i18n import current_locale
from regulars_plugin_api.values import minor_digits


def money(value: Decimal, currency: str) -> str:
    """An amount with all decimals of its currency and the currency's code after it: ``1,249.00 SEK``, ``1 249,00 SEK``, ``1,249 JPY``."""
    decimals = minor_digits(currency)
    group, point, minus = _symbols(current_locale())
    whole, _, fraction = f"{abs(value):,.{decimals}f}".partition(".")
    return f"{minus if value < 0 else ''}{whole.replace(',', group)}{point + fraction if fraction else ''}\N{NO-BREAK SPACE}{currency}"


# Babel reads the whole number pattern anew for each amount, and lists show many.
@lru_cache(maxsize=64)
def _symbols(locale: str) -> tuple[str, str, str]:
    parsed = Locale.parse(locale)
    return numbers.get_group_symbol(parsed), numbers.get_decimal_symbol(parsed), numbers.get_minus_sign_symbol(parsed)
