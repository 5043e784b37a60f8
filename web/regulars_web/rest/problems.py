"""Problem documents (RFC 9457): what went wrong under ``/api/``, one entry per bad field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g, jsonify

from regulars_plugin_api.i18n import Text

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int,
    title: Text,
    detail: Text,
    fields: Mapping[str, Any],
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer for a refusal."""
    body = {"type": "about:blank", "title": str(title), "status": status, "detail": str(detail), "request_id": g.get("request_id")}
    errors = [{"field": name, "detail": str(text)} for name, text in fields.items()]
    reply = jsonify(body | ({"errors": errors} if errors else {}) | dict(members or {}))
    reply.status_code = status
    reply.headers["Content-Type"] = MEDIA_TYPE
    if status == 401:
        reply.headers["WWW-Authenticate"] = 'Bearer realm="Regulars"'
    reply.headers.update(headers or {})
    return reply
