"""The order of blocks on the customer page and of tiles at home, as each user wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.users import service
from regulars_plugin_api.contributions import Place
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import slots
from regulars_web.gate import SIGNED_IN
from regulars_web.pages import customer as whole
from regulars_web.running import crm_here

pages = Blueprint("arrange", __name__)


@pages.get("/home/arrange")
@access(SIGNED_IN)
def home() -> str:
    """The tiles of the start page, with buttons to move and to hide each."""
    return _page(_("Arrange the start page"), "home", _tiles(), url_for("home.page"))


@pages.post("/home/arrange")
@access(SIGNED_IN)
def arrange_home() -> ResponseReturnValue:
    """Move or hide one tile."""
    _keep("home", _tiles())
    return redirect(url_for("arrange.home"))


@pages.get("/customers/<int:customer_id>/arrange")
@access("customers.view")
def panels(customer_id: int) -> str:
    """The blocks of the customer page."""
    back = url_for("customers.show", customer_id=customer_id)
    return _page(_("Arrange the customer page"), "panels", _panels(customer_id), back)


@pages.post("/customers/<int:customer_id>/arrange")
@access("customers.view")
def arrange_panels(customer_id: int) -> ResponseReturnValue:
    """Move or hide one block, on the pages of all customers."""
    _keep("panels", _panels(customer_id))
    return redirect(url_for("arrange.panels", customer_id=customer_id))


def _tiles() -> Sequence[tuple[str, Any]]:
    return slots.arranged(slots.widgets(crm_here(), current_viewer()), "home", hidden_too=True).parts


def _panels(customer_id: int) -> Sequence[tuple[str, Any]]:
    found = slots.panels(crm_here(), whole.seen(customer_id), current_viewer())
    shown = slots.arranged(found, "panels", hidden_too=True).parts
    return [(plugin, part) for plugin, part in shown if part.place in (Place.MAIN, Place.SIDE)]


def _page(title: Text, what: str, parts: Sequence[tuple[str, Any]], back: str) -> str:
    hidden = slots.hidden(what)
    rows = [(slots.name(plugin, part), part.title, slots.name(plugin, part) in hidden) for plugin, part in parts]
    return render("arrange.html", title=title, rows=rows, back=back)


def _keep(what: str, parts: Sequence[tuple[str, Any]]) -> None:
    order = [slots.name(plugin, part) for plugin, part in parts]
    step, _colon, chosen = request.form.get("do", "").partition(":")
    hidden = slots.hidden(what)
    if chosen in order:
        place = order.index(chosen)
        if step in ("up", "down"):
            order.insert(max(0, place + (1 if step == "down" else -1)), order.pop(place))
        elif step in ("hide", "show"):
            hidden = hidden - {chosen} if step == "show" else hidden | {chosen}
    with crm_here().transaction() as session:
        service.prefer(session, current_viewer().user_id or 0, **{what: {"order": order, "hidden": sorted(hidden)}})
