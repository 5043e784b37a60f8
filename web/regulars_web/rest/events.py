"""``/events``: what happened, in the order it did."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_plugin_api.rest import PageQuery, Place, RestBlueprint, RestSchema, page_of, page_schema
from regulars_plugin_api.web import access
from regulars_web import event_desk as desk

events = RestBlueprint("events", __name__, description="What happened in the system.")
BY_ID = Place(int)


class EventQuery(PageQuery):
    """Which events."""

    type = fields.String(validate=validate.Length(max=80), metadata={"example": "customer.updated"})
    order = fields.String(
        load_default="newest", validate=validate.OneOf(["newest", "oldest"]), metadata={"description": "`oldest` to follow the log."}
    )


class EventSchema(RestSchema):
    """An event. `cause` is what led to it; `depth` counts events in a chain."""

    uid = fields.String(required=True)
    type = fields.String(required=True)
    version = fields.Integer(required=True)
    subject = fields.String(allow_none=True)
    actor = fields.String(required=True)
    payload = fields.Dict(required=True)
    cause = fields.String(allow_none=True)
    depth = fields.Integer(required=True)
    at = fields.DateTime(required=True)


@events.route("")
@access("jobs.manage")
@events.arguments(EventQuery, location="query")
@events.response(200, page_schema(EventSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """The event log."""
    after, oldest_first = BY_ID.read(query.get("cursor")), query["order"] == "oldest"
    place = {"after" if oldest_first else "before": after[0] if after else (0 if oldest_first else None)}
    found = desk.events(session, query.get("type"), limit=query["limit"] + 1, **place)
    return page_of(found, query["limit"], lambda last: BY_ID.cursor(last.id))
