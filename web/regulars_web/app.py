"""The staff's web application."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from types import FunctionType
from typing import Any, cast

from flask import Flask, g, has_request_context, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup
from werkzeug.routing import IntegerConverter

from regulars_core.bus import hooks
from regulars_core.crm import Crm
from regulars_plugin_api.rest import RestBlueprint
from regulars_plugin_api.web import PluginBlueprint
from regulars_web import assets, drawn, errors, gate, headers, language, metrics, navigation, personal, security
from regulars_web.addresses import Addresses, LateRule
from regulars_web.pages import PAGES
from regulars_web.rest import api, auth
from regulars_web.rest.resources import RESOURCES
from regulars_web.spoken import SaidOnce, SpokenEnvironment
from regulars_web.troubles import TroubleNotes

FORM_BYTES = 1_000_000


class Site(Flask):
    """Flask, whose pages don't wait longer than their budget for a plugin."""

    jinja_environment = SpokenEnvironment
    url_rule_class = LateRule

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer a request."""
        if request.method not in ("GET", "HEAD"):
            # Nothing is held open beside a change: what was read before it is old, and PostgreSQL lets nobody drop what somebody reads.
            security.stop_reading()
            return super().dispatch_request()
        crm, dispatch = cast(Crm, self.extensions["regulars"]), super().dispatch_request
        # A page that is made again, without a plugin that hung, reads in a session of its own.
        opened = [security.handed_over(crm)]

        def page() -> ResponseReturnValue:
            with crm.reading_once(opened.pop() if opened else None):
                return dispatch()

        return crm.bus.watched(page)

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        """The address of a view."""
        if endpoint.startswith(".") or not has_request_context() or any(self.url_default_functions.values()):
            return super().url_for(endpoint, **values)
        return self._addresses.of(endpoint, request.script_root, values)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """``func``, or what runs it if it is asynchronous; which of both it is, is found out once."""
        return self._in_order(func) if type(func) is FunctionType else super().ensure_sync(func)

    @cached_property
    def _in_order(self) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return lru_cache(maxsize=4096)(super().ensure_sync)

    @cached_property
    def _addresses(self) -> Addresses:
        return Addresses(super().url_for)


class RowNumber(IntegerConverter):
    """The number of a row in an address. No database has a row of a longer one: not found, without being asked."""

    regex = r"\d{1,18}"


def create_app(crm: Crm) -> Flask:
    """The WSGI application of a running ``crm``: core's pages and those of every installed plugin, switched per request."""
    config = crm.config
    https = config.base_url.startswith("https://")
    app = Site(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=config.needed_key(),
        SECRET_KEY_FALLBACKS=list(config.former_keys),
        MAX_CONTENT_LENGTH=FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        MAX_FORM_PARTS=500,
    )
    app.extensions["regulars"] = crm
    app.url_map.converters["int"] = RowNumber
    headers.install(app, https=https)
    language.install(app, config.timezone)
    app.extensions["regulars_assets"] = assets.install(app)
    app.jinja_env.globals.update(safe_mode=config.safe_mode, icon=_icons(app), theme=theme, safe_next=security.safe_next)
    app.jinja_env.add_extension(SaidOnce)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: {"viewer": g.get("viewer", gate.NOBODY)})
    metrics.install(app, crm)
    gate.install(app, crm)
    security.install(app, crm, https=https)
    auth.install(app, crm)
    errors.install(app)
    navigation.install(app, crm)
    drawn.install(app)
    personal.install(app)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    api.install(app, crm, RESOURCES)
    _add_plugins(app, crm)
    security.limit_views(app)
    notes = TroubleNotes(crm)
    app.teardown_request(lambda _error: notes.write())
    return app


def _add_plugins(app: Flask, crm: Crm) -> None:
    # Of every installed plugin: Flask takes no blueprint after its first request, so the gate switches them.
    claims = app.extensions["regulars_claims"] = {}
    folders = [FileSystemLoader(Path(__file__).parent / "templates")]
    for plugin, blueprint in crm.plugins.blueprints():
        answer = crm.bus.guarded(plugin, f"blueprint {blueprint.name}", partial(_add, app, blueprint), hooks.START_BUDGET)
        if app.blueprints.get(blueprint.name) is blueprint:
            claims[blueprint.name] = plugin
        loaded = crm.plugins.get(plugin)
        if loaded is not None and answer.failure is not None:
            crm.plugins.leave_out(loaded, answer.failure)
    for name, loaded in crm.plugins.loaded.items():
        folder = loaded.folder
        if folder and (folder / "static").is_dir():
            app.extensions["regulars_assets"].add(name, folder / "static")
        if folder and (folder / "templates" / name).is_dir():
            folders.append(FileSystemLoader(folder / "templates"))
    app.jinja_env.loader = ChoiceLoader(folders)


def _add(app: Flask, blueprint: PluginBlueprint) -> None:
    if isinstance(blueprint, RestBlueprint):
        api.add(app, blueprint)
    else:
        app.register_blueprint(blueprint)


def _icons(app: Flask) -> Callable[..., Markup]:
    @cache
    def icon(name: str, extra: str = "") -> Markup:
        """A picture from ``icons.svg``; it says nothing to screen readers, so words stand beside it."""
        address = app.extensions["regulars_assets"].url("icons.svg")
        style = f" {extra}" if extra else ""
        return Markup('<svg class="rg-icon{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(style, address, name)

    return icon


def theme() -> str:
    """``auto``, ``light`` or ``dark``: what the user chose."""
    return getattr(current_user, "theme", "auto")
