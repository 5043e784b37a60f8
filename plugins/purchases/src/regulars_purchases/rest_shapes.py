"""What products and receipts look like to programs, coming and going."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from regulars_plugin_api.rest import Amount, CustomerRef, PageQuery, RestSchema
from regulars_purchases.models import LineKind

MOST_LINES, MOST_RECEIPTS = 1000, 100
KINDS = [kind.value for kind in LineKind]


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


class NewProductSchema(RestSchema):
    """An article to be added."""

    sku = _text(required=True, metadata={"description": "Article number."})
    name = _text(allow_none=True)
    brand = _text(allow_none=True)
    department = _text(allow_none=True)
    category = _text(allow_none=True)
    subcategory = _text(allow_none=True)
    price = Amount(allow_none=True)
    cost = Amount(allow_none=True)
    currency = _text(allow_none=True, metadata={"description": "ISO 4217; the chain's, if you leave it out."})
    barcode = _text(allow_none=True)


class ChangedProductSchema(NewProductSchema):
    """What to change of an article; the rest stays, null empties a field."""

    sku = fields.String(dump_only=True)


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


class NewLineSchema(RestSchema):
    """One line of a receipt. Give `amount`, what was paid for the line after `discount`, or `unit_price` and `quantity`."""

    line_no = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(1, 10**6), metadata={"description": "Counted, if you leave it out."}
    )
    kind = fields.String(allow_none=True, validate=validate.OneOf(KINDS), metadata={"description": "`return` turns the signs round."})
    sku = _text(allow_none=True, metadata={"description": "Number of the article; an unknown one is taken in by it."})
    quantity = Amount(allow_none=True, metadata={"description": "Pieces, litres, metres: 1, if you leave it out."})
    unit_price = Amount(allow_none=True)
    amount = Amount(allow_none=True)
    discount = Amount(allow_none=True, metadata={"description": "What was taken off the line."})
    cost = Amount(allow_none=True, metadata={"description": "What one piece cost the chain."})


class NewReceiptSchema(RestSchema):
    """A receipt: unique by store, till, business day of the store and number.

    Whose it is you say by one or more of the fields that begin with `customer`; without any it is a guest's.
    """

    store = _text(required=True, metadata={"description": "Code of the store."})
    till = _text(allow_none=True)
    receipt_no = _text(required=True)
    sold_at = fields.AwareDateTime(required=True)
    cashier = _text(allow_none=True)
    currency = _text(allow_none=True, metadata={"description": "ISO 4217; the store's, if you leave it out."})
    customer = CustomerRef(allow_none=True, metadata={"description": "The id or uid of a customer."})
    customer_external_id = _text(allow_none=True, metadata={"description": "What `source` calls the customer: a number, a card."})
    customer_email = _text(allow_none=True)
    customer_phone = _text(allow_none=True)
    lines = fields.List(fields.Nested(NewLineSchema), required=True, validate=validate.Length(1, MOST_LINES))


def _source() -> Any:
    about = {"description": "Who has given the `customer_external_id`; `import` is where numbers go that are told through the API."}
    return _text(load_default="import", metadata=about)


class SentReceiptSchema(NewReceiptSchema):
    """A receipt, and who has given the customer's number."""

    source = _source()


class SentReceiptsSchema(RestSchema):
    """Receipts to be taken in together, all or none."""

    source = _source()
    receipts = fields.List(fields.Nested(NewReceiptSchema), required=True, validate=validate.Length(1, MOST_RECEIPTS))


class NoteSchema(RestSchema):
    """Something odd that did not keep the receipt from being taken in."""

    code = fields.String(required=True, metadata={"example": "unknown_customer"})
    detail = fields.String(required=True)
    line_no = fields.Integer(required=True, metadata={"description": "Where it was met; 1, if it is about the whole receipt."})


class TakenInSchema(ReceiptSchema):
    """What became of a receipt that was sent."""

    result = fields.String(required=True, validate=validate.OneOf(["created", "updated", "unchanged"]))
    notes = fields.List(fields.Nested(NoteSchema), required=True)


class AllTakenInSchema(RestSchema):
    """What became of receipts that were sent, in the order they were sent."""

    items = fields.List(fields.Nested(TakenInSchema), required=True)


PRODUCT = {
    "sku": "LC-140",
    "name": "Linen curtains 140 cm",
    "category": "Curtains",
    "price": "649.00",
    "currency": "SEK",
    "barcode": "7350012345671",
}
RECEIPT = {
    "store": "M1",
    "till": "2",
    "receipt_no": "10482",
    "sold_at": "2026-11-21T14:30:00+01:00",
    "cashier": "Åsa",
    "currency": "SEK",
    "customer_external_id": "K1001",
    "lines": [
        {"sku": "LC-140", "quantity": "2", "unit_price": "649.00", "discount": "100.00", "amount": "1198.00"},
        {"sku": "CANDLE-3", "kind": "return", "quantity": "1", "amount": "69.00"},
    ],
}
RECEIPTS = {"receipts": [RECEIPT, {**RECEIPT, "receipt_no": "10483", "customer_external_id": None}]}
TAKEN_IN = {
    "id": 812,
    "uid": "019aa7c5-2f60-7c1e-9d53-6f0b7d1c2a44",
    "customer_id": 12,
    "customer_uid": "019aa7c4-8f11-7d02-b1aa-0c5e9b7f3d10",
    "store": "M1",
    "till": "2",
    "business_date": "2026-11-21",
    "receipt_no": "10482",
    "sold_at": "2026-11-21T13:30:00+00:00",
    "currency": "SEK",
    "total": "1129.00",
    "units": "1.000",
    "line_count": 2,
    "cashier": "Åsa",
    "result": "created",
    "notes": [{"code": "unknown_product", "detail": "An unknown article was sold; it was taken in by its number alone.", "line_no": 2}],
}
