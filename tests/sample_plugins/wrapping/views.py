"""The list of wishes, and making one."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_plugin_api.web import PluginBlueprint, access, current_crm, current_viewer, render
from sample_plugins.wrapping import service

pages = PluginBlueprint("wrapping", __name__, url_prefix="/wrapping")


@pages.get("/")
@access("wrapping.view")
def listed() -> str:
    """Wishes, newest first."""
    viewer = current_viewer()
    with current_crm().read(viewer) as session:
        return render("wrapping/list.html", wishes=service.listed(session, viewer))


@pages.post("/customers/<int:customer_id>")
@access("wrapping.edit")
def make(customer_id: int) -> ResponseReturnValue:
    """Write a wish down."""
    with current_crm().transaction() as session:
        customer = current_crm().customers.seen_by(session, current_viewer(), customer_id)
        service.make(session, customer.id, request.form.get("words", ""))
    return redirect(url_for("customers.show", customer_id=customer.id))
