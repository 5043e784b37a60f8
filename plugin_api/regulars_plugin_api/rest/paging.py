"""Lists in pages: the place a page ends at is the cursor of the next one, so no page is skipped or shown twice when rows come and go."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import marshmallow as ma
from flask import request
from marshmallow import fields, validate

from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest.parsing import is_fit
from regulars_plugin_api.rest.schemas import RestSchema

T = TypeVar("T")
MOST, USUAL = 200, 50


class Place:
    """What a cursor holds: the values a list is ordered by, each of a type (``int``, ``str`` or ``datetime``)."""

    def __init__(self, *types: type) -> None:
        self.types = types

    def cursor(self, *values: Any) -> str:
        """The place as text for the next request."""
        plain = [value.isoformat() if isinstance(value, dt.datetime) else value for value in values]
        return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")

    def read(self, cursor: str | None) -> tuple[Any, ...] | None:
        """The values; None without a cursor. Raises ``InvalidInput``."""
        if cursor is None:
            return None
        try:
            values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
            if not isinstance(values, list) or len(values) != len(self.types):
                raise ValueError
            return tuple(_typed(value, kind) for value, kind in zip(values, self.types, strict=True))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise InvalidInput(cursor=_("This is not a place in this list. Take it from the answer before.")) from error


def _typed(value: Any, kind: type) -> Any:
    if kind is dt.datetime:
        instant = dt.datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(dt.UTC)
    if type(value) is not kind or (isinstance(value, int) and abs(value) >= 2**53) or (isinstance(value, str) and not is_fit(value)):
        raise ValueError
    return value


class PageQuery(RestSchema):
    """``limit`` and ``cursor``, which every list takes."""

    limit = fields.Integer(load_default=USUAL, validate=validate.Range(1, MOST), metadata={"description": "How many at most on a page."})
    cursor = fields.String(
        validate=validate.Length(1, 1000), metadata={"description": "Where the page begins: `next` of the answer before."}
    )


def page_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """The schema of a page of ``item``."""
    next_ = fields.String(allow_none=True, metadata={"description": "The cursor of the next page; null on the last one."})
    return RestSchema.from_dict(
        {"items": fields.List(fields.Nested(item)), "next": next_}, name=f"{item.__name__.removesuffix('Schema')}Page"
    )


def page_of(rows: Sequence[T], limit: int, cursor: Callable[[T], str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer of a list: ``rows`` were asked for with one more than ``limit``. Body and headers, to be returned by the view."""
    return page(rows[:limit], cursor(rows[limit - 1]) if len(rows) > limit else None)


def page(shown: Sequence[Any], following: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer of a list that knows by itself where the next page begins."""
    headers = {}
    if following is not None:
        parameters = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
        address = f"{request.base_url}?{urlencode([*parameters, ('cursor', following)])}"
        headers["Link"] = f'<{address}>; rel="next"'
    return {"items": shown, "next": following}, headers
