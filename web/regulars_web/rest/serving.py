"""What every view of the API shares: strictness before it, a session around it, an answer that is given once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import sqlalchemy as sa
from flask import Response, make_response, request
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from regulars_core.customers.filter import BadFilter
from regulars_plugin_api.errors import Conflict, InvalidInput
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import Refused
from regulars_plugin_api.rest.parsing import is_fit
from regulars_plugin_api.web import current_viewer
from regulars_web.rest.idempotency import HEADER, Remembered
from regulars_web.running import crm_here

READING = ("GET", "HEAD")
JSON = "application/json"
View = Callable[..., Any]


def operation(view: View) -> View:
    """``view`` as the host serves it."""
    wants_session = "session" in inspect.signature(inspect.unwrap(view)).parameters
    described: Mapping[str, Any] = getattr(view, "_apidoc", {})
    takes_query = any(one["in"] == "query" for one in described.get("arguments", {}).get("parameters", ()))
    offered = _media_types(described)

    def perform(session: Session | None, path: Mapping[str, Any]) -> Response:
        return make_response(view(**path, session=session) if wants_session else view(**path))

    def answer(path: Mapping[str, Any]) -> Response:
        crm, viewer = crm_here(), current_viewer()
        if request.method == "POST" and HEADER in request.headers and viewer.user_id is not None:
            return Remembered(crm, viewer.user_id).answer(lambda session: perform(session, path), in_transaction=wants_session)
        if not wants_session:
            return perform(None, path)
        with crm.read(viewer) if request.method in READING else crm.transaction() as session:
            return perform(session, path)

    @wraps(view)
    def served(**path: Any) -> Response:
        _refuse_unacceptable(offered)
        _refuse_parameters(takes_query)
        try:
            return answer(path)
        except BadFilter as wrong:
            raise InvalidInput(None, **{f"filter.{wrong.path}".rstrip("."): wrong.reason}) from wrong
        except (StaleDataError, sa.exc.IntegrityError) as race:
            # What could be seen beforehand was refused in words; this one came between.
            raise Conflict from race

    return served


def _media_types(described: Mapping[str, Any]) -> list[str]:
    answers = [one for answers in described.get("response", {}).get("responses", {}).values() for one in answers]
    return sorted({one.get("content_type") or JSON for one in answers if isinstance(one, Mapping)}) or [JSON]


def _refuse_unacceptable(offered: list[str]) -> None:
    accepted = request.accept_mimetypes
    if accepted and accepted.best_match(offered) is None:
        raise Refused(406, _("The answer is %(types)s; Accept does not allow it.", types=", ".join(offered)))


def _refuse_parameters(takes_query: bool) -> None:
    wrong: dict[str, Any] = {}
    for name, values in request.args.lists():
        if not is_fit(name) or not all(map(is_fit, values)):
            wrong[name] = _("There is a character that is no text.")
        elif not takes_query:
            wrong[name] = _("This is not known here.")
        elif len(values) > 1:
            wrong[name] = _("Give this once.")
    if wrong:
        raise InvalidInput(None, **wrong)
