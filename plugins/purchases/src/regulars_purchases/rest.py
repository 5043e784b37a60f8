"""``/api/v1/products`` and ``/api/v1/receipts``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, url_for
from sqlalchemy.orm import Session

from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.rest import Place, RestBlueprint, answer_of, customer_id_of, page_of, page_schema, refuse_stale
from regulars_plugin_api.web import access, current_crm, current_viewer
from regulars_purchases import catalogue, lists, receiving, rest_shapes, service, views
from regulars_purchases.i18n import _
from regulars_purchases.rest_shapes import (
    AllTakenInSchema,
    ChangedProductSchema,
    NewProductSchema,
    ProductQuery,
    ProductSchema,
    ReceiptQuery,
    ReceiptSchema,
    ReceiptWithLinesSchema,
    SentReceiptSchema,
    SentReceiptsSchema,
    TakenInSchema,
)

products = RestBlueprint("products", __name__, description="What the chain sells.")
receipts = RestBlueprint("receipts", __name__, description="What customers bought.")
BY_SKU, BY_ID = Place(str), Place(int)


@products.route("")
@access("purchases.view")
@products.arguments(ProductQuery, location="query")
@products.response(200, page_schema(ProductSchema))
def list_products(query: dict[str, Any], session: Session) -> Any:
    """Products by number."""
    after = BY_SKU.read(query.get("cursor"))
    found = lists.products(session, current_viewer(), query, after=after[0] if after else None, limit=query["limit"] + 1)
    return page_of(found, query["limit"], lambda last: BY_SKU.cursor(last["sku"]))


@products.route("", methods=("POST",))
@access("purchases.edit")
@products.arguments(NewProductSchema, example=rest_shapes.PRODUCT)
@products.response(201, ProductSchema)
@products.alt_response(200, schema=ProductSchema, description="The article was known by its number alone; now it is known what it is.")
def add_product(given: dict[str, Any], session: Session) -> Response:
    """Add a product. One that was only met on receipts becomes it."""
    product_id, is_new = catalogue.add(session, given)
    location = url_for("rest-products.show_product", product_id=product_id)
    return answer_of(_product(session, product_id), 201 if is_new else 200, {"Location": location})


@products.route("/<run:product_id>")
@access("purchases.view")
@products.response(200, ProductSchema)
def show_product(session: Session, product_id: int) -> Response:
    """One product."""
    return answer_of(_product(session, product_id))


@products.route("/<run:product_id>", methods=("PATCH",))
@access("purchases.edit")
@products.arguments(ChangedProductSchema, example={"price": "599.00"})
@products.response(200, ProductSchema)
def change_product(given: dict[str, Any], session: Session, product_id: int) -> Response:
    """Change the fields you send; null empties one. Its number stays."""
    product = catalogue.locked(session, product_id)
    refuse_stale(_product(session, product_id), given)
    catalogue.change(session, product, given)
    return answer_of(_product(session, product_id))


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


@receipts.route("", methods=("POST",))
@access("purchases.record")
@receipts.arguments(SentReceiptSchema, example=rest_shapes.RECEIPT)
@receipts.response(201, TakenInSchema, example=rest_shapes.TAKEN_IN)
@receipts.alt_response(200, schema=TakenInSchema, description="The receipt was here before: `updated` or `unchanged`.")
def take_in(given: dict[str, Any], session: Session) -> Any:
    """Take in a receipt of a store you may see, with sales and returns. Sent again it changes nothing; with other lines it changes them.

    It is matched as the import of sales does it: a customer who is not known yet gets the receipt when they are, an unknown article is
    taken in by its number, and what is odd stands in `notes`. Figures of the customer are right with the answer.
    """
    (taken,) = _taken_in(session, [given], given["source"], [""])
    status = 201 if taken["result"] == "created" else 200
    return taken, status, {"Location": url_for("rest-receipts.show_receipt", receipt_id=taken["id"])}


@receipts.route("/batch", methods=("POST",))
@access("purchases.record")
@receipts.arguments(SentReceiptsSchema, example=rest_shapes.RECEIPTS)
@receipts.response(200, AllTakenInSchema)
def take_in_many(given: dict[str, Any], session: Session) -> Any:
    """Take in up to a hundred receipts at once, all or none: what a till has kept while the line was down."""
    sent = given["receipts"]
    return {"items": _taken_in(session, sent, given["source"], [f"receipts[{at}]." for at in range(len(sent))])}


def _product(session: Session, product_id: int) -> dict[str, Any]:
    found = lists.product(session, current_viewer(), product_id)
    if found is None:
        raise NotFound(_("There is no such product."))
    shown: dict[str, Any] = ProductSchema().dump(found)
    return shown


def _taken_in(session: Session, sent: Sequence[Mapping[str, Any]], source: str, places: Sequence[str]) -> list[dict[str, Any]]:
    viewer = current_viewer()
    taken = receiving.take_in(session, viewer, sent, source=source, places=places)
    shown = lists.receipts_by_id(session, viewer, [one.receipt_id for one in taken])
    return [shown[one.receipt_id] | {"result": one.result, "notes": one.notes} for one in taken]
