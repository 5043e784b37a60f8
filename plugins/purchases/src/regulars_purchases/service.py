"""Reading receipts, products and figures."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.db import from_minor, read_rows, stores
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer
from regulars_purchases.i18n import _
from regulars_purchases.models import Figures, Product, Receipt, ReceiptLine
from regulars_purchases.records import FiguresView, LineView, PaidView, ProductView, ReceiptView

Position = tuple[dt.datetime, int]
_OWN = (
    "id",
    "uid",
    "customer_id",
    "store_id",
    "till",
    "business_date",
    "receipt_no",
    "sold_at",
    "currency",
    "units",
    "line_count",
    "cashier",
)
_RECEIPTS, _LINES, _PRODUCTS = Receipt.__table__, ReceiptLine.__table__, Product.__table__
_ARTICLE = (
    sa.select(sa.func.coalesce(_PRODUCTS.c.name, _LINES.c.sku))
    .select_from(_LINES.outerjoin(_PRODUCTS, _PRODUCTS.c.id == _LINES.c.product_id))
    .where(_LINES.c.receipt_id == _RECEIPTS.c.id)
    .order_by(_LINES.c.line_no)
    .limit(1)
    .correlate(_RECEIPTS)
    .scalar_subquery()
)
_RECEIPT = sa.select(
    *(_RECEIPTS.c[name] for name in (*_OWN, "total_minor")),
    stores.c.name.label("store"),
    stores.c.timezone.label("timezone"),
    _ARTICLE.label("article"),
).outerjoin_from(_RECEIPTS, stores, stores.c.id == _RECEIPTS.c.store_id)

# Made once: every list and every customer's page asks these.
_WANTED: sa.BindParameter[Any] = sa.bindparam("wanted", expanding=True)
_RECEIPTS_BY_ID = _RECEIPT.where(_RECEIPTS.c.id.in_(_WANTED))
_RECEIPTS_OF_CUSTOMER = (
    _RECEIPT.where(_RECEIPTS.c.customer_id == sa.bindparam("customer_id"))
    .order_by(_RECEIPTS.c.sold_at.desc(), _RECEIPTS.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_KEPT = Figures.__table__.c
_FIGURES = sa.select(*_KEPT).where(_KEPT.customer_id.in_(_WANTED)).order_by(_KEPT.receipts.desc(), _KEPT.currency)
_PAID = _FIGURES.with_only_columns(_KEPT.customer_id, _KEPT.currency, _KEPT.last_on, _KEPT.value_minor)


def sees_all_amounts(viewer: Viewer) -> bool:
    """Whether the viewer may see what was paid anywhere, and so figures over all stores."""
    return viewer.store_ids is None or viewer.may("purchases.all_stores")


def sees_amounts(viewer: Viewer, store_id: int | None) -> bool:
    """Whether the viewer may see what was paid in a store."""
    return sees_all_amounts(viewer) or store_id in (viewer.store_ids or ())


def receipts_of(
    session: Session, customer_id: int, viewer: Viewer, *, after: Position | None = None, limit: int = 50
) -> Sequence[ReceiptView]:
    """A customer's receipts in all stores, newest first; those older than the position (time of sale, id) ``after``.

    The viewer's access to the customer is the caller's to settle.
    """
    return [view_of(row, viewer) for row in rows_of(session, customer_id, after=after, limit=limit)]


def receipts_by_id(session: Session, ids: Collection[int], viewer: Viewer) -> Mapping[int, ReceiptView]:
    """Receipts by id, whosoever they are."""
    return {row.id: view_of(row, viewer) for row in rows_by_id(session, ids)}


def rows_of(session: Session, customer_id: int, *, after: Position | None = None, limit: int) -> Sequence[Any]:
    """A customer's receipts as ``receipts_of`` has them, each a row that ``view_of`` makes a record of."""
    query = _RECEIPTS_OF_CUSTOMER
    if after is not None:
        query = query.where(sa.tuple_(_RECEIPTS.c.sold_at, _RECEIPTS.c.id) < after)
    return read_rows(session, query, {"customer_id": customer_id, "most": limit})


def rows_by_id(session: Session, ids: Collection[int]) -> Sequence[Any]:
    """The same by id."""
    return read_rows(session, _RECEIPTS_BY_ID, {"wanted": list(ids)})


def receipt(session: Session, receipt_id: int, viewer: Viewer) -> ReceiptView:
    """One receipt. Raises ``NotFound``. Whether the viewer may see its customer is the caller's to settle."""
    found = receipts_by_id(session, [receipt_id], viewer)
    if receipt_id not in found:
        raise NotFound(_("There is no such receipt."))
    return found[receipt_id]


def lines_of(session: Session, of: ReceiptView) -> Sequence[LineView]:
    """The lines of a receipt in order; amounts are masked as the receipt's total is."""
    query = sa.select(ReceiptLine, Product.name).outerjoin(Product, Product.id == ReceiptLine.product_id)
    found = session.execute(query.where(ReceiptLine.receipt_id == of.id).order_by(ReceiptLine.line_no))
    lines = [_line_view(line, name, of.currency) for line, name in found]
    if of.total is None:
        return [replace(line, unit_price=None, amount=None, discount=None) for line in lines]
    return lines


def figures_of(session: Session, customer_ids: Collection[int]) -> Mapping[int, Sequence[FiguresView]]:
    """Each customer's figures, one per currency, the largest number of receipts first. Over all stores: mind who looks."""
    found: dict[int, list[FiguresView]] = defaultdict(list)
    for one in read_rows(session, _FIGURES, {"wanted": list(customer_ids)}):
        value = from_minor(one.value_minor, one.currency)
        found[one.customer_id].append(FiguresView(one.customer_id, one.currency, one.first_on, one.last_on, one.receipts, value, one.units))
    return found


def paid_by(session: Session, customer_ids: Collection[int]) -> Mapping[int, Sequence[PaidView]]:
    """What lists show of the figures of many customers, in the same order."""
    found: dict[int, list[PaidView]] = defaultdict(list)
    for customer_id, currency, last_on, minor in read_rows(session, _PAID, {"wanted": list(customer_ids)}):
        found[customer_id].append(PaidView(currency, last_on, minor))
    return found


def product_by_sku(session: Session, sku: str) -> ProductView | None:
    """The article of this number."""
    found = session.scalar(sa.select(Product).where(Product.sku == sku))
    return None if found is None else ProductView(**{name: getattr(found, name) for name in ProductView.__dataclass_fields__})


def receipts_by_number(session: Session, receipt_no: str, viewer: Viewer, limit: int) -> Sequence[ReceiptView]:
    """Receipts with this number in stores the viewer may see, newest first; numbers come again on other tills and days."""
    query = _RECEIPT.where(Receipt.receipt_no == receipt_no, in_scope(viewer, Receipt.__table__.c.store_id))
    return [view_of(row, viewer) for row in session.execute(query.order_by(Receipt.sold_at.desc(), Receipt.id.desc()).limit(limit))]


def customer_of_number(session: Session, receipt_no: str) -> int | None:
    """The customer of the receipts with this number, if it is only one."""
    query = sa.select(Receipt.customer_id).where(Receipt.receipt_no == receipt_no, Receipt.customer_id.is_not(None)).distinct().limit(2)
    found = session.scalars(query).all()
    return found[0] if len(found) == 1 else None


def view_of(row: Any, viewer: Viewer) -> ReceiptView:
    """The record of a receipt out of its row."""
    about = dict(zip(row._fields, row, strict=True))
    del about["total_minor"]
    return ReceiptView(**about, total=total_of(row, viewer))


def total_of(row: Any, viewer: Viewer) -> Decimal | None:
    """What a receipt came to, if the viewer may see it."""
    return from_minor(row.total_minor, row.currency) if sees_amounts(viewer, row.store_id) else None


def _line_view(line: ReceiptLine, name: str | None, currency: str) -> LineView:
    return LineView(
        line_no=line.line_no,
        kind=line.kind,
        sku=line.sku,
        name=name,
        product_id=line.product_id,
        quantity=line.quantity,
        unit_price=line.unit_price,
        amount=from_minor(line.amount_minor, currency),
        discount=from_minor(line.discount_minor, currency),
    )
