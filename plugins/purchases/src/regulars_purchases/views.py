"""Pages of the plugin: a customer's receipts, and one receipt."""

from __future__ import annotations

import datetime as dt

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import PluginBlueprint, access, current_crm, current_viewer, render
from regulars_purchases import service
from regulars_purchases.i18n import _
from regulars_purchases.records import ReceiptView
from regulars_purchases.service import Position

pages = PluginBlueprint("purchases", __name__, url_prefix="/purchases")

PAGE = 50


@pages.get("/customers/<int:customer_id>")
@access("purchases.view")
def customer(customer_id: int) -> ResponseReturnValue:
    """All receipts of a customer, newest first."""
    viewer = current_viewer()
    with current_crm().read(viewer) as session:
        seen = current_crm().customers.seen_by(session, viewer, customer_id)
        if seen.id != customer_id:
            return redirect(url_for("purchases.customer", customer_id=seen.id))
        found = service.receipts_of(session, seen.id, viewer, after=_position(request.args.get("after")), limit=PAGE + 1)
        shown = found[:PAGE]
    following = _token(shown[-1]) if len(found) > PAGE else None
    return render("purchases/customer.html", customer=seen, receipts=shown, following=following)


@pages.get("/receipts/<int:receipt_id>")
@access("purchases.view")
def receipt(receipt_id: int) -> str:
    """One receipt with its lines."""
    viewer = current_viewer()
    with current_crm().read(viewer) as session:
        found = service.receipt(session, receipt_id, viewer)
        seen = buyer(session, found, viewer)
        lines = service.lines_of(session, found)
    return render("purchases/receipt.html", receipt=found, customer=seen, lines=lines)


def buyer(session: Session, receipt: ReceiptView, viewer: Viewer) -> CustomerView | None:
    """The receipt's customer as far as the viewer may know. Raises ``NotFound`` if neither customer nor store is theirs to see."""
    in_scope = viewer.store_ids is None or receipt.store_id in viewer.store_ids
    try:
        if receipt.customer_id is not None and viewer.may("customers.view"):
            return current_crm().customers.seen_by(session, viewer, receipt.customer_id)
    except NotFound:
        if not in_scope:
            raise
    if not in_scope:
        raise NotFound(_("There is no such receipt."))
    return None


def _position(token: str | None) -> Position | None:
    if token is None:
        return None
    at, _separator, number = token.rpartition("_")
    try:
        moment = dt.datetime.fromisoformat(at)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC), int(number)
    except ValueError as error:
        raise InvalidInput(after=_("This is not a place in the list.")) from error


def _token(last: ReceiptView) -> str:
    return f"{last.sold_at.replace(tzinfo=None).isoformat()}_{last.id}"
