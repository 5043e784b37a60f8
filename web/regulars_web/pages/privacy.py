"""What a person may ask for: their data, and to be forgotten."""

from __future__ import annotations

import datetime as dt
import tempfile

from flask import Blueprint, Response, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue

from regulars_core.privacy import erasing, tables
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here

pages = Blueprint("privacy", __name__)


@pages.get("/customers/<int:customer_id>/privacy")
@access("customers.personal_data")
def page(customer_id: int) -> str:
    """The two things a person may ask for."""
    return _page(_seen(customer_id))


@pages.post("/customers/<int:customer_id>/personal-data")
@access("customers.personal_data")
def personal_data(customer_id: int) -> Response:
    """The package, as a file."""
    customer = _seen(customer_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the answer
    crm_here().privacy.personal_data(customer.id, file)
    file.seek(0)
    return send_file(file, "application/zip", as_attachment=True, download_name=f"personal-data-{customer.uid}.zip")


@pages.post("/customers/<int:customer_id>/erase")
@access("customers.personal_data")
def erase(customer_id: int) -> ResponseReturnValue:
    """Forget the customer, whose name was typed to make sure."""
    customer = _seen(customer_id)
    typed = request.form.get("name", "")
    if " ".join(typed.split()) != " ".join(customer.display_name.split()):
        return _page(customer, _("Type the name exactly as it stands above. Nothing was erased."), typed), 422
    with crm_here().transaction() as session:
        number = crm_here().privacy.erase(customer.id, session=session)
    return redirect(url_for("privacy.receipt", number=number))


@pages.get("/erasures/<int:number>")
@access("customers.personal_data")
def receipt(number: int) -> str:
    """What an erasure did, to be printed."""
    with crm_here().read(current_viewer()) as session:
        found = erasing.receipt(session, number)
    rows = [(tables.title(crm_here(), table), count) for table, count in found["rows"].items()]
    stamps = {name: found[name] and dt.datetime.fromisoformat(found[name]) for name in ("at", "scrubbed_at")}
    return render("erasure.html", receipt=found | stamps, rows=rows)


def _seen(customer_id: int) -> CustomerView:
    with crm_here().read(current_viewer()) as session:
        return crm_here().customers.seen_by(session, current_viewer(), customer_id)


def _page(customer: CustomerView, wrong: Text = "", typed: str = "") -> str:
    return render("privacy.html", customer=customer, wrong={"name": wrong} if wrong else {}, typed=typed)
