"""Products and receipts page by page, as programs ask for them; a fixed number of statements whatever the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.db import customers, stores
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer
from regulars_purchases.models import Product, Receipt
from regulars_purchases.service import sees_amounts

PRODUCT = ("id", "sku", "name", "brand", "department", "category", "subcategory", "price", "currency", "barcode", "is_stub")
RECEIPT = ("id", "uid", "till", "business_date", "receipt_no", "sold_at", "currency", "units", "line_count", "cashier")


def products(session: Session, viewer: Viewer, asked: Mapping[str, Any], *, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Products by number, those after the number ``after``. ``asked`` narrows by ``sku``, ``barcode``, ``category`` and ``q``."""
    query = sa.select(Product).where(*(getattr(Product, name) == asked[name] for name in ("sku", "barcode", "category") if name in asked))
    if "q" in asked:
        query = query.where(
            sa.or_(*(column.icontains(asked["q"], autoescape=True) for column in (Product.name, Product.brand, Product.sku)))
        )
    if after is not None:
        query = query.where(Product.sku > after)
    return [_product(one, viewer) for one in session.scalars(query.order_by(Product.sku).limit(limit))]


def product(session: Session, viewer: Viewer, product_id: int) -> dict[str, Any] | None:
    """One product."""
    found = session.get(Product, product_id)
    return None if found is None else _product(found, viewer)


def receipts(
    session: Session,
    viewer: Viewer,
    *,
    customer_id: int | None = None,
    store: str | None = None,
    receipt_no: str | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Receipts of stores the viewer may see, the latest told first; those of a customer in all stores, amounts masked.

    ``since`` and ``until`` are business days, both included. The viewer's access to the customer is the caller's to settle.
    """
    conditions = [
        Receipt.customer_id == customer_id if customer_id is not None else in_scope(viewer, Receipt.__table__.c.store_id),
        stores.c.code == store if store is not None else None,
        Receipt.receipt_no == receipt_no if receipt_no is not None else None,
        Receipt.business_date >= since if since is not None else None,
        Receipt.business_date <= until if until is not None else None,
        Receipt.id < before if before is not None else None,
    ]
    query = _RECEIPTS.where(*(one for one in conditions if one is not None)).order_by(Receipt.id.desc()).limit(limit)
    return _read(session, query, viewer)


def receipt(session: Session, viewer: Viewer, receipt_id: int) -> dict[str, Any]:
    """One receipt that is there."""
    return receipts_by_id(session, viewer, [receipt_id])[receipt_id]


def receipts_by_id(session: Session, viewer: Viewer, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Receipts by id. Whether the viewer may see them is the caller's to settle."""
    return {one["id"]: one for one in _read(session, _RECEIPTS.where(Receipt.id.in_(ids)), viewer)}


_RECEIPTS = (
    sa.select(Receipt, stores.c.code, customers.c.uid)
    .outerjoin(stores, stores.c.id == Receipt.store_id)
    .outerjoin(customers, customers.c.id == Receipt.customer_id)
)


def _read(session: Session, query: sa.Select[Any], viewer: Viewer) -> list[dict[str, Any]]:
    rows: Sequence[Any] = session.execute(query).all()
    return [_receipt(row, code, uid, viewer) for row, code, uid in rows]


def _receipt(row: Receipt, code: str | None, uid: str | None, viewer: Viewer) -> dict[str, Any]:
    is_known = viewer.may("customers.view")
    return {
        **{name: getattr(row, name) for name in RECEIPT},
        "store": code,
        "customer_id": row.customer_id if is_known else None,
        "customer_uid": uid if is_known else None,
        "total": row.total if sees_amounts(viewer, row.store_id) else None,
    }


def _product(one: Product, viewer: Viewer) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(one, name) for name in PRODUCT}
    return shown | {"cost": one.cost if viewer.may("purchases.export") else None}
