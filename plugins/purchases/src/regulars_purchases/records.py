"""Products, receipts and figures as everybody but this plugin sees them: frozen, without lazy loads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from regulars_purchases.models import LineKind


@dataclass(frozen=True)
class ProductView:
    """An article. A stub is known by its number alone. ``price`` and ``cost`` are of one piece, in ``currency``."""

    id: int
    sku: str
    name: str | None
    brand: str | None
    department: str | None
    category: str | None
    subcategory: str | None
    price: Decimal | None
    cost: Decimal | None
    currency: str | None
    barcode: str | None
    is_stub: bool


@dataclass(frozen=True)
class ReceiptView:
    """One visit to a till. ``total`` is None where the viewer may not see other stores' amounts; returns are taken off it.

    ``article`` is what stands on the first line: the article's name, else its number.
    """

    id: int
    uid: str
    customer_id: int | None
    store_id: int | None
    store: str | None
    timezone: str | None
    till: str
    business_date: dt.date
    receipt_no: str
    sold_at: dt.datetime
    currency: str
    total: Decimal | None
    units: Decimal
    line_count: int
    cashier: str | None
    article: str | None = None

    @property
    def sold_at_local(self) -> dt.datetime:
        """The time of sale as the store's clock showed it."""
        return self.sold_at.astimezone(ZoneInfo(self.timezone)) if self.timezone else self.sold_at


@dataclass(frozen=True)
class LineView:
    """One line of a receipt, in its currency. ``amount`` is after ``discount``; both and the prices are None where amounts are masked."""

    line_no: int
    kind: LineKind
    sku: str | None
    name: str | None
    product_id: int | None
    quantity: Decimal
    unit_price: Decimal | None
    amount: Decimal | None
    discount: Decimal | None


@dataclass(frozen=True)
class FiguresView:
    """What a customer's receipts in one currency come to, returns taken off."""

    customer_id: int
    currency: str
    first_on: dt.date
    last_on: dt.date
    receipts: int
    value: Decimal
    units: Decimal

    @property
    def average(self) -> Decimal:
        """The value of a receipt on average, in whole minor units."""
        return (self.value / self.receipts).quantize(self.value)


class PaidView(NamedTuple):
    """What a customer paid in one currency, in minor units, returns taken off, and when something was bought last."""

    currency: str
    last_on: dt.date
    minor: int
