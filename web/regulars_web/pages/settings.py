"""Settings of plugins: a form made from the schema each of them declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow
from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields

from regulars_core.config import PLUGIN_PREFIX
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here
from regulars_web.schema_forms import Field, default_of, form_field, given, kind_of, plain

pages = Blueprint("settings", __name__)


@pages.get("/settings")
@access("settings.manage")
def page() -> str:
    """Plugins that have settings, and what is set for the whole system."""
    crm = crm_here()
    plugins = [(loaded, crm.settings.problem(name)) for name, loaded in crm.plugins.loaded.items() if crm.settings.schema(name)]
    return render("settings.html", plugins=plugins, on=crm.plugins.is_enabled, config=crm.config)


@pages.get("/plugins/<name>/settings")
@access("settings.manage")
def show(name: str) -> str:
    """The form of one plugin's settings."""
    return _form(name, {}, {})


@pages.post("/plugins/<name>/settings")
@access("settings.manage")
def save(name: str) -> ResponseReturnValue:
    """Check and keep what was given; it counts from the next request, in every process."""
    schema = _schema(name)
    locked = crm_here().settings.locked(name)
    typed = {key: given(key, field) for key, field in schema.fields.items() if key not in locked and not field.dump_only}
    try:
        with crm_here().transaction(current_viewer()) as session:
            crm_here().settings.save(session, name, typed)
    except InvalidInput as wrong:
        return _form(name, request.form, wrong.fields), 422
    crm_here().plugins.refresh()
    flash(str(_("The settings are saved.")), "ok")
    return redirect(url_for("settings.show", name=name))


def _schema(name: str) -> marshmallow.Schema:
    schema = crm_here().settings.schema(name)
    return schema if schema is not None else abort(404)


def _form(name: str, given: Mapping[str, str], wrong: Mapping[str, Text]) -> str:
    crm, schema = crm_here(), _schema(name)
    stored, locked = crm.settings.stored(name), crm.settings.locked(name)
    overrides = crm.config.plugin_settings.get(name, {})
    shown = [_field(name, key, field, stored, given, overrides if key in locked else {}) for key, field in schema.fields.items()]
    loaded = crm.plugins.loaded[name]
    return render("plugin_settings.html", plugin=loaded, fields=shown, wrong=wrong, problem=crm.settings.problem(name))


def _field(
    owner: str, name: str, field: fields.Field[Any], stored: Mapping[str, Any], given: Mapping[str, str], overrides: Mapping[str, str]
) -> Field:
    value = overrides.get(name, stored.get(name, default_of(field)))
    kind = kind_of(field)
    return form_field(
        name,
        field,
        "" if kind == "secret" else given.get(name, plain(value)),
        locked=f"{PLUGIN_PREFIX}{owner.upper()}__{name.upper()}" if overrides else None,
        is_set=bool(stored.get(name)) or name in overrides,
    )
