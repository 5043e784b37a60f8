"""Who may pass: asked before every view, closed unless the view says who may use it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

import structlog
from flask import Flask, abort, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from regulars_core.acting import Acting, begin_acting, end_acting
from regulars_core.crm import Crm
from regulars_migrations import standing
from regulars_plugin_api.i18n import current_locale, set_locale
from regulars_plugin_api.views import Viewer
from regulars_plugin_api.web import PUBLIC, declared_access
from regulars_web import language, security
from regulars_web.rest import auth, limits

NOBODY = Viewer(user_id=None, name="", permissions=frozenset(), store_ids=frozenset())
ALWAYS_OPEN = frozenset({"asset", "health.alive", "health.ready"})
"""Views that need no database."""
SEES_SWITCHES_AFTER = 1.0
"""Seconds until this process sees that another one switched a plugin."""
SIGNED_IN = "signed-in"
"""For views of one's own things, that need no permission: ``@access(SIGNED_IN)``."""


View = TypeVar("View", bound=Callable[..., Any])


def takes_files(most_bytes: int) -> Callable[[View], View]:
    """For views that take an upload larger than a form."""

    def declare(view: View) -> View:
        cast(Any, view).regulars_upload_bytes = most_bytes
        return view

    return declare


def install(app: Flask, crm: Crm) -> None:
    """Put the gate before every view of ``app``."""

    @app.before_request
    def note_request() -> None:
        g.request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id, path=request.path)
        g.viewer = NOBODY
        g.language_before = current_locale()
        language.choose(None)

    @app.before_request
    def decide() -> ResponseReturnValue | None:
        if request.endpoint in ALWAYS_OPEN:
            return None
        if not (app.extensions.get("regulars_schema_seen") or _sees_schema(app, crm)):
            abort(503)
        crm.plugins.refresh(at_most_every=SEES_SWITCHES_AFTER)
        g.viewer = auth.viewer_of_token(crm) or _viewer()
        limits.count_request(g.viewer)
        if request.endpoint is None:
            _refuse_what_is_off(app, crm)
            return None
        plugin = app.extensions["regulars_claims"].get(request.blueprint)
        if plugin is not None and not crm.plugins.is_enabled(plugin):
            abort(404)
        most_bytes = getattr(app.view_functions[request.endpoint], "regulars_upload_bytes", None)
        if most_bytes is not None:
            request.max_content_length = most_bytes
        g.acting = begin_acting(Acting(g.viewer, "rest" if auth.is_for_api() else "web"))
        permission = _permission(app, request.endpoint)
        if permission == PUBLIC:
            return None
        if g.viewer.user_id is None:
            return _to_sign_in()
        if request.method == "OPTIONS" and auth.is_for_api():
            return None
        if permission is None or (permission != SIGNED_IN and not g.viewer.may(permission)):
            abort(403)
        return None

    @app.teardown_request
    def leave_as_found(_error: BaseException | None) -> None:
        set_locale(g.pop("language_before", current_locale()))
        acting = g.pop("acting", None)
        if acting is not None:
            end_acting(acting)


def _refuse_what_is_off(app: Flask, crm: Crm) -> None:
    """A wrong method on an address of a plugin that is off is answered like an address that nobody has."""
    for name, plugin in app.extensions["regulars_claims"].items():
        claim = getattr(app.blueprints[name], "claim", None)
        if claim and f"{request.path}/".startswith(f"{claim}/") and not crm.plugins.is_enabled(plugin):
            abort(404)


def _sees_schema(app: Flask, crm: Crm) -> bool:
    """Whether the database is where the code expects it; asked until it is."""
    seen = crm.has_database() and not any(one.behind for one in standing.status(crm.config.database_url, crm.plugins.owners()))
    app.extensions["regulars_schema_seen"] = seen
    return seen


def _permission(app: Flask, endpoint: str) -> str | None:
    return PUBLIC if endpoint in security.PUBLIC_ENDPOINTS else declared_access(app.view_functions[endpoint])


def _viewer() -> Viewer:
    if not current_user.is_authenticated:
        if security.SIGN_IN in session:
            session.clear()
        return NOBODY
    security.stay()
    language.choose(current_user.locale)
    return cast(Viewer, g.signed_in_viewer)


def _to_sign_in() -> ResponseReturnValue:
    if request.path.startswith("/api/v1/"):
        abort(401)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else _page_of_form()
    address = "/sign-in?" + urlencode({"next": wanted})
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": address}
    return redirect(address)


def _page_of_form() -> str:
    """Where the form that came too late was filled in: its page gives back what was typed."""
    page = urlsplit(request.referrer or "")
    return f"{page.path}?again=1" if page.netloc == request.host and security.safe_next(page.path) == page.path else "/"
