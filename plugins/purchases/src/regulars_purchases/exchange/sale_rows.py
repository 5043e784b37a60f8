"""How a row of text becomes a line of a receipt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from regulars_plugin_api import values
from regulars_plugin_api.db import minor_digits
from regulars_plugin_api.exchange import ImportContext, Rejected, StoreRef, parsed
from regulars_plugin_api.values import BadValue, DecimalMark, Instant
from regulars_purchases.customers import CustomerRef
from regulars_purchases.exchange import cells
from regulars_purchases.i18n import _
from regulars_purchases.models import LineKind

HEAD_COLUMNS = (
    "receipt_no", "sold_at", "store", "till", "cashier", "customer_external_id", "customer_email", "customer_phone", "currency",
)  # fmt: skip
AMOUNT_COLUMNS = ("kind", "quantity", "unit_price", "amount", "discount", "cost")
SALE, RETURN = LineKind.SALE.value, LineKind.RETURN.value
_KINDS = dict.fromkeys(("sale", "kop", "forsaljning", "продажа", "فروش", "销售"), SALE) | dict.fromkeys(
    ("return", "refund", "retur", "возврат", "مرجوعی", "退货"), RETURN
)
_PIECE = 1000
# Sums of a whole chain's lines have to fit into 64 bits.
_LARGEST, _MOST_LINES = 10**15, 10**6
_REMEMBERED_HEADS = 4096

ReceiptKey = tuple[int, str, dt.date, str]


class SaleHead(NamedTuple):
    """What all lines of a receipt share. ``key`` is (store, till, business date, receipt number)."""

    key: ReceiptKey
    sold_at: dt.datetime
    currency: str
    cashier: str | None
    customer: CustomerRef | None


class Amounts(NamedTuple):
    """What a line comes to, as the database keeps it; a price or cost of None is "not said"."""

    kind: str
    quantity: int
    unit_price: int | None
    amount_minor: int
    discount_minor: int
    cost: int | None


class SaleLine(NamedTuple):
    """One line of a receipt as a file has it."""

    head: SaleHead
    line_no: int
    sku: str | None
    amounts: Amounts


class SaleReader:
    """Reads the rows of one run. Lines without a number are counted per receipt over the whole file, wherever its lines stand."""

    def __init__(self, context: ImportContext) -> None:
        self._context = context
        self._mark: DecimalMark = context.decimal or "."
        self._head_cells = _cells_of(HEAD_COLUMNS, context)
        self._is_numbered = "line_no" in context.columns
        self._amount_columns = _present(AMOUNT_COLUMNS, context)
        self._amount_cells = _cells_of(AMOUNT_COLUMNS, context)
        # Neighbouring lines share their head; forgetting them all now and then keeps memory flat.
        self._heads: dict[tuple[str, ...], SaleHead] = {}
        self._stores: dict[str, StoreRef] = {}
        # Eight bytes of hash stand for a receipt: its texts would take ten times the room.
        self._last_line: dict[int, int] = {}

    def read(self, row: Mapping[str, str], number: int) -> SaleLine:
        """One row. Raises ``Rejected``."""
        raw_head = self._head_cells(row)
        head = self._heads.get(raw_head)
        if head is None:
            head = self._remember(raw_head, self._head(row, number))
        # Numbered before anything else can be refused, so that mending one line does not renumber those after it.
        line_no = self._line_no(row, head)
        sku = parsed(row, "sku", cells.code)
        amounts, differs = _amounts(self._amount_columns, self._amount_cells(row), head.currency, self._mark)
        if differs:
            message = _("Quantity times price less discount is not the amount; the amount was taken.")
            self._context.notes.add("amount_differs", message, number)
        return SaleLine(head, line_no, sku, amounts)

    def _remember(self, raw: tuple[str, ...], head: SaleHead) -> SaleHead:
        if len(self._heads) >= _REMEMBERED_HEADS:
            self._heads.clear()
        self._heads[raw] = head
        return head

    def _line_no(self, row: Mapping[str, str], head: SaleHead) -> int:
        receipt = hash(head.key)
        last = self._last_line.get(receipt, 0)
        if not self._is_numbered:
            self._last_line[receipt] = last + 1
            return last + 1
        line_no = parsed(row, "line_no", _line_number) or last + 1
        self._last_line[receipt] = max(last, line_no)
        return line_no

    def _head(self, row: Mapping[str, str], number: int) -> SaleHead:
        receipt_no = parsed(row, "receipt_no", cells.code)
        if receipt_no is None:
            raise Rejected("receipt_no", "blank", _("A line needs the number of its receipt."))
        store = self._store(row)
        sold_at, business_date = self._moment(row, store, number)
        return SaleHead(
            key=(store.id, parsed(row, "till", cells.code) or "", business_date, receipt_no),
            sold_at=sold_at,
            currency=parsed(row, "currency", values.currency) or store.currency,
            cashier=parsed(row, "cashier", values.text),
            customer=self._customer(row, store, number),
        )

    def _store(self, row: Mapping[str, str]) -> StoreRef:
        known = self._stores.get(row.get("store", ""))
        if known is not None:
            return known
        code = parsed(row, "store", cells.code)
        if code is None:
            raise Rejected("store", "blank", _("A line needs the code of its store."))
        store = self._context.stores.get(code)
        if store is None:
            raise Rejected("store", "unknown_store", _("There is no store with the code “%(code)s”. Import the stores first.", code=code))
        self._stores[row["store"]] = store
        return store

    def _moment(self, row: Mapping[str, str], store: StoreRef, number: int) -> tuple[dt.datetime, dt.date]:
        """When it was sold, and the store's local day of that."""
        order, zone = self._context.date_order, self._context.timezone
        sold = parsed(row, "sold_at", values.instant, order, zone or store.timezone)
        if sold is None:
            raise Rejected("sold_at", "blank", _("A line needs the time of its sale."))
        if sold.flag == "no_time" and zone is not None:
            # A day without a time is the store's day, whatever clock the file goes by.
            sold = values.instant(row["sold_at"], order, store.timezone)
        self._note_moment(sold, number)
        return sold.at, sold.at.astimezone(store.timezone).date() if zone else sold.day

    def _note_moment(self, sold: Instant, number: int) -> None:
        if sold.flag == "repeated_hour":
            self._context.notes.add(
                "repeated_hour", _("The clock showed this hour twice that day, as summer time ended; the first was taken."), number
            )
        elif sold.flag == "skipped_hour":
            self._context.notes.add(
                "skipped_hour", _("The clock skipped this hour that day, as summer time began; it was read as if it had not."), number
            )
        elif sold.flag == "no_time":
            self._context.notes.add("no_time", _("Only a day was given; midnight was taken."), number)

    def _customer(self, row: Mapping[str, str], store: StoreRef, number: int) -> CustomerRef | None:
        customer_number = parsed(row, "customer_external_id", cells.code)
        email = phone = None
        if row.get("customer_email"):
            email = self._contact(row, "customer_email", number, lambda raw: values.email(raw).match)
        if row.get("customer_phone"):
            country = store.country or self._context.country
            phone = self._contact(row, "customer_phone", number, lambda raw: values.phone(raw, country).e164)
        if not (customer_number or email or phone):
            return None
        return CustomerRef(self._context.source if customer_number else None, customer_number, email, phone)

    def _contact(self, row: Mapping[str, str], field: str, number: int, parse: Any) -> str | None:
        """An address a customer might be known by. A sale is not refused because of one that is misspelt."""
        raw = row[field]
        if raw.isspace():
            return None
        if values.card_number_in(raw):
            return str(parsed(row, field, values.text))
        try:
            return str(parse(raw))
        except BadValue as bad:
            self._context.notes.add(bad.code, bad.message, number)
            return None


def _cells_of(columns: tuple[str, ...], context: ImportContext) -> Callable[[Mapping[str, str]], tuple[str, ...]]:
    """A function from a row to its cells of those ``columns`` that the file has."""
    present = _present(columns, context)
    if len(present) > 1:
        return itemgetter(*present)
    return lambda row: tuple([row[column] for column in present])


def _present(columns: tuple[str, ...], context: ImportContext) -> tuple[str, ...]:
    return tuple(column for column in columns if column in context.columns)


def _line_number(raw: str) -> int:
    return values.whole_number(raw, minimum=1, maximum=_MOST_LINES)


@lru_cache(maxsize=1 << 14)
def _amounts(columns: tuple[str, ...], raw: tuple[str, ...], currency: str, mark: DecimalMark) -> tuple[Amounts, bool]:
    """What the cells come to, and whether quantity, price and discount make another amount than the one given."""
    row = dict(zip(columns, raw, strict=True))
    kind = parsed(row, "kind", values.choice, _KINDS)
    quantity = parsed(row, "quantity", cells.quantity, mark)
    unit_price = parsed(row, "unit_price", cells.unit_price, currency, mark)
    amount = parsed(row, "amount", cells.minor, currency, mark)
    discount = parsed(row, "discount", cells.minor, currency, mark) or 0
    cost = parsed(row, "cost", cells.unit_price, currency, mark)
    if amount is None and unit_price is None:
        raise Rejected("amount", "blank", _("A line needs its amount, or a unit price."))
    if quantity is None:
        quantity = _PIECE
    if kind is None:
        kind = RETURN if quantity < 0 or (amount or 0) < 0 or (unit_price or 0) < 0 else SALE
    if kind == RETURN:
        # Whatever signs the till wrote: goods and money went the other way.
        quantity, amount, discount = -abs(quantity), amount and -abs(amount), -abs(discount)
        unit_price, cost = unit_price and abs(unit_price), cost and abs(cost)
    # In ten-millionths of the currency, which quantity times price comes to exactly.
    one_minor = 10 ** (7 - minor_digits(currency))
    expected = None if unit_price is None else quantity * unit_price - discount * one_minor
    if amount is None:
        amount = _rounded(expected or 0, one_minor)
    if max(abs(amount), abs(discount), abs(quantity)) > _LARGEST:
        raise Rejected("amount", "too_large", _("The amount is too large."))
    differs = expected is not None and abs(expected - amount * one_minor) > one_minor
    return Amounts(kind, quantity, unit_price, amount, discount, cost), differs


def _rounded(value: int, unit: int) -> int:
    """``value`` in whole ``unit``s, halves away from zero as tills do."""
    whole = (2 * abs(value) + unit) // (2 * unit)
    return -whole if value < 0 else whole
