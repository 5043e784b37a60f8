"""Values in words and digits of the language that is spoken now."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from babel import Locale, numbers

from regulars_plugin_api.db import from_minor
from regulars_plugin_api.i18n import current_locale, digits
from regulars_plugin_api.values import minor_digits


def money(value: Decimal, currency: str) -> str:
    """An amount with all decimals of its currency and the currency's code after it: ``1,249.00 SEK``, ``1 249,00 SEK``, ``1,249 JPY``.

    Where people read from right to left the code stands left of the amount, whatever stands around the two.
    """
    return _money(value, currency, current_locale())


def money_of(minor: int, currency: str) -> str:
    """The same of an amount in minor units, as columns keep it: for lists, which say very many."""
    return _money_of(minor, currency, current_locale())


def number(value: float | Decimal) -> str:
    """A number with the separators, digits and minus of the language: ``1,234.5``, ``1 234,5``, ``۱٬۲۳۴٫۵``."""
    _group, _point, minus, _is_rtl = _symbols(current_locale())
    size = -value if value < 0 else value
    written = numbers.format_decimal(size, locale=_parsed(current_locale()), numbering_system="default")
    return digits(f"{'' if size is value else minus}{written}")


@lru_cache(maxsize=64)
def _parsed(locale: str) -> Locale:
    return Locale.parse(locale)


@lru_cache(maxsize=4096)
def _money_of(minor: int, currency: str, locale: str) -> str:
    return _money(from_minor(minor, currency), currency, locale)


# Lists and histories say the same amounts again and again.
@lru_cache(maxsize=1024)
def _money(value: Decimal, currency: str, locale: str) -> str:
    group, point, minus, is_rtl = _symbols(locale)
    whole, _, fraction = f"{abs(value):,.{minor_digits(currency)}f}".partition(".")
    amount = digits(f"{minus if value < 0 else ''}{whole.replace(',', group)}{point + fraction if fraction else ''}")
    # The mark before a minus would draw the code into its own run, to the right of the amount; one after the digits ends that run.
    return f"\u2067{amount}\u200f\N{NO-BREAK SPACE}{currency}\u2069" if is_rtl else f"{amount}\N{NO-BREAK SPACE}{currency}"


# Babel reads the whole number pattern anew for each amount, and lists show many.
@lru_cache(maxsize=64)
def _symbols(locale: str) -> tuple[str, str, str, bool]:
    parsed = Locale.parse(locale)
    symbol_of = (numbers.get_group_symbol, numbers.get_decimal_symbol, numbers.get_minus_sign_symbol)
    group, point, minus = (symbol(parsed, numbering_system="default") for symbol in symbol_of)
    return group, point, minus, parsed.text_direction == "rtl"
