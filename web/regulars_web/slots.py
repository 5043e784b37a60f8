"""Places on core's pages that plugins fill: each part is made in its own guard, and gives way to a notice when it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import current_app, g, render_template, request
from jinja2 import Environment, Template
from jinja2.runtime import Context
from markupsafe import Markup
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import Panel, Place, Widget
from regulars_plugin_api.hookspecs import web as hooks
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_web.personal import preference

MOST_CHARACTERS = 500_000


class Slot(NamedTuple):
    """A plugin's part of a page. ``html`` is None while it is to be loaded later, from the page's address for ``plugin`` and ``key``."""

    plugin: str
    key: str
    title: Text
    html: Markup | None = None


@dataclass(frozen=True)
class Found:
    """What plugins want to show, and which of them could not say."""

    parts: Sequence[tuple[str, Any]]
    failed: Sequence[str]

    def part(self, plugin: str, key: str) -> Any | None:
        """The part of this name."""
        return next((part for name, part in self.parts if (name, part.key) == (plugin, key)), None)


def panels(crm: Crm, customer: CustomerView, viewer: Viewer) -> Found:
    """The panels of a customer's page, in the order they stand in."""
    return _found(crm, [(a.plugin, a.value, a.failure) for a in crm.bus.answers(hooks.customer_panels, customer=customer, viewer=viewer)])


def widgets(crm: Crm, viewer: Viewer) -> Found:
    """The tiles of the home page that the viewer may see."""
    found = _found(crm, [(a.plugin, a.value, a.failure) for a in crm.bus.answers(hooks.dashboard_widgets, viewer=viewer)])
    return Found([(plugin, part) for plugin, part in found.parts if viewer.may(part.permission)], found.failed)


def arranged(found: Found, what: str, *, hidden_too: bool = False) -> Found:
    """The parts in the user's own order, less those the user hides. ``what`` is ``panels`` or ``home``; parts never arranged come last."""
    order = {one: place for place, one in enumerate((preference(what) or {}).get("order", ()))}
    away = set() if hidden_too else hidden(what)
    parts = [(plugin, part) for plugin, part in found.parts if name(plugin, part) not in away]
    return Found(sorted(parts, key=lambda one: order.get(name(*one), len(order))), found.failed)


def hidden(what: str) -> set[str]:
    """Names of the parts the user does not want to see."""
    return set((preference(what) or {}).get("hidden", ()))


def name(plugin: str, part: Any) -> str:
    """What tells a part from all others."""
    return f"{plugin}/{part.key}"


def part_template(part: str) -> str:
    """The template of a part that is loaded after its page; asked for by somebody without scripts it is a page of its own."""
    return part if "HX-Request" in request.headers else "part.html"


def panel_slot(crm: Crm, plugin: str, panel: Panel, customer: CustomerView, viewer: Viewer) -> Slot:
    """A panel, made now."""
    return _filled(crm, plugin, panel, lambda session: panel.load(session, customer, viewer), viewer, customer=customer)


def widget_slot(crm: Crm, plugin: str, widget: Widget, viewer: Viewer) -> Slot:
    """A tile, made now."""
    return _filled(crm, plugin, widget, lambda session: widget.load(session, viewer), viewer)


def placed(found: Found, place: Place) -> list[tuple[str, Panel]]:
    """The panels that belong in ``place``."""
    return [(plugin, panel) for plugin, panel in found.parts if panel.place is place]


def _found(crm: Crm, answers: Sequence[tuple[str, Any, str | None]]) -> Found:
    parts = [(plugin, part) for plugin, value, _failure in answers for part in value or ()]
    parts.sort(key=lambda named: (named[1].weight, str(named[1].title)))
    return Found(parts, [str(crm.plugins.loaded[plugin].manifest.title) for plugin, _value, failure in answers if failure])


def _filled(
    crm: Crm, plugin: str, part: Panel | Widget, load: Callable[[Session], Mapping[str, Any]], viewer: Viewer, **about: Any
) -> Slot:
    def drawn() -> Markup:
        with crm.read(viewer) as session:
            values = load(session)
        return _drawn(part.template, {**about, **values})

    html = crm.bus.guarded(plugin, f"panel {part.key}", drawn).value
    return Slot(plugin, part.key, part.title, html if html is not None else Markup(render_template("_slot_failed.html")))  # noqa: S704


def _drawn(template: str, values: dict[str, Any]) -> Markup:
    environment, known = _shared_by_parts()
    made = environment.get_template(template)
    pieces, length = [], 0
    for piece in made.root_render_func(_context(made, known, values)):
        pieces.append(piece)
        length += len(piece)
        if length > MOST_CHARACTERS:
            raise ValueError(f"more than {MOST_CHARACTERS} characters")
    # A template that escaped what it printed.
    return Markup("".join(pieces))  # noqa: S704


def _context(template: Template, known: dict[str, Any], values: dict[str, Any]) -> Context:
    context = template.new_context(known, shared=True)
    context.vars.update(values)
    return context


def _shared_by_parts() -> tuple[Environment, dict[str, Any]]:
    """The environment of templates and what each of them is told; found out once for all parts of a page, where Jinja would for each."""
    shared: tuple[Environment, dict[str, Any]] | None = g.get("shared_by_parts")
    if shared is None:
        known = dict(current_app.jinja_env.globals)
        current_app.update_template_context(known)
        shared = g.shared_by_parts = current_app.jinja_env, known
    return shared
