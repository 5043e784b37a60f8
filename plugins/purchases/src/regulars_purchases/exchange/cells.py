"""Cells of products and sales as the database keeps them."""

from __future__ import annotations

from functools import lru_cache

from regulars_plugin_api import values
from regulars_plugin_api.db import scaled
from regulars_plugin_api.values import DecimalMark


@lru_cache(maxsize=1 << 16)
def code(raw: str) -> str:
    """A code, such as an article number."""
    return values.code(raw)


def minor(raw: str, currency: str, mark: DecimalMark) -> int:
    """An amount in minor units of ``currency``."""
    return scaled(values.money(raw, currency, mark), values.minor_digits(currency))


def unit_price(raw: str, currency: str, mark: DecimalMark) -> int:
    """A price or cost of one piece in 1/10,000."""
    return scaled(values.unit_price(raw, currency, mark), 4)


def quantity(raw: str, mark: DecimalMark) -> int:
    """A quantity in 1/1000."""
    return scaled(values.quantity(raw, mark), 3)
