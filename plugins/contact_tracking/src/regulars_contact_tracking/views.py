"""Pages of contacts: writing one down from the customer's page, reading, mending and removing it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_contact_tracking import contributions, follow_ups, forms, service
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, Direction
from regulars_contact_tracking.records import Draft, InteractionView
from regulars_contact_tracking.words import CHANNELS, DIRECTIONS
from regulars_plugin_api.errors import Conflict, InvalidInput, NotAllowedYet
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import PluginBlueprint, access, current_crm, current_viewer, render

pages = PluginBlueprint("contact_tracking", __name__, url_prefix="/contact_tracking")

CHANGED = {"HX-Trigger": "timeline-changed, follow-ups-changed"}


@pages.get("/customers/<int:customer_id>/interactions/new")
@access("contact_tracking.log")
def new_interaction(customer_id: int) -> ResponseReturnValue:
    """The form with every field."""
    with current_crm().read(current_viewer()) as session:
        customer = _customer(session, customer_id)
        return _form(session, customer, contributions.blank_form() | {"channel": request.args.get("channel", Channel.PHONE.value)}, {})


@pages.post("/customers/<int:customer_id>/interactions")
@access("contact_tracking.log")
def log(customer_id: int) -> ResponseReturnValue:
    """Write down a contact; the composer gives way to an empty one."""
    crm, viewer, now = current_crm(), current_viewer(), current_crm().clock.now()
    in_place = request.headers.get("HX-Request") is not None
    try:
        with crm.transaction() as session:
            customer = service.living(crm, session, customer_id, viewer)
            draft, uid = _draft(session, viewer, now, step_alone=True), _uid(request.form.get("uid", ""))
            if draft.next_step is not None and draft.is_step_alone:
                store_id = draft.store_id or service.home_of(customer, viewer)
                follow_ups.add(session, customer.id, draft.next_step, by=viewer, now=now, store_id=store_id, uid=uid)
            else:
                service.log(session, customer, draft, by=viewer, now=now, zone=crm.timezone, uid=uid)
    except (InvalidInput, NotAllowedYet) as refused:
        fields = refused.fields if isinstance(refused, InvalidInput) else {"customer": refused.message}
        with crm.read(viewer) as session:
            customer = _customer(session, customer_id)
            if in_place:
                values = contributions.composer_values(request.form) | {"customer": customer, "wrong": fields}
                return render("contact_tracking/composer.html", **values), refused.status
            return _form(session, customer, request.form, fields), refused.status
    if in_place:
        blank = contributions.composer_values({**contributions.blank_form(), "channel": draft.channel.value})
        return render("contact_tracking/composer.html", customer=customer, saved=True, **blank), CHANGED
    flash(str(_("Written down.")), "ok")
    return redirect(url_for("customers.show", customer_id=customer.id))


@pages.get("/interactions/<int:interaction_id>")
@access("contact_tracking.view")
def interaction(interaction_id: int) -> str:
    """One contact, whole."""
    with current_crm().read(current_viewer()) as session:
        found, customer = _seen(session, interaction_id)
    mine = service.may_change(found, current_viewer())
    return render("contact_tracking/interaction.html", interaction=found, customer=customer, mine=mine, **contributions.WORDS)


@pages.get("/interactions/<int:interaction_id>/edit")
@access("contact_tracking.log")
def edit_form(interaction_id: int) -> ResponseReturnValue:
    """The form with what was written."""
    with current_crm().read(current_viewer()) as session:
        found, customer = _seen(session, interaction_id, to_change=True)
        return _form(session, customer, _as_typed(session, found), {}, found)


@pages.post("/interactions/<int:interaction_id>/edit")
@access("contact_tracking.log")
def edit(interaction_id: int) -> ResponseReturnValue:
    """Keep what was mended, unless somebody else was faster."""
    crm, viewer, now = current_crm(), current_viewer(), current_crm().clock.now()
    with crm.read(viewer) as session:
        found, customer = _seen(session, interaction_id, to_change=True)
    try:
        with crm.transaction() as session:
            draft, version = _draft(session, viewer, now), forms.Reader(request.form).read("version", forms.number)
            service.edit(session, interaction_id, draft, by=viewer, zone=crm.timezone, version=version)
    except InvalidInput as wrong:
        with crm.read(viewer) as session:
            return _form(session, customer, request.form, wrong.fields, found), wrong.status
    except Conflict as late:
        with crm.read(viewer) as session:
            theirs, customer = _seen(session, interaction_id, to_change=True)
            # Whoever saves again has seen what the other made of it.
            given = {**request.form, "version": str(theirs.version)}
            return _form(session, customer, given, {"version": late.message}, theirs), late.status
    flash(str(_("The changes are saved.")), "ok")
    return redirect(url_for("contact_tracking.interaction", interaction_id=interaction_id))


@pages.post("/interactions/<int:interaction_id>/delete")
@access("contact_tracking.log")
def delete(interaction_id: int) -> ResponseReturnValue:
    """Take a contact out of the history."""
    with current_crm().transaction() as session:
        _found, customer = _seen(session, interaction_id, to_change=True)
        service.delete(session, interaction_id)
    flash(str(_("The contact is removed. Its next step stays.")), "ok")
    return redirect(url_for("customers.show", customer_id=customer.id))


def _customer(session: Session, customer_id: int) -> CustomerView:
    return current_crm().customers.seen_by(session, current_viewer(), customer_id)


def _seen(session: Session, interaction_id: int, *, to_change: bool = False) -> tuple[InteractionView, CustomerView]:
    return service.seen(current_crm(), session, interaction_id, current_viewer(), to_change=to_change)


def _draft(session: Session, viewer: Viewer, now: dt.datetime, *, step_alone: bool = False) -> Draft:
    form, chain = forms.Reader(request.form), current_crm().timezone
    store_id = form.read("store", forms.number)
    assignee_id = form.read("assignee", forms.number) if request.form.get("next_step", "").strip() else None
    chosen = tuple(int(one) for one in request.form.getlist("people") if one.isdecimal() and len(one) < 19)
    wrong = service.unknown(session, viewer, store_id=store_id, people=chosen, assignee_id=assignee_id)
    zone = chain if "store" in wrong else service.zone_of(session, store_id, viewer) or chain
    people = chosen or (() if viewer.user_id is None else (viewer.user_id,))
    return forms.draft(request.form, people, zone=zone, now=now, step_alone=step_alone, wrong=wrong)


def _uid(given: str) -> str | None:
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return None


def _as_typed(session: Session, found: InteractionView) -> dict[str, str]:
    zone = service.zone_of(session, found.store_id, current_viewer()) or current_crm().timezone
    return {
        "channel": found.channel.value,
        "direction": found.direction.value,
        "at": found.at.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        "store": str(found.store_id or ""),
        "people": ",".join(str(user_id) for user_id, _name in found.people),
        "subject": found.subject or "",
        "text": found.text or "",
        "outcome": found.outcome or "",
        "version": str(found.version),
    }


def _form(
    session: Session, customer: CustomerView, given: Mapping[str, str], wrong: Mapping[str, Text], found: InteractionView | None = None
) -> str:
    chosen = request.form.getlist("people") or given.get("people", "").split(",")
    values: dict[str, Any] = {
        "staff": service.staff(session),
        "stores": service.store_choices(session, current_viewer()),
        "people": chosen if any(chosen) else [str(current_viewer().user_id)],
        "channels": {channel.value: title for channel, title in CHANNELS.items()},
        "directions": {direction.value: title for direction, title in DIRECTIONS.items()},
        "default_direction": Direction.OUT.value,
    }
    return render(
        "contact_tracking/form.html", customer=customer, given=given, wrong=wrong, interaction=found, **values, **contributions.WORDS
    )
