"""A generated chain of any size, put straight into the product's tables: forty stores, ten receipts a customer, twenty for the first ones.

The same numbers give the same rows. Values are written as the database keeps them, by COPY or ``executemany``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from bench.bulk import Target
from bench.people import FAMILY, GIVEN, TOWNS

from regulars_plugin_api.values import fold

STORES, PRODUCTS = 40, 2_000
TODAY = dt.date(2026, 11, 20)
DAYS = [(TODAY - dt.timedelta(days=back)).isoformat() for back in range(1_460)]
RECEIPTS, MOST_RECEIPTS, WITH_MOST = 10, 20, 200
CONTACTS = 2
Row = tuple[Any, ...]


def load(target: Target, customers: int) -> None:
    """Fill the migrated, empty database behind ``target``."""
    tables: dict[str, tuple[str, Callable[[int], Iterator[Row]]]] = {
        "store": ("id code name country timezone currency", lambda _n: _stores()),
        "purchases_product": ("id sku name category price currency is_stub", lambda _n: _products(target)),
        "customer": (
            "id uid kind status first_name last_name display_name birthday language store_id"
            " fold_name fold_first fold_last version created_at updated_at",
            lambda n: _customers(n, target),
        ),
        "customer_email": ("id customer_id address match position", _emails),
        "customer_phone": ("id customer_id number e164 position", _phones),
        "customer_address": ("id customer_id city country fold_city position", _addresses),
        "external_id": ("id customer_id source value", _numbers),
        "consent": ("id customer_id channel state given_on source recorded_at", lambda n: _consents(n, target)),
        "purchases_receipt": (
            "id uid customer_id store_id till business_date receipt_no sold_at currency total_minor units line_count",
            lambda n: _receipts(n, target),
        ),
        "purchases_receipt_line": (
            "id receipt_id line_no product_id sku kind quantity unit_price amount_minor discount_minor",
            lambda n: _lines(n),
        ),
        "purchases_figures": ("customer_id currency first_on last_on receipts value_minor units", _figures),
        "contact_tracking_interaction": (
            "id uid customer_id channel direction at business_date store_id subject outcome words version created_at",
            lambda n: _contacts(n, target),
        ),
    }
    with target.without_indexes([*tables, "customer_search"]):
        for name, (columns, rows) in tables.items():
            target.put(name, columns.split(), rows(customers))
        target.put("customer_search", [target.search_key, "words"], _words(customers))
    target.analyze()


def receipts_of(customer: int) -> int:
    """How many receipts a customer has."""
    return MOST_RECEIPTS if customer <= WITH_MOST else RECEIPTS


def name_of(customer: int) -> tuple[str, str]:
    """Given and family name."""
    mixed = customer * 2654435761 % 2**32
    return GIVEN[mixed % len(GIVEN)], f"{FAMILY[mixed // 16 % len(FAMILY)]} {customer % 997}"


def email_of(customer: int) -> str:
    """An address nobody else has."""
    return f"c{customer}@example{customer % 97}.org"


def phone_of(customer: int) -> str:
    """A number nobody else has, its digits as mixed as those of a real one: the factor shares no divisor with their amount."""
    return f"+467{customer * 67_867_967 % 10**8:08d}"


def town_of(customer: int) -> str:
    """Where a customer lives."""
    return TOWNS[customer // 7 % len(TOWNS)]


def _stores() -> Iterator[Row]:
    for number in range(1, STORES + 1):
        yield number, f"S{number:02d}", f"{TOWNS[number % len(TOWNS)]} {number}", "SE", "Europe/Stockholm", "SEK"


def _products(target: Target) -> Iterator[Row]:
    for number in range(1, PRODUCTS + 1):
        yield number, f"P{number:05d}", f"Article {number}", f"Group {number % 30}", number * 500, "SEK", target.boolean(False)


def _customers(amount: int, target: Target) -> Iterator[Row]:
    for one in range(1, amount + 1):
        first, last = name_of(one)
        full, created = f"{first} {last}", target.instant(DAYS[one % 1000], one % 86_400)
        folded = (_folded(full), _folded(first), _folded(last))
        yield (
            *(one, _uid(1, one), "person", "active", first, last, full, f"{1940 + one % 70}-{1 + one % 12:02d}-{1 + one % 28:02d}", "sv"),
            *(one % STORES + 1, *folded, 1, created, created),
        )


def _emails(amount: int) -> Iterator[Row]:
    for one in range(1, amount + 1):
        yield one, one, email_of(one), email_of(one), 0


def _phones(amount: int) -> Iterator[Row]:
    for one in range(1, amount + 1):
        yield one, one, phone_of(one), phone_of(one), 0


def _addresses(amount: int) -> Iterator[Row]:
    for one in range(1, amount + 1):
        yield one, one, town_of(one), "SE", _folded(town_of(one)), 0


def _numbers(amount: int) -> Iterator[Row]:
    for one in range(1, amount + 1):
        yield one, one, "import", f"N{one:08d}"


def _consents(amount: int, target: Target) -> Iterator[Row]:
    for one in range(1, amount + 1):
        yield one, one, "email", "granted" if one % 2 else "withdrawn", DAYS[one % 1000], "till", target.instant(DAYS[one % 1000], 0)


def _receipts(amount: int, target: Target) -> Iterator[Row]:
    for number, customer, k in _visits(amount):
        day = _day(customer, k)
        yield (
            *(number, _uid(2, number), customer, (customer * 7 + k) % STORES + 1, "1", day, f"R{number:09d}"),
            *(target.instant(day, 36_000 + number % 30_000), "SEK", _total(number), 1000, 1),
        )


def _lines(amount: int) -> Iterator[Row]:
    for number, _customer, _k in _visits(amount):
        product = number % PRODUCTS + 1
        yield number, number, 1, product, f"P{product:05d}", "sale", 1000, _total(number) * 100, _total(number), 0


def _figures(amount: int) -> Iterator[Row]:
    number = 0
    for customer in range(1, amount + 1):
        visits = receipts_of(customer)
        value = sum(_total(number + k) for k in range(1, visits + 1))
        number += visits
        days = [_day(customer, k) for k in range(visits)]
        yield customer, "SEK", min(days), max(days), visits, value, visits * 1000


def _contacts(amount: int, target: Target) -> Iterator[Row]:
    number = 0
    for customer in range(1, amount + 1):
        for k in range(MOST_RECEIPTS if customer <= WITH_MOST else CONTACTS):
            number += 1
            day = _day(customer, k + 1)
            at = target.instant(day, 40_000 + number % 20_000)
            yield (
                *(number, _uid(3, number), customer, ("phone", "email", "visit")[k % 3], "out", at, day),
                *((customer * 3 + k) % STORES + 1, "About the order", "answered", "about the order", 1, at),
            )


def _words(amount: int) -> Iterator[Row]:
    for one in range(1, amount + 1):
        first, last = name_of(one)
        yield one, f"{_folded(f'{first} {last}')} {email_of(one)} {phone_of(one)[1:]} n{one:08d}"


def _visits(amount: int) -> Iterator[tuple[int, int, int]]:
    number = 0
    for customer in range(1, amount + 1):
        for k in range(receipts_of(customer)):
            number += 1
            yield number, customer, k


def _day(customer: int, visit: int) -> str:
    return DAYS[(customer * 31 + visit * 97) % len(DAYS)]


def _total(number: int) -> int:
    return 100 + number * 7919 % 90_000


def _uid(kind: int, number: int) -> str:
    return f"0190000{kind}-0000-7000-8000-{number:012x}"


@cache
def _folded(text: str) -> str:
    return fold(text)
