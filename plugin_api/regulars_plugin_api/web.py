"""Pages and REST resources of a plugin: who may see a view, which addresses it claims, and what it may ask of the request."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from flask import Blueprint, Response, current_app, g, render_template

from regulars_plugin_api.services import Crm
from regulars_plugin_api.views import Viewer

PUBLIC: Final = "public"
"""For views that anybody may see, signed in or not."""

View = TypeVar("View", bound=Callable[..., Any])
_LIMIT = re.compile(r"[1-9]\d{0,5} per (second|minute|hour|day)")
_ROOT = re.compile(r"/(api/v1/)?[a-z][a-z0-9_-]*")


def access(permission: str, *, by_programs: bool = False, limit: str | None = None) -> Callable[[View], View]:
    """Say who may use a view: ``@access("loyalty.award")``, or ``@access(PUBLIC)``. A view without it answers 403 to everybody.

    ``by_programs`` lets a public view take what other systems post, without the token of a form: the view itself checks a signature, or a
    secret in its address, before it believes anything. ``limit``, such as ``"10 per minute"``, is how often one address may call the view;
    after that the answer is 429.
    """
    if limit is not None and not _LIMIT.fullmatch(limit):
        raise ValueError(f"limit {limit!r}: write it like 10 per minute")
    if by_programs and permission != PUBLIC:
        raise ValueError("by_programs goes with PUBLIC: whoever is signed in by a cookie needs the token of a form")

    def declare(view: View) -> View:
        cast(Any, view).regulars_access = permission
        cast(Any, view).regulars_by_programs = by_programs
        cast(Any, view).regulars_limit = limit
        return view

    return declare


def declared_access(view: Callable[..., Any]) -> str | None:
    """The permission a view was declared with; None if it was forgotten."""
    return cast("str | None", getattr(view, "regulars_access", None))


class PluginBlueprint(Blueprint):
    """A blueprint under addresses the plugin claims.

    ``url_prefix`` is ``/<plugin>`` for pages, ``/api/v1/<resource>`` for REST, or another single public root such as ``/u``. No two
    plugins get the same; while the plugin is disabled its addresses answer 404. Templates live in ``templates/<plugin>/``.
    """

    def __init__(self, name: str, import_name: str, *, url_prefix: str, template_folder: str | None = "templates", **options: Any) -> None:
        if not _ROOT.fullmatch(url_prefix):
            raise ValueError(f"url_prefix {url_prefix!r}: a blueprint claims /<name> or /api/v1/<resource>")
        super().__init__(name, import_name, url_prefix=url_prefix, template_folder=template_folder, **options)
        self.claim = url_prefix


def current_crm() -> Crm:
    """The ``crm`` of the running request."""
    return cast(Crm, current_app.extensions["regulars"])


def current_viewer() -> Viewer:
    """Who sent the running request."""
    return cast(Viewer, g.viewer)


def sign_in(email: str, next_page: str = "/") -> Response:
    """Sign in the member of staff with this address and lead to ``next_page``: for a view of a ``SignInProvider``.

    The plugin answers for it that whoever sent the request is that person. Sessions, idle time and the limit on guessing are those of
    signing in by password. Raises ``Forbidden`` where there is no such account, or it is closed.
    """
    return cast(Response, current_app.extensions["regulars_sign_in"](email, next_page))


def render(template: str, **values: Any) -> str:
    """Render a template of the plugin or one of the platform's documented ones."""
    return render_template(template, **values)
