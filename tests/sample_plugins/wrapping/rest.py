"""``/api/v1/wrapping``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from sqlalchemy.orm import Session

from regulars_plugin_api.rest import RestBlueprint, RestSchema
from regulars_plugin_api.web import access, current_viewer
from sample_plugins.wrapping import service

resource = RestBlueprint("wrapping", __name__, description="How customers want presents wrapped.")


class WishSchema(RestSchema):
    """A wish."""

    words = fields.String(required=True)
    customer_id = fields.Integer(required=True)


@resource.route("")
@access("wrapping.view")
@resource.response(200, WishSchema(many=True))
def listed(session: Session) -> Any:
    """Wishes, newest first."""
    return service.listed(session, current_viewer())
