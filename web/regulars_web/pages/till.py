"""At the till: one field for whatever is at hand, typed or scanned, and the customer behind it."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import lookups
from regulars_web.listing import lines
from regulars_web.pages.search import found_by_plugins
from regulars_web.running import crm_here

pages = Blueprint("till", __name__)
LONGEST, MOST = 200, 10


@pages.get("/till")
@access("customers.view")
def page() -> ResponseReturnValue:
    """The field; one customer opens at once, several are shown to choose from, as is what plugins know by it; none can be added."""
    wanted, viewer, crm = request.args.get("find", "").strip()[:LONGEST], current_viewer(), crm_here()
    if not wanted:
        return render("till.html", wanted="", found=None)
    with crm.read(viewer) as session:
        found = lookups.alike(crm, session, viewer, wanted)
        if len(found) == 1:
            return redirect(url_for("customers.show", customer_id=found[0].id))
        by_name = [] if found else lines(crm, session, viewer, query=wanted, limit=MOST).rows
    is_number = sum(character.isdigit() for character in wanted) >= 5
    if is_number and len(by_name) == 1:
        # A number without its country, or half of one, that only one customer has.
        return redirect(url_for("customers.show", customer_id=by_name[0].id))
    prefill = "emails" if "@" in wanted else "phones" if is_number else "first_name"
    groups = [] if found or by_name else found_by_plugins(wanted)
    return render("till.html", wanted=wanted, found=found or by_name, groups=groups, prefill={prefill: wanted})
