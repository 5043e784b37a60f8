"""``/plugins``: what is installed beside the platform."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from regulars_core.plugins.registry import State
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import RestBlueprint, RestSchema
from regulars_plugin_api.web import access
from regulars_web.running import crm_here

plugins = RestBlueprint("plugins", __name__, description="What is installed beside the platform.")


class PluginSchema(RestSchema):
    """A plugin; `reason` says why a broken one is."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    summary = fields.String(required=True)
    version = fields.String(required=True)
    state = fields.Enum(State, by_value=True, required=True, validate=validate.OneOf(State))
    reason = fields.String(allow_none=True)


class PluginsSchema(RestSchema):
    """Every plugin there is or was."""

    items = fields.List(fields.Nested(PluginSchema), required=True)


@plugins.route("")
@access("plugins.manage")
@plugins.response(200, PluginsSchema)
def listed() -> Any:
    """Every plugin, those that are off too."""
    return {"items": crm_here().plugins.listed()}


@plugins.route("/<name>")
@access("plugins.manage")
@plugins.response(200, PluginSchema)
def show(name: str) -> Any:
    """One plugin."""
    found = next((one for one in crm_here().plugins.listed() if one.name == name), None)
    if found is None:
        raise NotFound(_("There is no such plugin."))
    return found
