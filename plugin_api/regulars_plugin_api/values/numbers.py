"""Amounts, prices, quantities: exact decimals out of what people and programs write."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.currencies import minor_digits
from regulars_plugin_api.values.folding import western_digits
from regulars_plugin_api.values.problem import BadValue, required, shown

DecimalMark = Literal[",", "."]

_BIGINT = 2**63 - 1
_CACHE = 1 << 16
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_PLAIN = re.compile(r"(-?)([0-9]{1,19})(?:\.([0-9]{1,9}))?")
# A sign; digits bare, in threes with one kind of separator, or in twos as in India; decimals.
_NUMBER = re.compile(
    r"([+-]?) ?([0-9]+|[1-9][0-9]{0,2}([ ',])[0-9]{3}(?:\3[0-9]{3})*|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}|(?=\.))(?:\.([0-9]+))?"
)
_SAME = str.maketrans(
    {
        "\u00a0": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u3000": " ", "’": "'", "＇": "'", "−": "-", "－": "-", "＋": "+",
        "，": ",", "．": ".", "\u200e": None, "\u200f": None, "\u061c": None,
    }
)  # fmt: skip
_SWAPPED = str.maketrans(",.", ".,")
# The Arabic marks have one meaning, whatever the mark of the file is.
_ARABIC = str.maketrans("٫٬", ".,")
_SYMBOLS = {
    "AUD": "$", "CAD": "$", "CHF": "Fr", "CNY": "¥", "DKK": "kr", "EUR": "€", "GBP": "£", "INR": "₹", "IRR": "﷼", "JPY": "¥", "KRW": "₩",
    "NOK": "kr", "PLN": "zł", "RUB": "₽", "SEK": "kr", "TRY": "₺", "UAH": "₴", "USD": "$", "VND": "₫",
}  # fmt: skip
_LETTERS_AND_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzł$€£¥₽₹﷼₩₺₴₫ "
_NAMED_CURRENCY = re.compile(r"[A-Za-z]{3}|[$€£¥₽₹﷼₩₺₴₫]")


@lru_cache(maxsize=_CACHE)
def money(raw: str, currency: str, decimal_mark: DecimalMark = ".") -> Decimal:
    """An amount in ``currency``, with exactly its decimals: ``money("1 234,5", "SEK", ",") == Decimal("1234.50")``.

    The currency's own code or sign may stand beside the number. Raises ``bad_number``, ``too_precise``, ``too_large``,
    ``wrong_currency`` and ``parentheses``.
    """
    return _decimal(raw, currency, decimal_mark, minor_digits(currency))


@lru_cache(maxsize=_CACHE)
def unit_price(raw: str, currency: str, decimal_mark: DecimalMark = ".") -> Decimal:
    """A price or cost of one piece in ``currency``, with four decimals. Raises what ``money`` raises."""
    return _decimal(raw, currency, decimal_mark, 4)


@lru_cache(maxsize=_CACHE)
def quantity(raw: str, decimal_mark: DecimalMark = ".") -> Decimal:
    """How many or how much, with three decimals. Raises what ``money`` raises."""
    return _decimal(raw, None, decimal_mark, 3)


@lru_cache(maxsize=_CACHE)
def whole_number(raw: str, *, minimum: int = -_BIGINT, maximum: int = _BIGINT) -> int:
    """A number without decimals or grouping between two limits. Raises ``bad_number`` and ``out_of_range``."""
    written = western_digits(required(raw)).translate(_SAME)
    if not _WHOLE.fullmatch(written):
        raise BadValue("bad_number", _("“%(value)s” is not a whole number.", value=shown(raw)))
    number = int(written)
    if not minimum <= number <= maximum:
        raise BadValue("out_of_range", _("The number must lie between %(low)d and %(high)d.", low=minimum, high=maximum))
    return number


def decimal_readings(raw: str) -> dict[DecimalMark, tuple[str, str]]:
    """What a number with or without a currency means by either decimal mark: its whole part and its decimals, as digits.

    ``1,234`` has two different readings, ``12,50`` one, ``1234`` two that are alike, and what is no number none.
    """
    bare = western_digits(raw).translate(_SAME).strip().strip(_LETTERS_AND_SIGNS).lstrip("+-").strip()
    marks: tuple[DecimalMark, ...] = (",", ".")
    found = {mark: parts for mark in marks if (parts := _read(bare, mark))}
    return {mark: (whole.lstrip("0"), decimals.rstrip("0")) for mark, (_sign, whole, decimals) in found.items()}


def _decimal(raw: str, currency: str | None, mark: DecimalMark, digits: int) -> Decimal:
    match = _PLAIN.fullmatch(raw) if mark == "." else None
    sign, whole, decimals = match.groups() if match else _parts(raw, currency, mark)
    if match and decimals and len(decimals) == digits and len(whole) < 15:
        return Decimal(raw)
    decimals = (decimals or "").rstrip("0")
    if len(decimals) > digits:
        raise BadValue("too_precise", _("“%(value)s” has more decimals than the %(count)d that fit.", value=shown(raw), count=digits))
    units = int(whole + decimals.ljust(digits, "0") or "0")
    if units > _BIGINT:
        raise BadValue("too_large", _("“%(value)s” is too large.", value=shown(raw)))
    return Decimal(-units if sign == "-" else units).scaleb(-digits)


def _parts(raw: str, currency: str | None, mark: DecimalMark) -> tuple[str, str, str]:
    written = western_digits(required(raw)).translate(_SAME).strip()
    if written.startswith("(") and written.endswith(")"):
        raise BadValue("parentheses", _("A negative amount is written with a minus sign, not in parentheses."))
    bare = _without_currency(written, currency)
    parts = _read(bare, mark)
    if parts:
        return parts
    named = _NAMED_CURRENCY.search(bare)
    if currency and named and re.search("[0-9]", bare):
        raise BadValue(
            "wrong_currency",
            _("The amount is in %(found)s, but the record's currency is %(currency)s.", found=named[0], currency=currency),
        )
    raise BadValue(
        "bad_number",
        _("“%(value)s” is not a number such as %(example)s.", value=shown(raw), example="1234,50" if mark == "," else "1234.50"),
    )


def _read(bare: str, mark: DecimalMark) -> tuple[str, str, str] | None:
    """Sign, whole part without grouping, decimals."""
    match = _NUMBER.fullmatch((bare.translate(_SWAPPED) if mark == "," else bare).translate(_ARABIC)) if len(bare) <= 100 else None
    if match is None:
        return None
    sign, whole, separator, decimals = match.groups()
    return sign, (whole.replace(separator, "") if separator else whole.replace(",", "")), decimals or ""


def _without_currency(written: str, currency: str | None) -> str:
    """``-$ 12`` and ``-12 USD`` as ``-12``."""
    sign = written[:1] if written[:1] in ("+", "-") else ""
    amount = written[len(sign) :].strip()
    for name in (currency, _SYMBOLS.get(currency or "")):
        if name and amount[: len(name)].casefold() == name.casefold():
            return sign + amount[len(name) :].lstrip()
        if name and amount[-len(name) :].casefold() == name.casefold():
            return sign + amount[: -len(name)].rstrip()
    return written
