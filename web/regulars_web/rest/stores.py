"""``/stores``: the shops of the chain."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_core.stores import service
from regulars_plugin_api.rest import PageQuery, Place, RestBlueprint, RestSchema, answer_of, page_of, page_schema, refuse_stale
from regulars_plugin_api.views import SYSTEM, StoreView
from regulars_plugin_api.web import access, current_viewer
from regulars_web import store_desk
from regulars_web.running import crm_here

stores = RestBlueprint("stores", __name__, description="The shops of the chain.")
BY_CODE = Place(str)


def _text(**options: Any) -> Any:
    return fields.String(validate=validate.Length(max=200), **options)


class StoreSchema(RestSchema):
    """A store. Its business days are days of its time zone."""

    id = fields.Integer(required=True, dump_only=True)
    code = fields.String(required=True, validate=validate.Length(1, 100))
    name = _text(metadata={"description": "The code, if you leave it out."})
    city = _text(allow_none=True)
    region = _text(allow_none=True)
    country = _text(allow_none=True, metadata={"description": "ISO 3166, such as SE."})
    timezone = _text(metadata={"description": "Such as Europe/Stockholm; the chain's, if you leave it out."})
    currency = _text(metadata={"description": "ISO 4217, such as SEK; the chain's, if you leave it out."})
    opened_on = fields.Date(allow_none=True)


class ChangedStoreSchema(StoreSchema):
    """What to change of a store; the rest stays, null empties a field."""

    code = fields.String(dump_only=True)
    name = _text()
    timezone = _text(metadata={"description": "Such as Europe/Stockholm."})
    currency = _text(metadata={"description": "ISO 4217, such as SEK."})


@stores.route("")
@access("stores.view")
@stores.arguments(PageQuery, location="query")
@stores.response(200, page_schema(StoreSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """Stores you may see, by code."""
    after = BY_CODE.read(query.get("cursor"))
    found = service.listed(session, current_viewer(), after=after[0] if after else "", limit=query["limit"] + 1)
    return page_of(found, query["limit"], lambda last: BY_CODE.cursor(last.code))


@stores.route("", methods=("POST",))
@access("stores.edit")
@stores.arguments(StoreSchema)
@stores.response(201, StoreSchema)
def create(given: dict[str, Any], session: Session) -> Response:
    """Add a store."""
    config = crm_here().config
    texts = {name: str(value) for name, value in given.items() if value is not None}
    service.add(session, texts, timezone=config.timezone.key, currency=config.currency)
    made = _plain(service.find(session, SYSTEM, given["code"].strip()))
    return answer_of(made, 201, {"Location": url_for("rest-stores.show", code=made["code"])})


@stores.route("/<path:code>")
@access("stores.view")
@stores.response(200, StoreSchema)
def show(session: Session, code: str) -> Response:
    """One store by its code."""
    return answer_of(_plain(service.find(session, current_viewer(), code)))


@stores.route("/<path:code>", methods=("PATCH",))
@access("stores.edit")
@stores.arguments(ChangedStoreSchema, example={"name": "Malmö City", "opened_on": "2019-03-04"})
@stores.response(200, StoreSchema)
def change(given: dict[str, Any], session: Session, code: str) -> Response:
    """Change the fields you send; null empties one. Its code stays, and so do the business days of what was sold."""
    viewer = current_viewer()
    store = store_desk.locked(session, viewer, code)
    refuse_stale(_plain(service.find(session, viewer, code)), given)
    store_desk.change(session, store, given)
    return answer_of(_plain(service.find(session, viewer, code)))


def _plain(store: StoreView) -> dict[str, Any]:
    shown: dict[str, Any] = StoreSchema().dump(store)
    return shown
