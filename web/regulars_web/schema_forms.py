"""Forms made from the marshmallow schemas of plugins: which input a field gets, and its value as the input holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow
from flask import request
from marshmallow import fields, validate

from regulars_plugin_api.i18n import Text
from regulars_plugin_api.settings import Secret

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


def form_field(name: str, field: fields.Field[Any], value: Any, **more: Any) -> Field:
    """``field`` as the form shows it."""
    return Field(
        name=name,
        title=field.metadata.get("title", name.replace("_", " ").capitalize()),
        help=field.metadata.get("help", ""),
        kind=kind_of(field),
        value=plain(value),
        required=field.required,
        choices=_choices(field),
        **more,
    )


def default_of(field: fields.Field[Any]) -> Any:
    """What counts while nothing is given; None for nothing, and for what is worked out anew each time."""
    return None if field.load_default is marshmallow.missing or callable(field.load_default) else field.load_default


def given_in(source: Mapping[str, str], name: str, field: fields.Field[Any]) -> Any:
    """What the form says of a field; None where it is left empty."""
    raw = source.get(name, "").strip()[:LONGEST]
    if isinstance(field, fields.Boolean):
        return raw == "true"
    if isinstance(field, fields.List):
        return [line.strip() for line in raw.splitlines() if line.strip()]
    return raw or ("" if isinstance(field, Secret) else None)


def given(name: str, field: fields.Field[Any]) -> Any:
    """What the posted form says of a field."""
    return given_in(request.form, name, field)


def by_field(error: marshmallow.ValidationError) -> dict[str, str]:
    """What is wrong with each field, as one text."""
    return {str(name): " ".join(_texts(messages)) for name, messages in error.messages_dict.items()}


def kind_of(field: fields.Field[Any]) -> str:
    """The kind of input for a field."""
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


def plain(value: Any) -> str:
    """A value as an input holds it."""
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


def _choices(field: fields.Field[Any]) -> tuple[tuple[str, Text], ...]:
    for check in field.validators:
        if isinstance(check, validate.OneOf):
            labels = list(check.labels) or [str(one) for one in check.choices]
            return tuple(zip(map(str, check.choices), labels, strict=True))
    return tuple((one, one) for one in field.enum.__members__) if isinstance(field, fields.Enum) else ()


def _texts(messages: Any) -> list[str]:
    if isinstance(messages, dict):
        return [text for inner in messages.values() for text in _texts(inner)]
    return [str(text) for text in messages] if isinstance(messages, list) else [str(messages)]
