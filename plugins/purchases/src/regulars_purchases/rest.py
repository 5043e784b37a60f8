"""``/api/v1/products`` and ``/api/v1/receipts``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.rest import Amount, CustomerRef, PageQuery, Place, RestBlueprint, RestSchema, customer_id_of, page_of, page_schema
from regulars_plugin_api.web import access, current_crm, current_viewer
from regulars_purchases import lists, service, views
from regulars_purchases.i18n import _
from regulars_purchases.models import LineKind

products = RestBlueprint("products", __name__, description="What the chain sells.")
receipts = RestBlueprint("receipts", __name__, description="What customers bought.")
BY_SKU, BY_ID = Place(str), Place(int)


def _text(**options: Any) -> Any:
    return fields.String(validate=validate.Length(1, 200), **options)


class ProductQuery(PageQuery):
    """Which products."""

    q = _text(metadata={"description": "Part of a name, brand or number."})
    sku = _text()
    barcode = _text()
    category = _text()


class ProductSchema(RestSchema):
    """An article. A stub was met on a receipt before anybody told what it is. `cost` is for those who may export products."""

    id = fields.Integer(required=True)
    sku = fields.String(required=True)
    name = fields.String(allow_none=True)
    brand = fields.String(allow_none=True)
    department = fields.String(allow_none=True)
    category = fields.String(allow_none=True)
    subcategory = fields.String(allow_none=True)
    price = Amount(allow_none=True)
    cost = Amount(allow_none=True)
    currency = fields.String(allow_none=True)
    barcode = fields.String(allow_none=True)
    is_stub = fields.Boolean(required=True)


class ReceiptQuery(PageQuery):
    """Which receipts."""

    customer = CustomerRef(metadata={"description": "The id or uid of a customer."})
    store = _text(metadata={"description": "Code of a store."})
    receipt_no = _text()
    since = fields.Date(metadata={"description": "First business day."})
    until = fields.Date(metadata={"description": "Last business day."})


class ReceiptSchema(RestSchema):
    """One visit to a till. `total` is null where you may not see what was paid in that store; returns are taken off it."""

    id = fields.Integer(required=True)
    uid = fields.String(required=True)
    customer_id = fields.Integer(allow_none=True)
    customer_uid = fields.String(allow_none=True)
    store = fields.String(allow_none=True)
    till = fields.String(required=True)
    business_date = fields.Date(required=True)
    receipt_no = fields.String(required=True)
    sold_at = fields.DateTime(required=True)
    currency = fields.String(required=True)
    total = Amount(allow_none=True)
    units = Amount(required=True)
    line_count = fields.Integer(required=True)
    cashier = fields.String(allow_none=True)


class LineSchema(RestSchema):
    """One line of a receipt. `amount` is after `discount`; a return has a negative quantity and amount."""

    line_no = fields.Integer(required=True)
    kind = fields.Enum(LineKind, by_value=True, required=True)
    sku = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    product_id = fields.Integer(allow_none=True)
    quantity = Amount(required=True)
    unit_price = Amount(allow_none=True)
    amount = Amount(allow_none=True)
    discount = Amount(allow_none=True)


class ReceiptWithLinesSchema(ReceiptSchema):
    """A receipt with its lines."""

    lines = fields.List(fields.Nested(LineSchema), required=True)


@products.route("")
@access("purchases.view")
@products.arguments(ProductQuery, location="query")
@products.response(200, page_schema(ProductSchema))
def list_products(query: dict[str, Any], session: Session) -> Any:
    """Products by number."""
    after = BY_SKU.read(query.get("cursor"))
    found = lists.products(session, current_viewer(), query, after=after[0] if after else None, limit=query["limit"] + 1)
    return page_of(found, query["limit"], lambda last: BY_SKU.cursor(last["sku"]))


@products.route("/<run:product_id>")
@access("purchases.view")
@products.response(200, ProductSchema)
def show_product(session: Session, product_id: int) -> Any:
    """One product."""
    found = lists.product(session, current_viewer(), product_id)
    if found is None:
        raise NotFound(_("There is no such product."))
    return found


@receipts.route("")
@access("purchases.view")
@receipts.arguments(ReceiptQuery, location="query")
@receipts.response(200, page_schema(ReceiptSchema))
def list_receipts(query: dict[str, Any], session: Session) -> Any:
    """Receipts in stores you may see, the latest told first; with `customer`, those of that customer in all stores."""
    viewer, before, customer_id = current_viewer(), BY_ID.read(query.pop("cursor", None)), None
    limit = query.pop("limit")
    if "customer" in query:
        customer_id = current_crm().customers.seen_by(session, viewer, customer_id_of(session, query.pop("customer"))).id
    found = lists.receipts(session, viewer, customer_id=customer_id, before=before[0] if before else None, limit=limit + 1, **query)
    return page_of(found, limit, lambda last: BY_ID.cursor(last["id"]))


@receipts.route("/<run:receipt_id>")
@access("purchases.view")
@receipts.response(200, ReceiptWithLinesSchema)
def show_receipt(session: Session, receipt_id: int) -> Any:
    """One receipt with its lines."""
    viewer = current_viewer()
    found = service.receipt(session, receipt_id, viewer)
    views.buyer(session, found, viewer)
    return lists.receipt(session, viewer, found.id) | {"lines": service.lines_of(session, found)}
