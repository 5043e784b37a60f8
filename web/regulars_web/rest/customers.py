"""``/customers``: people, companies and households."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify, url_for
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_core.customers.filter import blaming
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import (
    PageQuery,
    Place,
    Refused,
    RestBlueprint,
    RestSchema,
    answer_of,
    json_of,
    page_of,
    page_schema,
    refuse_stale,
)
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer
from regulars_web import lookups
from regulars_web.lookups import SORTS
from regulars_web.rest import customer_shapes as shapes
from regulars_web.rest.customer_shapes import CustomerSchema
from regulars_web.running import crm_here

customers = RestBlueprint("customers", __name__, description="People, companies and households who buy.")


class IncludeQuery(RestSchema):
    """What plugins know beside the customer."""

    include = fields.String(
        validate=validate.Length(max=1000), metadata={"description": "Columns of plugins, parted by commas, such as `purchases.last_on`."}
    )


class ListQuery(PageQuery, IncludeQuery):
    """Which customers, in which order."""

    q = fields.String(validate=validate.Length(max=200), metadata={"description": "Any part of a name, e-mail, phone or number."})
    filter = fields.String(
        validate=validate.Length(max=100_000), metadata={"description": "JSON of the filter language.", "example": '{"all": []}'}
    )
    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS), metadata={"description": "`-` turns it round."})
    deleted = fields.Boolean(load_default=False, metadata={"description": "Those in the trash instead."})


class LookupQuery(IncludeQuery):
    """What was scanned or read out."""

    identifier = fields.String(required=True, validate=validate.Length(1, 200))


@customers.route("")
@access("customers.view")
@customers.arguments(ListQuery, location="query")
@customers.response(200, page_schema(CustomerSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """Customers you may see."""
    viewer, by_name = current_viewer(), query["sort"].lstrip("-") == "name"
    place = Place(str, str, int) if by_name else Place(str, int)
    position = place.read(query.get("cursor"))
    if position is not None and position[0] != query["sort"]:
        raise InvalidInput(cursor=_("This is a place in a list of another order."))
    where = json_of(query["filter"], "filter") if "filter" in query else None
    with blaming(crm_here(), where):
        found = lookups.listed(
            crm_here(),
            session,
            viewer,
            query=query.get("q", ""),
            where=where,
            sort=query["sort"],
            after=position[1:] if position else None,
            limit=query["limit"] + 1,
            trash=query["deleted"],
        )
    body, headers = page_of(found, query["limit"], lambda last: place.cursor(query["sort"], *last.place))
    body["items"] = shapes.of_many(session, [one.customer for one in body["items"]], _wanted(query))
    return jsonify(body), headers


@customers.route("", methods=("POST",))
@access("customers.edit")
@customers.arguments(CustomerSchema)
@customers.response(201, CustomerSchema)
def create(given: dict[str, Any], session: Session) -> Response:
    """Add a customer."""
    service = crm_here().customers
    customer = service.get(service.create(shapes.typed(given), session=session), session=session)
    assert customer is not None
    location = url_for("rest-customers.show", customer=customer.uid)
    return answer_of(shapes.of_one(session, customer), 201, {"Location": location})


@customers.route("/lookup")
@access("customers.view")
@customers.arguments(LookupQuery, location="query")
@customers.response(200, CustomerSchema)
def lookup(query: dict[str, Any], session: Session) -> Any:
    """The customer of a card, phone, e-mail, customer number or receipt.

    404 if there is none, 409 with their ids if several share it.
    """
    found = lookups.alike(crm_here(), session, current_viewer(), query["identifier"])
    if not found:
        raise NotFound(_("There is no such customer."))
    if len(found) > 1:
        matches = [{"id": one.id, "uid": one.uid, "display_name": one.display_name} for one in found]
        raise Refused(409, _("Several customers share this."), matches=matches)
    return jsonify(shapes.of_one(session, found[0], _wanted(query)))


@customers.route("/<customer:customer>")
@access("customers.view")
@customers.arguments(IncludeQuery, location="query")
@customers.response(200, CustomerSchema)
def show(query: dict[str, Any], session: Session, customer: str) -> Any:
    """One customer by id or uid; one that was merged is answered by the one it is part of."""
    found, wanted = _seen(session, customer), _wanted(query)
    if wanted:
        # What plugins add has no part in the ETag, which If-Match is compared with.
        return jsonify(shapes.of_one(session, found, wanted))
    return answer_of(shapes.of_one(session, found))


@customers.route("/<customer:customer>", methods=("PATCH",))
@access("customers.edit")
@customers.arguments(CustomerSchema)
@customers.response(200, CustomerSchema)
def change(given: dict[str, Any], session: Session, customer: str) -> Response:
    """Change the fields you send; null empties one. A list is replaced whole."""
    seen = _seen(session, customer)
    refuse_stale(shapes.of_one(session, seen), given)
    crm_here().customers.update(seen.id, shapes.typed(given, seen), session=session)
    return answer_of(shapes.of_one(session, _seen(session, str(seen.id))))


@customers.route("/<customer:customer>", methods=("DELETE",))
@access("customers.edit")
@customers.response(204)
def trash(session: Session, customer: str) -> None:
    """Move a customer to the trash, from where staff can take it back."""
    seen = _seen(session, customer)
    refuse_stale(shapes.of_one(session, seen))
    crm_here().customers.trash(session, seen.id)


@customers.route("/<customer:customer>/restore", methods=("POST",))
@access("customers.edit")
@customers.response(200, CustomerSchema)
def restore(session: Session, customer: str) -> Response:
    """Take a customer back out of the trash."""
    seen = _seen(session, customer)
    crm_here().customers.restore(session, seen.id)
    return answer_of(shapes.of_one(session, _seen(session, str(seen.id))))


def _seen(session: Session, customer: str) -> CustomerView:
    viewer = current_viewer()
    return crm_here().customers.seen_by(session, viewer, lookups.id_of(session, customer))


def _wanted(query: Mapping[str, Any]) -> Sequence[str]:
    return [name.strip() for name in query.get("include", "").split(",") if name.strip()]
