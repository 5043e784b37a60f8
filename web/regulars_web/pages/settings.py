"""Settings of plugins: a form made from the schema each of them declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow
from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from regulars_core.config import PLUGIN_PREFIX
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.settings import Secret
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here

pages = Blueprint("settings", __name__)
LONGEST = 4000


@dataclass(frozen=True)
class Field:
    """One field of the form. ``kind`` is an input's type, or ``choice``, ``list``, ``yes_no``, ``secret``.

    ``locked`` names the variable of the environment that sets it.
    """

    name: str
    title: Text
    help: Text
    kind: str
    value: str
    required: bool
    choices: tuple[tuple[str, Text], ...] = ()
    locked: str | None = None
    is_set: bool = False


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
    given = {key: _given(key, field) for key, field in schema.fields.items() if key not in locked and not field.dump_only}
    try:
        with crm_here().transaction(current_viewer()) as session:
            crm_here().settings.save(session, name, given)
    except InvalidInput as wrong:
        return _form(name, request.form, wrong.fields), 422
    crm_here().plugins.refresh()
    flash(str(_("The settings are saved.")), "ok")
    return redirect(url_for("settings.show", name=name))


def _schema(name: str) -> marshmallow.Schema:
    schema = crm_here().settings.schema(name)
    return schema if schema is not None else abort(404)


def _given(name: str, field: fields.Field[Any]) -> Any:
    """What the form says of a field; None where it is left empty."""
    raw = request.form.get(name, "").strip()[:LONGEST]
    if isinstance(field, fields.Boolean):
        return raw == "true"
    if isinstance(field, fields.List):
        return [line.strip() for line in raw.splitlines() if line.strip()]
    return raw or ("" if isinstance(field, Secret) else None)


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
    default = None if field.load_default is marshmallow.missing or callable(field.load_default) else field.load_default
    value = overrides.get(name, stored.get(name, default))
    kind = _kind(field)
    return Field(
        name=name,
        title=field.metadata.get("title", name.replace("_", " ").capitalize()),
        help=field.metadata.get("help", ""),
        kind=kind,
        value="" if kind == "secret" else given.get(name, _plain(value)),
        required=field.required,
        choices=_choices(field),
        locked=f"{PLUGIN_PREFIX}{owner.upper()}__{name.upper()}" if overrides else None,
        is_set=bool(stored.get(name)) or name in overrides,
    )


def _kind(field: fields.Field[Any]) -> str:
    if _choices(field):
        return "choice"
    kinds: tuple[tuple[type[fields.Field[Any]], str], ...] = (
        (Secret, "secret"),
        (fields.Boolean, "yes_no"),
        (fields.List, "list"),
        (fields.Email, "email"),
        (fields.Url, "url"),
        (fields.Date, "date"),
        (fields.Time, "time"),
        (fields.Integer, "number"),
    )
    return next((kind for type_, kind in kinds if isinstance(field, type_)), "text")


def _choices(field: fields.Field[Any]) -> tuple[tuple[str, Text], ...]:
    for check in field.validators:
        if isinstance(check, validate.OneOf):
            labels = list(check.labels) or [str(one) for one in check.choices]
            return tuple(zip(map(str, check.choices), labels, strict=True))
    return tuple((one, one) for one in field.enum.__members__) if isinstance(field, fields.Enum) else ()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)
