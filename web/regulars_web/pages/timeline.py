"""A customer's history: on the customer's page, and on a page of its own with every filter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_core.customers import timeline
from regulars_core.customers.timeline import Happening, Narrowing, Position
from regulars_core.stores import service as stores
from regulars_core.users.models import User
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here

pages = Blueprint("timeline", __name__)

BATCH = 30
MOST_CHOICES = 200
FILTERS = ("source", "channel", "store", "person")
CHANNELS: Mapping[str, Text] = {
    "phone": _("Phone"),
    "email": _("E-mail"),
    "sms": _("SMS"),
    "visit": _("Visit"),
    "chat": _("Chat"),
    "social": _("Social media"),
    "letter": _("Letter"),
    "post": _("Post"),
}


@dataclass(frozen=True)
class Day:
    """What happened on one day of the chain."""

    day: dt.date
    happenings: Sequence[Happening]


@pages.get("/customers/<int:customer_id>/timeline")
@access("customers.view")
def page(customer_id: int) -> ResponseReturnValue:
    """The history with its filters; for htmx only the list, or only what is older."""
    viewer = current_viewer()
    with crm_here().read(viewer) as session:
        customer = crm_here().customers.seen_by(session, viewer, customer_id)
        if customer.id != customer_id:
            return redirect(_address(customer.id, request.args))
    values = batch(customer, request.args)
    if request.headers.get("HX-Request"):
        is_older = request.headers.get("HX-Target") == "timeline-older"
        return render("_timeline_batch.html" if is_older else "_timeline.html", **values), 200, {"Vary": "HX-Request, HX-Target"}
    with crm_here().read(viewer) as session:
        choices = {"people": _people(session), "all_stores": stores.listed(session, viewer, limit=MOST_CHOICES)}
    return render("timeline.html", channels=CHANNELS, **choices, **values)


def batch(customer: CustomerView, given: Mapping[str, str]) -> dict[str, Any]:
    """What the templates of the history need: one batch, narrowed as ``given`` says."""
    chosen = {name: given[name] for name in FILTERS if given.get(name)}
    after = Position.parse(given["after"]) if given.get("after") else None
    found = timeline.page(crm_here(), current_viewer(), customer.id, _narrowing(chosen), after=after, limit=BATCH)
    zone = crm_here().config.timezone
    days = [Day(day, list(those)) for day, those in groupby(found.happenings, lambda one: one.at.astimezone(zone).date())]
    # A day that began on the batch before goes on without its heading.
    goes_on = bool(after and days and days[0].day == after.at.astimezone(zone).date() and request.headers.get("HX-Request"))
    older = found.following and _address(customer.id, {**chosen, "after": str(found.following)})
    today = crm_here().clock.now().astimezone(zone).date()
    return {
        "customer": customer,
        "timeline": found,
        "sources": tuple((source.name, str(source.title)) for source in found.sources),
        "days": days,
        "day_goes_on": goes_on,
        "today": today,
        "older": older,
        "chosen": chosen,
        "is_later_batch": after is not None,
        "channel_names": CHANNELS,
    }


def _address(customer_id: int, chosen: Mapping[str, str]) -> str:
    given: dict[str, Any] = {name: value for name, value in chosen.items() if name in (*FILTERS, "after")}
    return url_for("timeline.page", customer_id=customer_id, **given)


def _narrowing(chosen: Mapping[str, str]) -> Narrowing:
    return Narrowing(chosen.get("source"), chosen.get("channel"), _number(chosen.get("store")), _number(chosen.get("person")))


def _number(text: str | None) -> int | None:
    # What is no number is nobody's: an empty list, not the whole one.
    return None if text is None else int(text) if text.isdecimal() and len(text) < 19 else 0


def _people(session: Session) -> Sequence[tuple[int, str]]:
    query = sa.select(User.id, User.name).where(User.active).order_by(User.name, User.id).limit(MOST_CHOICES)
    return [(row.id, row.name) for row in session.execute(query)]
