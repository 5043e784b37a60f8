"""What went wrong, in words: no traceback, no internals, a number to quote."""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog
from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString
from werkzeug.exceptions import HTTPException

from regulars_plugin_api.errors import InvalidInput, RegularsError
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.rest import Refused
from regulars_web.rest.auth import is_for_api
from regulars_web.rest.problems import problem

KEPT = ("Allow", "Retry-After")
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
    406: (_("There is no such form of it"), _("What is here can't be had in the form you ask for.")),
    412: (_("Somebody else was faster"), _("Read it again to see what changed, then try again. Nothing was changed.")),
    413: (_("This is too large"), _("The file or the form is larger than can be taken. Nothing was changed.")),
    415: (_("This kind of content is not taken here"), _("Send it in the form the description names. Nothing was changed.")),
    422: (_("Some fields need attention"), _("Put right what is named and send it again. Nothing was changed.")),
    428: (_("Say what you have seen"), _("This may be changed only by who has read it as it is now.")),
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
        headers = {name: value for name, value in error.get_headers() if name in KEPT}
        return answer(error.code or 500, headers=headers)

    @app.errorhandler(RegularsError)
    def told(error: RegularsError) -> ResponseReturnValue:
        if isinstance(error, Refused):
            return answer(error.status, str(error.message) if error.is_worded else None, headers=error.headers, members=error.members)
        if "HX-Request" in request.headers and error.status < 500 and not is_for_api():
            return whispered(error)
        return answer(error.status, str(error.message), error.fields if isinstance(error, InvalidInput) else {})

    @app.errorhandler(Exception)
    def failed(_error: Exception) -> ResponseReturnValue:
        log.exception("request failed", endpoint=request.endpoint)
        return answer(500)


def whispered(error: RegularsError) -> ResponseReturnValue:
    """The reason alone, for a script that asked for a part of the page: it says it beside what was typed, which stays."""
    fields = error.fields.values() if isinstance(error, InvalidInput) else ()
    reason = " ".join(map(str, fields)) or str(error.message)
    return "", error.status, {"HX-Trigger": json.dumps({"refused": {"reason": reason}}), "HX-Reswap": "none"}


def answer(
    status: int,
    message: str | None = None,
    fields: Mapping[str, Text] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
) -> ResponseReturnValue:
    """An error page, or a problem document (RFC 9457) under ``/api/``, where ``members`` are added to it."""
    title, advice = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    if is_for_api():
        return problem(status, title, message or advice, fields or {}, members, headers)
    alone = status >= 500 or g.get("viewer") is None or g.viewer.user_id is None
    template = "error_alone.html" if alone else "error.html"
    page = render_template(template, title=title, detail=message or advice, fields=fields or {}, request_id=g.get("request_id"))
    return page, status, dict(headers or {})
