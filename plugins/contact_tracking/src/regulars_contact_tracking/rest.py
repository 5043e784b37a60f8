"""``/api/v1/interactions``: contacts with customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Response, jsonify, url_for
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_contact_tracking import forms, service
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, Direction
from regulars_contact_tracking.records import Draft, InteractionView
from regulars_contact_tracking.service import Query
from regulars_plugin_api.db import stores
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.rest import (
    CustomerRef,
    PageQuery,
    Place,
    RestBlueprint,
    RestSchema,
    answer_of,
    customer_id_of,
    page_of,
    page_schema,
    refuse_stale,
)
from regulars_plugin_api.web import access, current_crm, current_viewer

interactions = RestBlueprint("interactions", __name__, description="Contacts with customers.")
BY_TIME = Place(dt.datetime, int)
CHANNELS = [channel.value for channel in Channel]
DIRECTIONS = [direction.value for direction in Direction]


def _line(**options: Any) -> Any:
    return fields.String(allow_none=True, validate=validate.Length(max=forms.LONGEST_LINE), **options)


class InteractionQuery(PageQuery):
    """Which contacts."""

    customer = CustomerRef(metadata={"description": "The id or uid of a customer."})
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    direction = fields.String(validate=validate.OneOf(DIRECTIONS))
    store = _line(metadata={"description": "Code of a store."})
    since = fields.Date(metadata={"description": "First business day."})
    until = fields.Date(metadata={"description": "Last business day."})


class StaffSchema(RestSchema):
    """A member of staff who took part."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)


class InteractionSchema(RestSchema):
    """A contact with a customer. `people` are ids of members of staff; who logs it took part if you leave them out."""

    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    direction = fields.String(validate=validate.OneOf(DIRECTIONS), metadata={"description": "Who began: `in` is the customer."})
    at = fields.AwareDateTime(metadata={"description": "Now, if you leave it out."})
    store = _line(metadata={"description": "Code of a store; yours or the customer's, if you leave it out."})
    subject = _line()
    text = fields.String(allow_none=True, validate=validate.Length(max=forms.LONGEST_TEXT))
    outcome = _line()
    people = fields.List(fields.Integer(), load_only=True, validate=validate.Length(max=50))
    id = fields.Integer(required=True, dump_only=True)
    uid = fields.String(required=True, dump_only=True)
    customer_id = fields.Integer(required=True, dump_only=True)
    business_date = fields.Date(required=True, dump_only=True)
    person = fields.String(allow_none=True, dump_only=True, metadata={"description": "Who took part, as an import named them."})
    staff = fields.List(fields.Nested(StaffSchema), required=True, dump_only=True)
    version = fields.Integer(required=True, dump_only=True)


class NewInteractionSchema(InteractionSchema):
    """A contact to be written down, with its next step if there is one."""

    customer = CustomerRef(required=True, load_only=True)
    next_step = _line(load_only=True)
    due_on = fields.Date(load_only=True, allow_none=True)
    assignee = fields.Integer(load_only=True, metadata={"description": "Id of a member of staff; you, if you leave it out."})


class ChangedInteractionSchema(InteractionSchema):
    """What to change of a contact; the rest stays."""

    channel = fields.String(validate=validate.OneOf(CHANNELS))


@interactions.route("")
@access("contact_tracking.view")
@interactions.arguments(InteractionQuery, location="query")
@interactions.response(200, page_schema(InteractionSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """Contacts in stores you may see, or all those with one customer, newest first."""
    viewer, customer_id = current_viewer(), None
    if "customer" in query:
        customer_id = current_crm().customers.seen_by(session, viewer, customer_id_of(session, query["customer"])).id
    wanted = Query(
        customer_id=customer_id,
        channel=Channel(query["channel"]) if "channel" in query else None,
        direction=Direction(query["direction"]) if "direction" in query else None,
        store_id=_store_id(session, query.get("store")),
        since=query.get("since"),
        until=query.get("until"),
    )
    found = service.listed(session, viewer, wanted, after=BY_TIME.read(query.get("cursor")), limit=query["limit"] + 1)
    codes = _codes(session, {one.store_id for one in found})
    body, headers = page_of(found, query["limit"], lambda last: BY_TIME.cursor(last.at, last.id))
    body["items"] = [_plain(one, codes) for one in body["items"]]
    return jsonify(body), headers


@interactions.route("", methods=("POST",))
@access("contact_tracking.log")
@interactions.arguments(NewInteractionSchema)
@interactions.response(201, InteractionSchema)
def create(given: dict[str, Any], session: Session) -> Response:
    """Write down a contact."""
    crm, viewer = current_crm(), current_viewer()
    customer = service.living(crm, session, customer_id_of(session, given["customer"]), viewer)
    draft, now = _draft(session, given), crm.clock.now()
    interaction_id = service.log(session, customer, draft, by=viewer, now=now, zone=crm.timezone)
    made = _one(session, interaction_id)
    return answer_of(made, 201, {"Location": url_for("rest-interactions.show", interaction_id=interaction_id)})


@interactions.route("/<int:interaction_id>")
@access("contact_tracking.view")
@interactions.response(200, InteractionSchema)
def show(session: Session, interaction_id: int) -> Response:
    """One contact."""
    service.seen(current_crm(), session, interaction_id, current_viewer())
    return answer_of(_one(session, interaction_id))


@interactions.route("/<int:interaction_id>", methods=("PATCH",))
@access("contact_tracking.log")
@interactions.arguments(ChangedInteractionSchema)
@interactions.response(200, InteractionSchema)
def change(given: dict[str, Any], session: Session, interaction_id: int) -> Response:
    """Change what was written down."""
    found, _customer = service.seen(current_crm(), session, interaction_id, current_viewer(), to_change=True)
    current = _one(session, interaction_id)
    refuse_stale(current, given)
    known = {name: current[name] for name in ("channel", "direction", "at", "store", "subject", "text", "outcome")}
    draft = _draft(session, {"people": [user_id for user_id, _name in found.people], **known, **given})
    service.edit(session, interaction_id, draft, by=current_viewer(), zone=current_crm().timezone, version=found.version)
    return answer_of(_one(session, interaction_id))


@interactions.route("/<int:interaction_id>", methods=("DELETE",))
@access("contact_tracking.log")
@interactions.response(204)
def remove(session: Session, interaction_id: int) -> None:
    """Take a contact out of the history; its next step stays."""
    service.seen(current_crm(), session, interaction_id, current_viewer(), to_change=True)
    refuse_stale(_one(session, interaction_id))
    service.delete(session, interaction_id)


def _draft(session: Session, given: Mapping[str, Any]) -> Draft:
    """The same rules as for the form, whose texts these are."""
    viewer, store_id = current_viewer(), _store_id(session, given.get("store"))
    texts = {name: str(value) for name, value in given.items() if value is not None and name not in ("people", "customer", "store", "at")}
    if at := given.get("at"):
        texts["at"] = at if isinstance(at, str) else at.isoformat()
    if store_id is not None:
        texts["store"] = str(store_id)
    people = tuple(given["people"]) if "people" in given else () if viewer.user_id is None else (viewer.user_id,)
    has_step = bool(texts.keys() & {"next_step", "due_on", "assignee"})
    return forms.draft(texts, people, zone=current_crm().timezone, now=current_crm().clock.now(), step_needed=has_step)


def _store_id(session: Session, code: str | None) -> int | None:
    if not code:
        return None
    found = session.scalar(sa.select(stores.c.id).where(stores.c.code == code))
    if found is None:
        raise InvalidInput(store=_("There is no such store."))
    return int(found)


def _codes(session: Session, ids: set[int | None]) -> dict[int, str]:
    wanted = ids - {None}
    query = sa.select(stores.c.id, stores.c.code).where(stores.c.id.in_(wanted))
    return {row.id: row.code for row in session.execute(query)} if wanted else {}


def _one(session: Session, interaction_id: int) -> dict[str, Any]:
    # What was changed in this transaction is read anew.
    session.flush()
    found = service.interaction(session, interaction_id)
    return _plain(found, _codes(session, {found.store_id}))


def _plain(one: InteractionView, codes: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "uid": one.uid,
        "customer_id": one.customer_id,
        "channel": one.channel.value,
        "direction": one.direction.value,
        "at": one.at.isoformat(),
        "business_date": one.business_date.isoformat(),
        "store": codes.get(one.store_id or 0),
        "subject": one.subject,
        "text": one.text,
        "outcome": one.outcome,
        "person": one.person,
        "staff": [{"id": user_id, "name": name} for user_id, name in one.people],
        "version": one.version,
    }
