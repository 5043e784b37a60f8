"""The exporters of products and sales: what they write, the importers read back without a change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.db import customers, external_ids, from_minor, stores
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.exchange import Exporter
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer
from regulars_purchases.exchange.columns import PRODUCT_COLUMNS, SALE_COLUMNS
from regulars_purchases.i18n import _
from regulars_purchases.models import Product, Receipt, ReceiptLine

PAGE = 1000
PREFERRED_SOURCE = "import"


class ProductExporter(Exporter):
    """Products by their article number."""

    kind = "product"
    title = _("Products")
    permission = "purchases.export"

    def columns(self, session: Session) -> Sequence[str]:
        """The columns of the importer."""
        return tuple(column.name for column in PRODUCT_COLUMNS)

    def rows(self, session: Session, viewer: Viewer, where: Any | None) -> Iterator[Sequence[Any]]:
        """Every product."""
        _refuse_filter(where)
        query = sa.select(*(getattr(Product, name) for name in self.columns(session))).order_by(Product.sku)
        for row in session.execute(query.execution_options(yield_per=PAGE)):
            yield [_plain(cell) if isinstance(cell, Decimal) else cell for cell in row]


class SaleExporter(Exporter):
    """Lines of receipts, in the order the receipts came in."""

    kind = "sale"
    title = _("Sales")
    permission = "purchases.export"

    def columns(self, session: Session) -> Sequence[str]:
        """The columns of the importer."""
        return tuple(column.name for column in SALE_COLUMNS)

    def rows(self, session: Session, viewer: Viewer, where: Any | None) -> Iterator[Sequence[Any]]:
        """Lines of stores the viewer may see; pages of a thousand receipts, each read in a constant number of statements."""
        _refuse_filter(where)
        seen = in_scope(viewer, Receipt.__table__.c.store_id)
        query = sa.select(Receipt, stores.c.code, stores.c.timezone).join(stores, stores.c.id == Receipt.store_id).where(seen)
        names, last = self.columns(session), 0
        while page := session.execute(query.where(Receipt.id > last).order_by(Receipt.id).limit(PAGE)).all():
            numbers = _numbers(session, {receipt.customer_id for receipt, *_store in page if receipt.customer_id})
            lines = _lines(session, [receipt.id for receipt, *_store in page])
            for receipt, code, timezone in page:
                head = _head(receipt, numbers) | {"store": code, "sold_at": receipt.sold_at.astimezone(ZoneInfo(timezone))}
                for line in lines[receipt.id]:
                    cells = head | _cells(line, receipt.currency)
                    yield [cells[name] for name in names]
            last = page[-1][0].id
            session.expunge_all()


def _refuse_filter(where: Any | None) -> None:
    if where is not None:
        raise InvalidInput(filter=_("Products and sales can't be filtered."))


def _numbers(session: Session, ids: Collection[int]) -> Mapping[int, str]:
    """What customers are called in a file: as our own export of customers calls them."""
    by_preference = (external_ids.c.source != PREFERRED_SOURCE, external_ids.c.source, external_ids.c.value)
    query = sa.select(external_ids.c.customer_id, external_ids.c.value).where(external_ids.c.customer_id.in_(ids)).order_by(*by_preference)
    found = dict(session.execute(sa.select(customers.c.id, customers.c.uid).where(customers.c.id.in_(ids))).all())
    found.update(reversed(session.execute(query).all()))
    return found


def _lines(session: Session, receipt_ids: Sequence[int]) -> Mapping[int, list[ReceiptLine]]:
    query = sa.select(ReceiptLine).where(ReceiptLine.receipt_id.between(receipt_ids[0], receipt_ids[-1]))
    wanted, found = set(receipt_ids), defaultdict(list)
    for line in session.scalars(query.order_by(ReceiptLine.receipt_id, ReceiptLine.line_no)):
        if line.receipt_id in wanted:
            found[line.receipt_id].append(line)
    return found


def _head(receipt: Receipt, numbers: Mapping[int, str]) -> dict[str, Any]:
    is_guest = receipt.customer_id is None
    return {
        "receipt_no": receipt.receipt_no,
        "till": receipt.till or None,
        "cashier": receipt.cashier,
        "customer_external_id": receipt.customer_number if receipt.customer_id is None else numbers[receipt.customer_id],
        "customer_email": receipt.customer_email if is_guest else None,
        "customer_phone": receipt.customer_phone if is_guest else None,
        "currency": receipt.currency,
    }


def _cells(line: ReceiptLine, currency: str) -> dict[str, Any]:
    return {
        "line_no": line.line_no,
        "sku": line.sku,
        "quantity": _plain(line.quantity),
        "unit_price": _plain(line.unit_price),
        "amount": _plain(from_minor(line.amount_minor, currency)),
        "discount": _plain(from_minor(line.discount_minor, currency)),
        "cost": _plain(line.cost),
        "kind": line.kind.value,
    }


def _plain(value: Decimal | None) -> Decimal | None:
    """The number without needless zeros, and never with three decimals: ``1.234`` might be a thousand and more."""
    if value is None:
        return None
    short = value.normalize()
    decimals = -min(0, int(short.as_tuple().exponent))
    return short.quantize(Decimal(1).scaleb(-4 if decimals == 3 else -decimals))
