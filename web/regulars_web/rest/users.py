"""``/users``: staff who may sign in."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from sqlalchemy.orm import Session

from regulars_core.users import service
from regulars_plugin_api.rest import PageQuery, Place, RestBlueprint, RestSchema, page_of, page_schema
from regulars_plugin_api.web import access

users = RestBlueprint("users", __name__, description="Staff who may sign in.")
BY_EMAIL = Place(str)


class UserSchema(RestSchema):
    """A user. With neither stores nor regions a user sees the whole chain."""

    uid = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    active = fields.Boolean(required=True)
    roles = fields.List(fields.String(), required=True)
    stores = fields.List(fields.String(), required=True)
    regions = fields.List(fields.String(), required=True)
    last_sign_in_at = fields.DateTime(allow_none=True)


@users.route("")
@access("users.manage")
@users.arguments(PageQuery, location="query")
@users.response(200, page_schema(UserSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """Every user, by e-mail address."""
    after = BY_EMAIL.read(query.get("cursor"))
    found = service.listed(session, after=after[0] if after else "", limit=query["limit"] + 1)
    return page_of(found, query["limit"], lambda last: BY_EMAIL.cursor(last.email))


@users.route("/<uid:uid>")
@access("users.manage")
@users.response(200, UserSchema)
def show(session: Session, uid: str) -> Any:
    """One user."""
    return service.get(session, uid)
