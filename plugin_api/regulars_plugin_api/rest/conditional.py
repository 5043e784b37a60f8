"""ETags: reading what has not changed costs nothing, and nobody overwrites what they have not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request

from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest.problems import Refused


def etag_of(representation: Mapping[str, Any]) -> str:
    """The strong ETag of what a resource looks like to this viewer."""
    return hashlib.sha256(json.dumps(representation, sort_keys=True).encode()).hexdigest()[:32]


def answer_of(representation: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The representation with its ETag; 304 without a body for a reader who has it."""
    reply = jsonify(representation)
    reply.status_code = status
    reply.headers.update(headers or {})
    reply.set_etag(etag_of(representation))
    return reply.make_conditional(request) if request.method in ("GET", "HEAD") else reply  # type: ignore[return-value]


def refuse_stale(current: Mapping[str, Any], sent: Any = None, *, required: bool = False) -> None:
    """Raise ``Refused`` unless ``If-Match`` names ``current``: 412 with what is there and what was sent; 428 if ``required`` and absent."""
    if "If-Match" not in request.headers:
        if required:
            raise Refused(428, _("Read it first and send its ETag in If-Match."))
        return
    now = etag_of(current)
    if not request.if_match.contains(now):
        message = _("Somebody else has changed this since you read it. Nothing was changed.")
        raise Refused(412, message, headers={"ETag": f'"{now}"'}, current=current, sent=sent)
