"""What is done to the customers ticked in the list. Every one of them must be one the viewer sees."""

from __future__ import annotations

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_plugin_api.i18n import _, _n
from regulars_plugin_api.web import access, current_viewer
from regulars_web.pages.customer import pages
from regulars_web.pages.customers import address, state_of
from regulars_web.running import crm_here

MOST = 500


@pages.post("/customers/bulk/trash")
@access("customers.edit")
def trash_many() -> ResponseReturnValue:
    """Move them to the trash; the list offers the way back."""
    with crm_here().transaction() as session:
        chosen = sorted(crm_here().customers.get_many(_chosen(session), session=session))
        for customer_id in chosen:
            crm_here().customers.trash(session, customer_id)
    return redirect(address(state_of(request.form), trashed=",".join(map(str, chosen))))


@pages.post("/customers/bulk/restore")
@access("customers.edit")
def restore_many() -> ResponseReturnValue:
    """Take them out of the trash again."""
    with crm_here().transaction() as session:
        for customer_id in _chosen(session):
            crm_here().customers.restore(session, customer_id)
    return redirect(address(state_of(request.form)))


@pages.post("/customers/bulk/tag")
@access("customers.edit")
def tag_many() -> ResponseReturnValue:
    """Give them a tag."""
    tag, changed = request.form.get("new_tag", "").strip(), 0
    if not tag:
        flash(str(_("Write the tag first.")), "bad")
        return redirect(address(state_of(request.form)))
    with crm_here().transaction() as session:
        customers = crm_here().customers
        for customer in customers.get_many(_chosen(session), session=session).values():
            if tag not in customer.tags:
                customers.update(customer.id, {"tags": "; ".join([*customer.tags, tag])}, session=session)
                changed += 1
    flash(str(_n("%(num)s customer has the tag now.", "%(num)s customers have the tag now.", changed)), "ok")
    return redirect(address(state_of(request.form)))


def _chosen(session: Session) -> list[int]:
    ids = [int(one) for one in request.form.getlist("id")[:MOST] if one.isdecimal() and len(one) < 18]
    return sorted(crm_here().customers.visible_ids(session, current_viewer(), ids))
