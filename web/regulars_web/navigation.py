"""The menu: core's entries and the plugins', as the viewer may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, g, render_template, request
from markupsafe import Markup

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import NavItem
from regulars_plugin_api.hookspecs import data as report_hooks
from regulars_plugin_api.hookspecs import web as hooks
from regulars_plugin_api.i18n import Text, _, current_locale
from regulars_web.links import address_of

SECTIONS = {"main": "", "plugins": _("Plugins"), "administration": _("Administration")}
CORE = (
    NavItem(_("Home"), "home.page", "customers.view", weight=0, icon="home"),
    NavItem(_("Customers"), "customers.page", "customers.view", weight=10, icon="users"),
    NavItem(_("Till"), "till.page", "customers.view", weight=20, icon="receipt"),
    NavItem(_("Import"), "imports.page", "imports.run", section="administration", weight=10, icon="upload"),
    NavItem(_("Export"), "exports.page", "customers.export", section="administration", weight=15, icon="download"),
    NavItem(_("Duplicates"), "duplicates.page", "customers.merge", section="administration", weight=16, icon="git-merge"),
    NavItem(_("Trash"), "trash.page", "customers.edit", section="administration", weight=18, icon="trash"),
    NavItem(_("Stores"), "stores.page", "stores.view", section="administration", weight=20, icon="building-store"),
    NavItem(_("Users"), "users.page", "users.manage", section="administration", weight=30, icon="user"),
    NavItem(_("Plugins"), "plugins.page", "plugins.manage", section="administration", weight=40, icon="puzzle"),
    NavItem(_("Jobs and events"), "jobs.page", "jobs.manage", section="administration", weight=50, icon="refresh"),
    NavItem(_("Record of changes"), "audit.page", "audit.view", section="administration", weight=55, icon="shield-check"),
    NavItem(_("Settings"), "settings.page", "settings.manage", section="administration", weight=60, icon="settings"),
)
REPORTS = NavItem(_("Reports"), "reports.page", "customers.view", weight=60, icon="list-details")
ON_THE_BAR = 4


@dataclass(frozen=True)
class Entry:
    """A menu entry as the template prints it; ``on_bar`` ones stand in the bottom bar of a phone."""

    label: Text
    url: str
    icon: str
    is_current: bool
    on_bar: bool


@dataclass(frozen=True)
class Section:
    """Entries under one heading."""

    title: Text
    entries: Sequence[Entry]


def install(app: Flask, crm: Crm) -> None:
    """Give templates ``menu()``, and ``drawn_menu()``: the same drawn, which is done once for all who are shown the same."""

    @lru_cache(maxsize=512)
    def drawn(items: tuple[NavItem, ...], endpoint: str | None, _locale: str, _root: str) -> Markup:
        # A template that escaped what it printed.
        return Markup(render_template("_menu.html", menu=_sections(items, endpoint), endpoint=endpoint))  # noqa: S704

    app.jinja_env.globals["menu"] = lambda: menu(crm)
    app.jinja_env.globals["drawn_menu"] = lambda: drawn(_shown(crm), request.endpoint, current_locale(), request.script_root)


def menu(crm: Crm) -> list[Section]:
    """The menu of whoever asks, in the running request."""
    return _sections(_shown(crm), request.endpoint)


def _shown(crm: Crm) -> tuple[NavItem, ...]:
    may = g.viewer.may
    # Reports are the plugins' alone.
    core = (*CORE, REPORTS) if crm.bus.is_implemented(report_hooks.reports) else CORE
    return tuple(item for item in (*core, *crm.bus.collect(hooks.nav_items, viewer=g.viewer)) if may(item.permission))


def _sections(items: Sequence[NavItem], endpoint: str | None) -> list[Section]:
    # An entry that leads nowhere is its plugin's mistake; it must not cost anybody a page.
    known = ((item, url) for item in items if (url := address_of(item.endpoint)) is not None)
    allowed = sorted(known, key=lambda found: (found[0].weight, found[0].endpoint))
    current = _current([item.endpoint for item, _url in allowed], endpoint or "")
    sections, shown = [], 0
    for name, title in SECTIONS.items():
        entries = []
        for item, url in allowed:
            if (item.section if item.section in SECTIONS else "plugins") == name:
                entries.append(Entry(item.label, url, item.icon, item.endpoint == current, shown < ON_THE_BAR))
                shown += 1
        if entries:
            sections.append(Section(title, entries))
    return sections


def _current(endpoints: Sequence[str], here: str) -> str | None:
    """The entry of the page itself, else the only one of the same part of the application."""
    part = here.rpartition(".")[0]
    if here in endpoints or part == "home":
        return here
    of_the_part = [endpoint for endpoint in endpoints if endpoint.partition(".")[0] == part]
    return of_the_part[0] if len(of_the_part) == 1 else None
