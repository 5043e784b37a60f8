"""Two years of receipts for the sample chain, the same each time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import insert_rows, reserve_ids
from regulars_plugin_api.db import customers, stores
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.services import Crm
from regulars_purchases import figures
from regulars_purchases.demo_products import Article, articles
from regulars_purchases.exchange.sale_rows import RETURN, SALE
from regulars_purchases.models import lines, products, receipts

SEED = 20_261_122
LAST_DAY = dt.date(2026, 11, 20)
DAYS = 730
LAPSED = 180
CUSTOMERS_AT_ONCE = 1000
GUESTS = 0.12
# How many öre, cents or pence one SEK is worth on the price tags.
WORTH = {"SEK": 100, "EUR": 9, "GBP": 8}
CASHIERS = ("Åsa", "Milan", "Fatima", "Jonas", "Wei", "Olena", "Petra", "Ali")
RECEIPT = ("customer_id", "store_id", "till", "business_date", "receipt_no", "sold_at", "currency", "cashier")
LINE = ("product_id", "sku", "kind", "quantity", "unit_price", "amount_minor", "discount_minor", "cost")


class Shop(NamedTuple):
    """A store as the sample needs it."""

    id: int
    code: str
    zone: ZoneInfo
    currency: str


class Sold(NamedTuple):
    """A receipt in the order of ``RECEIPT``, and its lines in the order of ``LINE``."""

    receipt: tuple[Any, ...]
    lines: Sequence[tuple[Any, ...]]


def fill(crm: Crm, size: str) -> None:
    """Products, and receipts of every customer there is but prospects; the size of the sample is that of its customers."""
    sample = articles()
    with crm.transaction() as session:
        ids = _insert_products(session, sample)
        shops = [
            Shop(one.id, one.code, ZoneInfo(one.timezone), one.currency) for one in session.execute(sa.select(stores).order_by(stores.c.id))
        ]
        has_bought = customers.c.status != "prospect"
        about = (customers.c.id, customers.c.store_id, customers.c.created_at)
        buyers = session.execute(sa.select(*about).where(has_bought).order_by(customers.c.id)).all()
    if not shops:
        return
    sales = Sales(random.Random(SEED), sample, ids, shops)  # noqa: S311 - the same each time, and no secret
    for start in range(0, len(buyers), CUSTOMERS_AT_ONCE):
        chunk = buyers[start : start + CUSTOMERS_AT_ONCE]
        sold = [receipt for customer_id, store_id, joined in chunk for receipt in sales.of(customer_id, store_id, joined.date())]
        with crm.transaction() as session:
            _insert_sales(session, sold)
            figures.recompute(session, [customer_id for customer_id, _store, _joined in chunk])


class Sales:
    """Makes up what customers bought: more before Christmas, each article most in its months, some of it brought back.

    One in four has not been seen for half a year and more.
    """

    def __init__(self, chance: random.Random, sample: Sequence[Article], ids: Sequence[int], shops: Sequence[Shop]) -> None:
        self.chance, self.shops = chance, shops
        self.by_id = {shop.id: shop for shop in shops}
        self.articles = list(zip(ids, sample, strict=True))
        self.weights = {month: [5 if month in one.months else 2 for one in sample] for month in range(1, 13)}
        self.numbers = {one: place * 10_000 for place, one in enumerate(self.by_id, start=1)}

    def of(self, customer_id: int, home: int | None, joined: dt.date) -> Iterator[Sold]:
        """The receipts of one customer since the day of joining, and those of guests who came meanwhile."""
        first = min(DAYS, (LAST_DAY - joined).days)
        last = self.chance.randrange(LAPSED, DAYS) if self.chance.random() < 0.25 else 0
        visits = min(60, int(self.chance.expovariate(1 / 8) * max(0, first - last) / DAYS * 1.6))
        for _visit in range(visits):
            shop = self.by_id[home] if home in self.by_id and self.chance.random() < 0.8 else self.chance.choice(self.shops)
            day = self._day(first, last)
            is_guest = self.chance.random() < GUESTS
            sold = self._receipt(None if is_guest else customer_id, shop, day)
            yield sold
            if self.chance.random() < 0.04 and day + dt.timedelta(days=21) < LAST_DAY:
                yield self._brought_back(sold, shop, day + dt.timedelta(days=self.chance.randint(2, 20)))

    def _day(self, first: int, last: int) -> dt.date:
        while True:
            day = LAST_DAY - dt.timedelta(days=self.chance.randrange(last, first))
            if self.chance.random() < {11: 0.9, 12: 1.0, 1: 0.8, 7: 0.45}.get(day.month, 0.6):
                return day

    def _receipt(self, customer_id: int | None, shop: Shop, day: dt.date) -> Sold:
        bought = self.chance.choices(self.articles, weights=self.weights[day.month], k=self.chance.choice((1, 1, 2, 2, 3, 4, 6)))
        return Sold(self._head(customer_id, shop, day), [self._line(product_id, article, shop) for product_id, article in bought])

    def _head(self, customer_id: int | None, shop: Shop, day: dt.date) -> tuple[Any, ...]:
        self.numbers[shop.id] += 1
        clock = dt.time(self.chance.randint(9, 19), self.chance.randrange(60), self.chance.randrange(60))
        sold_at = dt.datetime.combine(day, clock, tzinfo=shop.zone).astimezone(dt.UTC)
        till = "" if shop.code == "WEB" else str(self.chance.randint(1, 3))
        cashier = None if shop.code == "WEB" else self.chance.choice(CASHIERS)
        return (customer_id, shop.id, till, day, f"{self.numbers[shop.id]}", sold_at, shop.currency, cashier)

    def _line(self, product_id: int, article: Article, shop: Shop) -> tuple[Any, ...]:
        pieces = self.chance.choice((1, 1, 1, 2, 4)) if article.price < 500 else 1
        price = article.price * WORTH.get(shop.currency, 100)
        discount = pieces * price // 5 if self.chance.random() < 0.12 else 0
        amount = pieces * price - discount
        return (product_id, article.sku, SALE, pieces * 1000, price * 100, amount, discount, price * 45)

    def _brought_back(self, sold: Sold, shop: Shop, day: dt.date) -> Sold:
        product_id, sku, _kind, quantity, price, amount, discount, cost = sold.lines[0]
        back = (product_id, sku, RETURN, -quantity, price, -amount, -discount, cost)
        return Sold(self._head(sold.receipt[0], shop, day), [back])


def _insert_products(session: Session, sample: Sequence[Article]) -> Sequence[int]:
    ids = reserve_ids(session, products, len(sample))
    columns = ("id", "sku", "name", "brand", "department", "category", "price", "cost", "currency", "is_stub")
    rows = [
        (one, *article[:5], article.price * 10_000, article.price * 4500, "SEK", False) for one, article in zip(ids, sample, strict=True)
    ]
    insert_rows(session, products, columns, rows)
    return ids


def _insert_sales(session: Session, sold: Sequence[Sold]) -> None:
    ids = reserve_ids(session, receipts, len(sold))
    heads = [
        (one, uuid7(), *receipt, sum(line[5] for line in its_lines), sum(line[3] for line in its_lines), len(its_lines))
        for one, (receipt, its_lines) in zip(ids, sold, strict=True)
    ]
    insert_rows(session, receipts, ("id", "uid", *RECEIPT, "total_minor", "units", "line_count"), heads)
    rows = [
        (one, number, *line) for one, (_receipt, its_lines) in zip(ids, sold, strict=True) for number, line in enumerate(its_lines, start=1)
    ]
    insert_rows(session, lines, ("receipt_id", "line_no", *LINE), rows)
