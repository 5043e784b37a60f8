"""The start page, and the whole menu for phones."""

from __future__ import annotations

from flask import Blueprint, abort, url_for

from regulars_core.audit import history
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import slots
from regulars_web.gate import SIGNED_IN
from regulars_web.running import crm_here
from regulars_web.slots import part_template

pages = Blueprint("home", __name__)
RECENT = 8


@pages.get("/")
@access(SIGNED_IN)
def page() -> str:
    """Tiles of plugins, and where to begin."""
    viewer, customers = current_viewer(), crm_here().customers
    recent: list[CustomerView] = []
    if viewer.may("customers.view"):
        with crm_here().read(viewer) as session:
            latest = history.changed_customers(session, RECENT)
            known = customers.get_many(latest, session=session)
            seen = customers.visible_ids(session, viewer, latest)
        recent = [known[one] for one in latest if one in known and one in seen]
    today = crm_here().clock.now().astimezone(crm_here().config.timezone).date()
    widgets = slots.arranged(slots.widgets(crm_here(), viewer), "home")
    return render("home.html", widgets=widgets, recent=recent, today=today)


@pages.get("/home/widgets/<plugin>/<key>")
@access(SIGNED_IN)
def widget(plugin: str, key: str) -> str:
    """One tile, loaded after the page."""
    found = slots.widgets(crm_here(), current_viewer())
    part = found.part(plugin, key)
    if part is None:
        abort(404)
    return render(
        part_template("_widget.html"),
        part="_widget.html",
        back=url_for("home.page"),
        slot=slots.widget_slot(crm_here(), plugin, part, current_viewer()),
    )


@pages.get("/home/menu")
@access(SIGNED_IN)
def more() -> str:
    """Everything the bottom bar has no room for."""
    return render("more.html")
