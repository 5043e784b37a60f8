"""Changing a few facts where they stand, on the customer's page. Without scripts each is a small page of its own."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_plugin_api.errors import Conflict, InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import slots
from regulars_web.filtering import GENDERS, STATUSES
from regulars_web.pages import customer as whole
from regulars_web.running import crm_here

pages: Blueprint = whole.pages

PARTS: Mapping[str, tuple[Text, tuple[str, ...]]] = {
    "contact": (_("Contact"), ("phones", "emails", "street", "postal_code", "city", "country")),
    "particulars": (_("Particulars"), ("status", "birthday", "gender", "language", "store", "tags")),
    "notes": (_("Notes"), ("notes",)),
}


@pages.get("/customers/<int:customer_id>/quick/<part>")
@access("customers.edit")
def quick(customer_id: int, part: str) -> str:
    """The few fields of one part."""
    customer = whole.seen(customer_id)
    return _form(customer, part, whole.as_typed(customer), {})


@pages.post("/customers/<int:customer_id>/quick/<part>")
@access("customers.edit")
def save_quick(customer_id: int, part: str) -> ResponseReturnValue:
    """Keep them, unless somebody else was faster."""
    customer, form = whole.seen(customer_id), request.form
    names = _part(part)[1]
    if customer.deleted:
        return _form(customer, part, form, {"customer": whole.IN_THE_TRASH}), 409
    try:
        crm_here().customers.update(customer.id, {name: form[name] for name in names if name in form} | {"version": form.get("version")})
    except InvalidInput as wrong:
        return _form(customer, part, form, wrong.fields), 422
    except Conflict as conflict:
        return _form(customer, part, {**form, "version": str(customer.version)}, {"customer": conflict.message}), 409
    if "HX-Request" not in request.headers:
        return redirect(url_for("customers.show", customer_id=customer.id))
    if part == "notes":
        return "", 200, {"HX-Refresh": "true"}
    reply = make_response(head(customer.id))
    reply.headers.update({"HX-Retarget": "#head", "HX-Reswap": "outerHTML"})
    return reply


@pages.get("/customers/<int:customer_id>/head")
@access("customers.view")
def head(customer_id: int) -> str:
    """The top of the customer's page alone: what a small form gives way to."""
    customer = whole.seen(customer_id)
    return render("_customer_head.html", **whole.about(customer, slots.panels(crm_here(), customer, current_viewer())))


def _part(name: str) -> tuple[Text, tuple[str, ...]]:
    return PARTS[name] if name in PARTS else abort(404)


def _form(customer: CustomerView, part: str, given: Mapping[str, str], wrong: Mapping[str, Text]) -> str:
    title, names = _part(part)
    with crm_here().read(current_viewer()) as session:
        all_stores = whole.store_choices(session)
    values = {"customer": customer, "part": part, "title": title, "names": names, "given": given, "wrong": wrong}
    template = "_quick_form.html" if "HX-Request" in request.headers else "quick_form.html"
    return render(template, all_stores=all_stores, statuses=STATUSES, genders=GENDERS, **values)
