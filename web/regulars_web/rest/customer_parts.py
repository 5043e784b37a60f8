"""What hangs on one customer: history, consents, merging, personal data."""

from __future__ import annotations

import tempfile
from typing import Any

from flask import Response, jsonify, send_file
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_core.customers import timeline
from regulars_core.customers.models import ConsentState
from regulars_core.stores import service as stores
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import CustomerRef, PageQuery, Place, RestSchema, answer_of, customer_id_of, page, page_schema, refuse_stale
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer
from regulars_web import lookups
from regulars_web.rest import customer_shapes as shapes
from regulars_web.rest.customer_shapes import ConsentSchema, CustomerSchema
from regulars_web.rest.customers import customers
from regulars_web.running import crm_here

PROVABLE = [ConsentState.GRANTED.value, ConsentState.WITHDRAWN.value]


class TimelineQuery(PageQuery):
    """Which happenings."""

    source = fields.String(validate=validate.Length(max=80), metadata={"description": "Of one source, such as `purchases.receipts`."})
    channel = fields.String(validate=validate.Length(max=80))
    store = fields.String(validate=validate.Length(max=200), metadata={"description": "Code of a store."})
    person = fields.Integer(validate=validate.Range(1, 2**63 - 1), metadata={"description": "Id of a member of staff who took part."})


class HappeningSchema(RestSchema):
    """Something that happened with a customer, in words."""

    at = fields.DateTime(required=True)
    source = fields.String(required=True)
    kind = fields.String(required=True)
    channel = fields.String(allow_none=True)
    store = fields.String(allow_none=True)
    ref = fields.Integer(required=True, metadata={"description": "Its number within the source."})
    summary = fields.String(required=True)
    detail = fields.String(required=True)
    quote = fields.String(required=True)
    url = fields.String(allow_none=True)


class ConsentsSchema(RestSchema):
    """What a customer said, channel by channel."""

    items = fields.List(fields.Nested(ConsentSchema), required=True)


class ConsentSaidSchema(RestSchema):
    """What a customer said about a channel. A yes without day and source is kept as unproven, and nobody is written to on it."""

    channel = fields.String(required=True, validate=validate.Regexp(r"^[a-z][a-z0-9_]{0,15}\Z"), metadata={"example": "email"})
    state = fields.String(required=True, validate=validate.OneOf(PROVABLE))
    given_on = fields.Date(allow_none=True)
    source = fields.String(allow_none=True, validate=validate.Length(max=200))


class MergeSchema(RestSchema):
    """Which customer becomes part of this one."""

    drop = CustomerRef(required=True)


class MergedSchema(RestSchema):
    """A merge that was made; `regulars customers unmerge` takes it back by its number."""

    merge = fields.Integer(required=True)
    customer = fields.Nested(CustomerSchema, required=True)


class ErasureSchema(RestSchema):
    """The receipt of an erasure."""

    erasure = fields.Integer(required=True)


@customers.route("/<customer:customer>/timeline")
@access("customers.view")
@customers.arguments(TimelineQuery, location="query")
@customers.response(200, page_schema(HappeningSchema))
def history(query: dict[str, Any], session: Session, customer: str) -> Any:
    """What happened with the customer, newest first, core's and the plugins'."""
    seen, viewer, place = _seen(session, customer), current_viewer(), Place(str)
    after = place.read(query.get("cursor"))
    narrowing = timeline.Narrowing(query.get("source"), query.get("channel"), _store_id(session, query.get("store")), query.get("person"))
    position = _position(after[0]) if after else None
    found = timeline.page(crm_here(), viewer, seen.id, narrowing, after=position, limit=query["limit"])
    codes = stores.codes(session, (one.store_id for one in found.happenings))
    following = place.cursor(str(found.following)) if found.following else None
    body, headers = page([_plain(one, codes) for one in found.happenings], following)
    return jsonify(body), headers


@customers.route("/<customer:customer>/consents")
@access("customers.view")
@customers.response(200, ConsentsSchema)
def consents(session: Session, customer: str) -> Response:
    """What the customer said, channel by channel. Nothing about a channel means: not permitted."""
    return answer_of({"items": [shapes.consent(one) for one in _seen(session, customer).consents]})


@customers.route("/<customer:customer>/consents", methods=("POST",))
@access("customers.edit")
@customers.arguments(ConsentSaidSchema)
@customers.response(201, ConsentsSchema)
def record_consent(given: dict[str, Any], session: Session, customer: str) -> Response:
    """Write down what the customer said about a channel."""
    seen = _seen(session, customer)
    said = {"given_at": given.get("given_on"), "source": given.get("source")}
    crm_here().consents.record(session, seen.id, given["channel"], given["state"], **said)
    found = crm_here().consents.of([seen.id], session=session)[seen.id]
    return answer_of({"items": [shapes.consent(one) for one in found]}, 201)


@customers.route("/<customer:customer>/merge", methods=("POST",))
@access("customers.merge")
@customers.arguments(MergeSchema)
@customers.response(200, MergedSchema)
def merge(given: dict[str, Any], session: Session, customer: str) -> Any:
    """Make another customer part of this one: all that is known of it moves here, and its number leads here."""
    keep = _seen(session, customer)
    refuse_stale(shapes.of_one(session, keep), given)
    drop_id = customer_id_of(session, given["drop"], "drop")
    drop = crm_here().customers.seen_by(session, current_viewer(), drop_id)
    if drop.id == keep.id:
        raise InvalidInput(drop=_("This is the same customer."))
    number = crm_here().customers.merge(keep.id, drop.id, session=session)
    return jsonify({"merge": number, "customer": shapes.of_one(session, _seen(session, str(keep.id)))})


@customers.route("/<customer:customer>/personal-data")
@access("customers.personal_data")
@customers.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
def personal_data(customer: str) -> Response:
    """All that is kept about the customer, as a ZIP. That it was handed out is noted."""
    with crm_here().read(current_viewer()) as session:
        seen = _seen(session, customer)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the answer
    crm_here().privacy.personal_data(seen.id, file)
    file.seek(0)
    return send_file(file, "application/zip", as_attachment=True, download_name=f"customer-{seen.uid}.zip")


@customers.route("/<customer:customer>/personal-data", methods=("DELETE",))
@access("customers.personal_data")
@customers.response(200, ErasureSchema)
def erase(session: Session, customer: str) -> Any:
    """Erase the person. There is no way back, so `If-Match` has to name the customer as it is now."""
    seen = _seen(session, customer)
    refuse_stale(shapes.of_one(session, seen), required=True)
    return jsonify({"erasure": crm_here().privacy.erase(seen.id, session=session)})


def _seen(session: Session, customer: str) -> CustomerView:
    return crm_here().customers.seen_by(session, current_viewer(), lookups.id_of(session, customer))


def _position(token: str) -> timeline.Position:
    try:
        return timeline.Position.parse(token)
    except InvalidInput as wrong:
        raise InvalidInput(cursor=wrong.fields["after"]) from wrong


def _store_id(session: Session, code: str | None) -> int | None:
    try:
        return None if code is None else stores.find(session, current_viewer(), code).id
    except NotFound as unknown:
        raise InvalidInput(store=unknown.message) from unknown


def _plain(one: timeline.Happening, codes: dict[int, str]) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "source": one.source,
        "kind": one.kind,
        "channel": one.channel,
        "store": codes.get(one.store_id or 0),
        "ref": one.ref,
        "summary": str(one.entry.summary),
        "detail": str(one.entry.detail),
        "quote": one.entry.quote,
        "url": one.entry.url,
    }
