"""What was thrown away, with a way back."""

from __future__ import annotations

from flask import Blueprint, request

from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here

pages = Blueprint("trash", __name__)
PAGE_SIZE = 50
LONGEST = 400


@pages.get("/trash")
@access("customers.edit")
def page() -> str:
    """Customers in the trash, by name."""
    name, number = request.args.get("name", "")[:LONGEST], request.args.get("number", 0, type=int)
    with crm_here().read(current_viewer()) as session:
        after = (name, number) if number else None
        found = crm_here().customers.page(session, current_viewer(), after=after, limit=PAGE_SIZE, trash=True)
    return render("trash.html", page=found, later=after is not None)
