"""Customers who may be one person, and saying that they are not."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_core.customers import duplicates
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import merges
from regulars_web.running import crm_here
from regulars_web.security import safe_next

pages = Blueprint("duplicates", __name__)
PAGE_SIZE, FOUND_SHOWN, MERGES_SHOWN = 30, 10, 5
LONGEST = 200


@pages.get("/duplicates")
@access("customers.merge")
def page() -> str:
    """Pairs who share a contact or a name, and the merges made last."""
    after = tuple(request.args.get(name, 0, type=int) for name in ("low", "high"))
    with crm_here().read(current_viewer()) as session:
        found = duplicates.listed(crm_here(), session, current_viewer(), after=(after[0], after[1]), limit=PAGE_SIZE)
        latest = merges.listed(crm_here(), session, current_viewer(), limit=MERGES_SHOWN)
    return render("duplicates.html", found=found, merges=latest, reasons=duplicates.REASONS, later=after != (0, 0))


@pages.get("/customers/<int:customer_id>/duplicates")
@access("customers.merge")
def of(customer_id: int) -> str:
    """Who may be the same as one customer, and a search for somebody else."""
    query = request.args.get("q", "").strip()[:LONGEST]
    viewer = current_viewer()
    with crm_here().read(viewer) as session:
        customer = crm_here().customers.seen_by(session, viewer, customer_id)
        pairs = duplicates.of(crm_here(), session, viewer, customer.id)
        found = _found(session, query, customer)
    values: dict[str, Any] = {"customer": customer, "pairs": pairs, "found": found, "query": query}
    return render("customer_duplicates.html", reasons=duplicates.REASONS, **values)


@pages.post("/duplicates/different")
@access("customers.merge")
def different() -> ResponseReturnValue:
    """Two customers are two."""
    viewer = current_viewer()
    ids = [request.form.get(name, 0, type=int) for name in ("one", "other")]
    with crm_here().transaction() as session:
        one, other = (crm_here().customers.seen_by(session, viewer, number) for number in ids)
        duplicates.not_the_same(session, one.id, other.id)
    flash(str(_("%(one)s and %(other)s are two, and will not be shown again.", one=one.display_name, other=other.display_name)), "ok")
    return redirect(safe_next(request.form.get("next") or url_for("duplicates.page")))


def _found(session: Session, query: str, customer: CustomerView) -> list[CustomerView]:
    if not query:
        return []
    rows = crm_here().customers.page(session, current_viewer(), query=query, limit=FOUND_SHOWN).rows
    return [row for row in rows if row.id != customer.id]
