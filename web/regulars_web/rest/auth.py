"""Who a bearer token stands for."""

from __future__ import annotations

from functools import partial

import structlog
from flask import Flask, Response, g, request

from regulars_core.crm import Crm
from regulars_core.users import tokens
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import Refused
from regulars_plugin_api.views import Viewer
from regulars_web import security
from regulars_web.rest import limits

log = structlog.get_logger(__name__)


def install(app: Flask, crm: Crm) -> None:
    """Let ``app`` note the last use of each token."""

    @app.after_request
    def note_use(reply: Response) -> Response:
        held = g.get("token")
        if held is not None and not held.use_is_noted:
            reply.call_on_close(partial(_note, crm, held.token_id))
        return reply


def is_for_api() -> bool:
    """Whether the request is one that a program makes."""
    return request.path.startswith("/api/") or request.path == "/metrics"


def viewer_of_token(crm: Crm) -> Viewer | None:
    """Whom the request's token acts for; None if it bears none. Raises ``Refused`` (401, 429)."""
    given = request.headers.get("Authorization")
    if given is None or not is_for_api():
        return None
    scheme, _space, secret = given.partition(" ")
    held = tokens.holder(security.reading(crm), secret.strip(), crm.clock.now()) if scheme.lower() == "bearer" else None
    if held is None:
        limits.count_wrong_token()
        raise Refused(401, _("The token is not known here, was revoked, or is over."))
    g.token = held
    return held.viewer


def _note(crm: Crm, token_id: int) -> None:
    # The answer is on its way: whatever goes wrong here is nobody's but the log's.
    try:
        with crm.transaction(cause="rest") as session:
            tokens.note_use(session, token_id, crm.clock.now())
    except Exception:
        log.exception("the use of a token was not noted", token=token_id)
