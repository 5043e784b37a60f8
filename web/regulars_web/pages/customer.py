"""One customer: the page with its tabs and panels, adding and changing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from regulars_core.audit import history
from regulars_core.customers import duplicates
from regulars_core.stores import service as stores
from regulars_plugin_api.contributions import Place
from regulars_plugin_api.errors import Conflict, InvalidInput, NotFound
from regulars_plugin_api.hookspecs import web as hooks
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.views import CustomerView, StoreView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import conflicts, contacting, kept, lookups, slots
from regulars_web.audit_words import told
from regulars_web.filtering import GENDERS, KINDS, STATUSES
from regulars_web.links import leads_somewhere
from regulars_web.pages import timeline
from regulars_web.personal import preference
from regulars_web.running import crm_here

pages = Blueprint("customers", __name__)

TYPED = (
    *("kind", "status", "first_name", "last_name", "display_name", "birthday", "gender", "language"),
    *("emails", "phones", "street", "city", "postal_code", "region", "country", "store", "tags", "notes"),
)
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHANGES_SHOWN = 50
MOST_CHOICES = 80
IN_THE_TRASH = _("This customer is in the trash. Take it out of there first.")
FRAMELESS = (Place.FACT, Place.COMPOSER)
"""Places without a frame that could say that something is still to come."""


@pages.get("/customers/<int:customer_id>")
@access("customers.view")
def show(customer_id: int) -> ResponseReturnValue:
    """The customer's page: what plugins show in the middle and at the side."""
    customer = seen(customer_id)
    if customer.id != customer_id:
        return redirect(url_for("customers.show", customer_id=customer.id))
    found = slots.arranged(slots.panels(crm_here(), customer, current_viewer()), "panels")
    places = {place.value: _slots(customer, found, place) for place in (Place.COMPOSER, Place.MAIN, Place.SIDE)}
    values = about(customer, found) | places | timeline.batch(customer, {})
    return render("customer.html", current="overview", **values)


@pages.get("/customers/<int:customer_id>/tab/<plugin>/<key>")
@access("customers.view")
def tab(customer_id: int, plugin: str, key: str) -> str:
    """A plugin's tab."""
    customer = seen(customer_id)
    found = slots.panels(crm_here(), customer, current_viewer())
    panel = found.part(plugin, key)
    if panel is None:
        abort(404)
    slot = slots.panel_slot(crm_here(), plugin, panel, customer, current_viewer())
    return render("customer_tab.html", slot=slot, current=f"{plugin}/{key}", **about(customer, found))


@pages.get("/customers/<int:customer_id>/panels/<plugin>/<key>")
@access("customers.view")
def panel(customer_id: int, plugin: str, key: str) -> str:
    """One panel, loaded after the page."""
    customer = seen(customer_id)
    part = slots.panels(crm_here(), customer, current_viewer()).part(plugin, key)
    if part is None:
        abort(404)
    slot = slots.panel_slot(crm_here(), plugin, part, customer, current_viewer())
    back = url_for("customers.show", customer_id=customer.id)
    return render(slots.part_template("_panel.html"), part="_panel.html", back=back, slot=slot, customer=customer)


@pages.get("/customers/<int:customer_id>/changes")
@access("customers.history")
def changes(customer_id: int) -> str:
    """Who changed what."""
    customer = seen(customer_id)
    before = request.args.get("before", type=int)
    with crm_here().read(current_viewer()) as session:
        entries = history.of_customer(session, customer.id, before=before, limit=CHANGES_SHOWN + 1)
        shown = told(crm_here(), session, current_viewer(), entries[:CHANGES_SHOWN])
    following = entries[CHANGES_SHOWN - 1].id if len(entries) > CHANGES_SHOWN else None
    found = slots.panels(crm_here(), customer, current_viewer())
    return render("customer_changes.html", entries=shown, following=following, current="changes", **about(customer, found))


@pages.get("/customers/new")
@access("customers.edit")
def add() -> str:
    """The form of a new customer."""
    known = {name: request.args.get(name, "") for name in ("first_name", "phones", "emails")}
    store = (preference("store") or {}).get("code", "")
    return _form({"kind": "person", "status": "active", "uid": uuid7(), "store": store, **known}, {})


@pages.post("/customers/new")
@access("customers.edit")
def create() -> ResponseReturnValue:
    """Add a customer."""
    viewer, typed, warnings, uid = current_viewer(), _typed(), list[Text](), _uid()
    try:
        alike: list[Any] = []
        if "anyway" not in request.form:
            with crm_here().read(viewer) as session:
                alike = duplicates.like(crm_here(), session, viewer, typed)
        # Asked after the look for duplicates, for the same form sent twice at once may be what was found.
        if (made := _made_before(uid)) is not None:
            return redirect(url_for("customers.show", customer_id=made))
        if alike:
            return _form(request.form, {}, alike=alike), 409
        customer_id = crm_here().customers.create(typed, warn=warnings.append, uid=uid)
    except InvalidInput as wrong:
        return _form(request.form, wrong.fields), 422
    except IntegrityError:
        # The same form, sent twice at once: the other one was first.
        if (made := _made_before(uid)) is None:
            raise
        return redirect(url_for("customers.show", customer_id=made))
    flash(str(_("The customer is added.")), "ok")
    _flash_warnings(warnings)
    return redirect(url_for("customers.show", customer_id=customer_id))


@pages.get("/customers/<int:customer_id>/edit")
@access("customers.edit")
def edit(customer_id: int) -> str:
    """The form with what is known."""
    customer = seen(customer_id)
    return _form(as_typed(customer), {}, customer)


@pages.post("/customers/<int:customer_id>/edit")
@access("customers.edit")
def save(customer_id: int) -> ResponseReturnValue:
    """Keep what was changed, unless somebody else was faster."""
    customer, warnings = seen(customer_id), list[Text]()
    if customer.deleted:
        return _form(request.form, {"customer": IN_THE_TRASH}, customer), 409
    typed, version = conflicts.settle(_typed(), as_typed(customer), request.form), request.form.get("version")
    try:
        if version != str(customer.version):
            theirs = as_typed(customer)
            typed, differences = conflicts.compare(conflicts.read_before(request.form), theirs, typed)
            if differences:
                return _form({**typed, "version": theirs["version"]}, {}, customer, differences=differences), 409
        crm_here().customers.update(customer.id, typed | {"version": str(customer.version)}, warn=warnings.append)
    except InvalidInput as wrong:
        return _form(request.form, wrong.fields, customer), 422
    except Conflict as conflict:
        return _form(request.form, {"customer": conflict.message}, customer), 409
    flash(str(_("The changes are saved.")), "ok")
    _flash_warnings(warnings)
    return redirect(url_for("customers.show", customer_id=customer.id))


@pages.post("/customers/<int:customer_id>/trash")
@access("customers.edit")
def trash(customer_id: int) -> ResponseReturnValue:
    """Move the customer to the trash, with a way back."""
    customer = seen(customer_id)
    with crm_here().transaction() as session:
        crm_here().customers.trash(session, customer.id)
    return redirect(url_for("customers.show", customer_id=customer.id))


@pages.post("/customers/<int:customer_id>/restore")
@access("customers.edit")
def restore(customer_id: int) -> ResponseReturnValue:
    """Take the customer back out of the trash."""
    customer = seen(customer_id)
    with crm_here().transaction() as session:
        crm_here().customers.restore(session, customer.id)
    return redirect(url_for("customers.show", customer_id=customer.id))


def store_choices(session: Session) -> list[StoreView]:
    """Stores to choose from in a form; a chain with more of them types the code."""
    found = stores.listed(session, current_viewer(), limit=MOST_CHOICES + 1)
    return found if len(found) <= MOST_CHOICES else []


def seen(customer_id: int) -> CustomerView:
    """The customer, if the viewer may see it. Raises ``NotFound``."""
    with crm_here().read(current_viewer()) as session:
        return crm_here().customers.seen_by(session, current_viewer(), customer_id)


def _slots(customer: CustomerView, found: slots.Found, place: Place) -> list[slots.Slot]:
    crm, viewer = crm_here(), current_viewer()
    return [
        slots.Slot(plugin, panel.key, panel.title)
        if panel.lazy and place not in FRAMELESS
        else slots.panel_slot(crm, plugin, panel, customer, viewer)
        for plugin, panel in slots.placed(found, place)
    ]


def about(customer: CustomerView, found: slots.Found) -> dict[str, Any]:
    """What the top of a customer's page is made of."""
    viewer = current_viewer()
    with crm_here().read(viewer) as session:
        store = stores.names(session, [customer.store_id]).get(customer.store_id or 0)
        kept_away = kept.about(crm_here(), session, customer.id)
        ways = contacting.ways(crm_here(), session, customer)
    offered = crm_here().bus.collect(hooks.customer_actions, customer=customer, viewer=viewer)
    allowed = [one for one in offered if not one.bulk and viewer.may(one.permission)]
    leading = [one for one in allowed if leads_somewhere(one.endpoint, customer_id=customer.id)]
    return {
        "customer": customer,
        "facts": _slots(customer, found, Place.FACT),
        "store": store,
        "status": STATUSES[customer.status],
        "kind": KINDS[customer.kind],
        "tabs": slots.placed(found, Place.TAB),
        "failed": found.failed,
        "kept": kept_away,
        "ways": ways,
        "topics": contacting.topic_titles(crm_here()),
        "actions": sorted(leading, key=lambda one: one.weight),
    }


def _typed() -> dict[str, Any]:
    form = request.form
    return {name: form[name] for name in TYPED if name in form}


def as_typed(customer: CustomerView) -> dict[str, str]:
    """What is known as a form holds it."""
    address = customer.addresses[0] if customer.addresses else None
    with crm_here().read(current_viewer()) as session:
        codes = {store.id: store.code for store in store_choices(session)}
    plain = {
        name: getattr(customer, name) or ""
        for name in ("kind", "status", "first_name", "last_name", "display_name", "gender", "language", "notes")
    }
    where = {name: getattr(address, name, None) or "" for name in ("street", "city", "postal_code", "region", "country")}
    return {
        **plain,
        **where,
        "birthday": customer.birthday.isoformat() if customer.birthday else "",
        "emails": "\n".join(email.address for email in customer.emails),
        "phones": "\n".join(phone.number for phone in customer.phones),
        "tags": "; ".join(customer.tags),
        "store": codes.get(customer.store_id or 0, ""),
        "version": str(customer.version),
    }


def _uid() -> str | None:
    """The name the form gave the new record, so that sent twice it is still one."""
    given = request.form.get("uid", "")
    return given if UID.fullmatch(given) else None


def _made_before(uid: str | None) -> int | None:
    if uid is None:
        return None
    with crm_here().read(current_viewer()) as session:
        try:
            return lookups.id_of(session, uid)
        except NotFound:
            return None


def _flash_warnings(warnings: Iterable[Text]) -> None:
    for warning in warnings:
        flash(str(warning), "warn")


def _form(
    given: Mapping[str, str],
    wrong: Mapping[str, Text],
    customer: CustomerView | None = None,
    alike: Sequence[tuple[CustomerView, Sequence[str]]] = (),
    differences: Sequence[conflicts.Difference] = (),
) -> str:
    home_store = customer.store_id if customer else None
    with crm_here().read(current_viewer()) as session:
        all_stores = store_choices(session)
        # A home store that is not among the choices stays as it is: the form leaves it out.
        is_open = home_store is None or home_store in {store.id for store in all_stores}
        fixed_store = None if is_open else stores.names(session, [home_store]).get(home_store or 0, "")
    return render(
        "customer_form.html",
        given=given,
        wrong=wrong,
        customer=customer,
        all_stores=all_stores,
        fixed_store=fixed_store,
        kinds=KINDS,
        statuses=STATUSES,
        genders=GENDERS,
        alike=alike,
        differences=differences,
        before=json.dumps(as_typed(customer), ensure_ascii=False) if customer else "",
        reasons=duplicates.REASONS,
    )
