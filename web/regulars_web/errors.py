"""What went wrong, in words: no traceback, no internals, a number to quote."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from flask import Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString
from werkzeug.exceptions import HTTPException

from regulars_plugin_api.errors import InvalidInput, RegularsError
from regulars_plugin_api.i18n import _

log = structlog.get_logger(__name__)

WORDS: Mapping[int, tuple[LazyString, LazyString]] = {
    400: (
        _("This could not be read"),
        _("The page may have been open for too long. Go back, reload it and try again. Nothing was changed."),
    ),
    401: (_("Please sign in"), _("Your session has ended. Sign in and try again.")),
    403: (_("This is not open to you"), _("Your role does not include it. Ask an administrator if you need it.")),
    404: (_("There is nothing here"), _("The address may be mistyped, or what was here has been removed.")),
    405: (_("This could not be done that way"), _("Go back and use the buttons on the page. Nothing was changed.")),
    409: (_("Somebody else was faster"), _("Reload the page to see what changed, then try again.")),
    413: (_("This is too large"), _("The file or the form is larger than can be taken. Nothing was changed.")),
    429: (_("Too many attempts"), _("Wait a minute and try again.")),
    500: (
        _("Something went wrong on our side"),
        _("What you did may not have been saved. Try again; if it happens again, quote this number."),
    ),
    503: (_("Regulars is not ready"), _("The database has to be upgraded first. An administrator can run: regulars db upgrade")),
}


def install(app: Flask) -> None:
    """Answer every error of ``app`` in words."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> ResponseReturnValue:
        return answer(error.code or 500)

    @app.errorhandler(RegularsError)
    def told(error: RegularsError) -> ResponseReturnValue:
        return answer(error.status, str(error.message), error.fields if isinstance(error, InvalidInput) else {})

    @app.errorhandler(Exception)
    def failed(_error: Exception) -> ResponseReturnValue:
        log.exception("request failed", endpoint=request.endpoint)
        return answer(500)


def answer(status: int, message: str | None = None, fields: Mapping[str, object] | None = None) -> ResponseReturnValue:
    """An error page, or a problem document (RFC 9457) under ``/api/``."""
    title, advice = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    detail = message or str(advice)
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": str(title), "status": status, "detail": detail, "request_id": g.get("request_id")}
        errors = [{"field": name, "detail": str(text)} for name, text in (fields or {}).items()]
        reply = jsonify(problem | ({"errors": errors} if errors else {}))
        reply.headers["Content-Type"] = "application/problem+json"
        return reply, status
    alone = status >= 500 or g.get("viewer") is None or g.viewer.user_id is None
    template = "error_alone.html" if alone else "error.html"
    return render_template(template, title=title, detail=detail, fields=fields or {}, request_id=g.get("request_id")), status
