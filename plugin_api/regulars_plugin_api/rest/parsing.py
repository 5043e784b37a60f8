"""Reading requests strictly: what is not understood is refused, in words, with the place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request
from webargs.core import missing
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict

from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.rest.problems import Refused

DEEPEST = 40
LARGEST = 2**53
_UNFIT = ("\x00", *map(chr, range(0xD800, 0xE000)))
_WORDS: Mapping[str, Text] = {
    "Unknown field.": _("This is not known here."),
    "Missing data for required field.": _("A value is needed here."),
    "Field may not be null.": _("A value is needed here."),
    "Not a valid string.": _("A text is needed here."),
    "Not a valid integer.": _("A whole number is needed here."),
    "Not a valid number.": _("A number is needed here."),
    "Not a valid boolean.": _("Give true or false."),
    "Not a valid date.": _("A day such as 2026-11-22 is needed here."),
    "Not a valid datetime.": _("An instant such as 2026-11-22T14:30:00+01:00 is needed here."),
    "Not a valid list.": _("A list is needed here."),
    "Not a valid mapping type.": _("An object is needed here."),
    "Invalid input type.": _("An object is needed here."),
}
_NO_TEXT = _("There is a character that is no text.")
_READ_ONLY = _("This can be read, and is not for setting.")


class StrictParser(FlaskParser):
    """The parser of every ``@arguments``."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}
    __location_map__ = {**FlaskParser.__location_map__, "multipart": "load_multipart"}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body, whatever its shape."""
        is_json = req.mimetype == "application/json" or req.mimetype.endswith("+json")
        # A form that was read already, for its token, has left nothing behind.
        if not is_json and (req.mimetype or req.get_data()):
            raise Refused(415, _("Send JSON: Content-Type: application/json."))
        return json_of(req.get_data()) if req.get_data() else missing

    def load_multipart(self, req: Request, schema: ma.Schema) -> Any:
        """A form with files; a browser's form token is not part of it."""
        if req.mimetype != "multipart/form-data":
            raise Refused(415, _("Send a form with files: Content-Type: multipart/form-data."))
        given: MultiDict[str, Any] = MultiDict(req.form)
        given.pop("csrf_token", None)
        wrong = {name: _NO_TEXT for name, value in given.items(multi=True) if not (is_fit(name) and is_fit(value))}
        if wrong:
            raise InvalidInput(None, **wrong)
        given.update(req.files)
        return self._makeproxy(given, schema)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_about: Any) -> NoReturn:
        """Say what is wrong, one entry per field."""
        (messages,) = error.messages_dict.values()
        raise InvalidInput(None, **dict(_flat(messages, "", schema)))


def json_of(raw: bytes | str, field: str = "") -> Any:
    """JSON that can be kept in a database, as the body or as the value of one field.

    Raises ``InvalidInput`` naming the place of what can't be kept, and ``Refused`` (400) for a body that is no JSON.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
        found = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        no_json = _("This is not JSON in UTF-8.")
        raise (InvalidInput(None, **{field: no_json}) if field else Refused(400, no_json)) from error
    wrong = dict(_unfit(found, field, 0))
    if wrong:
        raise InvalidInput(None, **wrong)
    return found


def is_fit(text: str) -> bool:
    """Whether a text can be kept: no NUL, no halves of characters."""
    return (text.isascii() and "\x00" not in text) or not any(one in text for one in _UNFIT)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _unfit(node: Any, path: str, depth: int) -> Iterator[tuple[str, Text]]:
    if depth > DEEPEST:
        yield path or "body", _("This is nested too deep.")
    elif isinstance(node, str) and not is_fit(node):
        yield path or "body", _NO_TEXT
    elif isinstance(node, int) and not isinstance(node, bool) and abs(node) > LARGEST:
        yield path or "body", _("This number is too large.")
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from _unfit(name, path or "body", depth + 1)
            yield from _unfit(value, _join(path, name), depth + 1)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _unfit(value, f"{path}[{place}]", depth + 1)


def _flat(messages: Any, path: str, schema: ma.Schema | None = None) -> Iterator[tuple[str, Text]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            place = path or "body" if name == "_schema" else f"{path}[{name}]" if isinstance(name, int) else _join(path, str(name))
            if schema is not None and name in schema.dump_fields and name not in schema.load_fields:
                yield place, _READ_ONLY
            else:
                yield from _flat(inner, place)
    else:
        texts = messages if isinstance(messages, list) else [messages]
        yield path, " ".join(str(_WORDS.get(text, text)) for text in map(str, texts))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
