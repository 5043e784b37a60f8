"""Adding and changing single products, by the rules of their import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.db import unscaled
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.exchange import Rejected
from regulars_plugin_api.services import crm_of
from regulars_purchases.exchange.products import PRICES, product_row
from regulars_purchases.exchange.sent import cell
from regulars_purchases.i18n import _
from regulars_purchases.models import Product


def add(session: Session, given: Mapping[str, Any]) -> tuple[int, bool]:
    """Add a product, or say what a stub is; its id, and whether it is new. Raises ``InvalidInput``."""
    sku, said = _read(given, crm_of(session).config.currency)
    known = session.scalar(sa.select(Product).where(Product.sku == sku).with_for_update())
    if known is not None and not known.is_stub:
        raise InvalidInput(sku=_("This product is already here."))
    product = known or Product(sku=sku, is_stub=True)
    session.add(product)
    _put(session, product, said)
    return product.id, known is None


def locked(session: Session, product_id: int) -> Product:
    """A product that nobody else changes meanwhile. Raises ``NotFound``."""
    found = session.get(Product, product_id, with_for_update=True)
    if found is None:
        raise NotFound(_("There is no such product."))
    return found


def change(session: Session, product: Product, given: Mapping[str, Any]) -> None:
    """Change what is ``given`` of a product; None empties a field. Raises ``InvalidInput``."""
    _sku, said = _read({"sku": product.sku, **given}, product.currency or crm_of(session).config.currency)
    _put(session, product, dict.fromkeys(given) | said)
    if product.currency is None and any(getattr(product, name) is not None for name in PRICES):
        raise InvalidInput(currency=_("A price needs its currency."))


def _read(given: Mapping[str, Any], currency: str) -> tuple[str, dict[str, Any]]:
    try:
        row = product_row({name: cell(value) for name, value in given.items()}, currency, ".")
    except Rejected as rejected:
        raise InvalidInput(None, **{rejected.field: rejected.message}) from rejected
    return row.sku, {name: unscaled(value, 4) if name in PRICES else value for name, value in row.fields.items()}


def _put(session: Session, product: Product, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(product, name, value)
    session.flush()
    # Prices as they are kept, digit for digit, so that their ETag is that of the next reading.
    session.refresh(product)
