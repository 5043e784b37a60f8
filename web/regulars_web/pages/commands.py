"""The command bar (Ctrl+K): pages, actions and customers by a few letters. Without scripts it is a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, request, url_for

from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.values import fold
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import navigation
from regulars_web.gate import SIGNED_IN
from regulars_web.listing import lines
from regulars_web.running import crm_here

pages = Blueprint("commands", __name__)
CUSTOMERS, PLACES, LONGEST = 6, 8, 100

SHORTCUTS: tuple[tuple[str, Text], ...] = (
    ("/", _("Search")),
    ("Ctrl K", _("Go anywhere")),
    ("+", _("Add customer")),
    ("n", _("Add customer")),
    ("g h", _("Go to the start page")),
    ("g c", _("Go to customers")),
    ("g t", _("Go to the till")),
    ("?", _("These shortcuts")),
    ("Esc", _("Close what is open")),
)


@dataclass(frozen=True)
class Command:
    """A line of the command bar."""

    label: Text
    url: str
    icon: str
    detail: Text = ""


@pages.get("/commands")
@access(SIGNED_IN)
def page() -> str:
    """What fits the letters typed so far: the lines alone for the bar, else a page."""
    wanted = request.args.get("go", "").strip()[:LONGEST]
    template = "_commands.html" if "HX-Request" in request.headers else "commands.html"
    return render(template, wanted=wanted, commands=[*_places(wanted), *customers_like(wanted)])


@pages.get("/shortcuts")
@access(SIGNED_IN)
def shortcuts() -> str:
    """The keys that lead somewhere."""
    return render("_shortcuts.html" if "HX-Request" in request.headers else "shortcuts.html", shortcuts=SHORTCUTS)


def customers_like(wanted: str) -> list[Command]:
    """The first customers that fit, for whoever may see customers."""
    viewer = current_viewer()
    if not wanted or not viewer.may("customers.view"):
        return []
    with crm_here().read(viewer) as session:
        found = lines(crm_here(), session, viewer, query=wanted, apart=(), limit=CUSTOMERS).rows
    return [
        Command(one.display_name, url_for("customers.show", customer_id=one.id), "users", one.reached or _("Customer")) for one in found
    ]


def _places(wanted: str) -> list[Command]:
    letters = fold(wanted)
    return [one for one in _all_places() if letters in fold(str(one.label))][:PLACES]


def _all_places() -> Iterator[Command]:
    viewer = current_viewer()
    actions = (
        ("customers.edit", _("Add customer"), "customers.add", "plus"),
        ("imports.run", _("Import a file"), "imports.new", "upload"),
        ("customers.export", _("Export"), "exports.new", "download"),
        ("users.manage", _("Add user"), "users.add", "user"),
        ("stores.edit", _("Add store"), "stores.add", "building-store"),
    )
    for section in navigation.menu(crm_here()):
        for entry in section.entries:
            yield Command(entry.label, entry.url, entry.icon, section.title)
    for permission, label, endpoint, icon in actions:
        if viewer.may(permission):
            yield Command(label, url_for(endpoint), icon, _("Action"))
    yield Command(_("Profile and password"), url_for("profile.page"), "user")
    yield Command(_("Notices"), url_for("notices.page"), "bell")
    yield Command(_("Shortcuts"), url_for("commands.shortcuts"), "keyboard")
