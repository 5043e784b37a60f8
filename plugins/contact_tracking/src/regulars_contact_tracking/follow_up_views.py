"""Pages of follow-ups: the list, and what is done with one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_contact_tracking import contributions, follow_ups, forms, service
from regulars_contact_tracking.follow_ups import Position
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.records import FollowUpView
from regulars_contact_tracking.views import CHANGED, pages
from regulars_plugin_api import values
from regulars_plugin_api.errors import Conflict, InvalidInput
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.web import access, current_crm, current_viewer, render

PAGE = 50


@pages.get("/follow-ups")
@access("contact_tracking.view")
def listed() -> str:
    """Open follow-ups: mine, those of my stores, or all I may see."""
    whose = request.args.get("whose", "mine")
    if whose not in follow_ups.WHOSE:
        raise InvalidInput(whose=_("There is no such choice."))
    with current_crm().read(current_viewer()) as session:
        after = _position(request.args.get("after"))
        found = follow_ups.open_ones(session, current_viewer(), contributions.today(), whose, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    following = f"{shown[-1].due_on}_{shown[-1].id}" if len(found) > PAGE else None
    return render("contact_tracking/follow_ups.html", follow_ups=shown, whose=whose, following=following, **contributions.WORDS)


@pages.get("/follow-ups/<int:follow_up_id>")
@access("contact_tracking.view")
def follow_up(follow_up_id: int) -> str:
    """One follow-up, to be done, moved or handed over."""
    return _page(_found(follow_up_id), {})


@pages.get("/customers/<int:customer_id>/next-step")
@access("contact_tracking.view")
def next_step(customer_id: int) -> ResponseReturnValue:
    """The next step of a customer, for the top of the page; opened by itself, it is the page."""
    with current_crm().read(current_viewer()) as session:
        customer = current_crm().customers.seen_by(session, current_viewer(), customer_id)
        if "HX-Request" not in request.headers:
            return redirect(url_for("customers.show", customer_id=customer.id))
        return render("contact_tracking/next_step.html", customer=customer, **contributions.next_step(session, customer, current_viewer()))


@pages.post("/follow-ups/<int:follow_up_id>/close")
@access("contact_tracking.log")
def close(follow_up_id: int) -> ResponseReturnValue:
    """Done, with what came of it."""
    form = forms.Reader(request.form)
    outcome = form.read("outcome", forms.line)
    if form.wrong:
        return _refused(follow_up_id, form.wrong), 422
    viewer, now = current_viewer(), current_crm().clock.now()
    return _changed(follow_up_id, _("Done."), lambda session: follow_ups.close(session, follow_up_id, outcome=outcome, by=viewer, now=now))


@pages.post("/follow-ups/<int:follow_up_id>/reopen")
@access("contact_tracking.log")
def reopen(follow_up_id: int) -> ResponseReturnValue:
    """Not done after all."""
    with current_crm().transaction() as session:
        follow_ups.reopen(session, follow_up_id, by=current_viewer())
    return _after(follow_up_id, _("The follow-up is open again."))


@pages.post("/follow-ups/<int:follow_up_id>/move")
@access("contact_tracking.log")
def move(follow_up_id: int) -> ResponseReturnValue:
    """To another day: a date, or a number of days from today."""
    form = forms.Reader(request.form)
    days = form.read("days", lambda raw: values.whole_number(raw, minimum=1, maximum=3650))
    due_on = contributions.today() + dt.timedelta(days) if days else form.needed("due_on", values.date, _("Give the day."))
    if due_on is None:
        return _refused(follow_up_id, form.wrong), 422
    viewer = current_viewer()
    return _changed(follow_up_id, _("The follow-up is moved."), lambda session: follow_ups.move(session, follow_up_id, due_on, by=viewer))


@pages.post("/follow-ups/<int:follow_up_id>/assign")
@access("contact_tracking.log")
def assign(follow_up_id: int) -> ResponseReturnValue:
    """Hand it over."""
    form = forms.Reader(request.form)
    user_id = form.needed("assignee", forms.number, _("Choose somebody."))
    if user_id is None:
        return _refused(follow_up_id, form.wrong), 422
    viewer, said = current_viewer(), _("The follow-up is handed over.")
    return _changed(follow_up_id, said, lambda session: follow_ups.assign(session, follow_up_id, user_id, by=viewer), is_gone=True)


def _changed(follow_up_id: int, said: Text, change: Callable[[Session], None], *, is_gone: bool = False) -> ResponseReturnValue:
    try:
        with current_crm().transaction() as session:
            change(session)
    except InvalidInput as wrong:
        return _refused(follow_up_id, wrong.fields), wrong.status
    except Conflict as late:
        return _refused(follow_up_id, {"follow_up": late.message}), late.status
    return _after(follow_up_id, said, is_gone=is_gone)


def _refused(follow_up_id: int, wrong: Mapping[str, Text]) -> str:
    """What is wrong and what was typed, where the button was."""
    found = _found(follow_up_id)
    return _part(found, wrong) if request.headers.get("HX-Request") else _page(found, wrong)


def _after(follow_up_id: int, said: Text, *, is_gone: bool = False) -> ResponseReturnValue:
    """Back to where the button was; for htmx the part of the page that changed."""
    # Handed over, it may be nobody's to see from here.
    found = None if is_gone else _found(follow_up_id)
    if request.headers.get("HX-Request") and found is not None:
        return _part(found, {}), CHANGED if _back() == "customer" else {}
    flash(str(said), "ok")
    return redirect(_address(_back(), found))


def _part(found: FollowUpView, wrong: Mapping[str, Text]) -> str:
    """The part of the page that the button belongs to."""
    told = {"wrong": wrong, "typed": request.form.get("outcome", "") if wrong else ""}
    if _back() != "customer":
        return render("contact_tracking/_row.html", one=found, back=_back(), **told, **contributions.WORDS)
    viewer = current_viewer()
    with current_crm().read(viewer) as session:
        customer = current_crm().customers.seen_by(session, viewer, found.customer_id)
        return render("contact_tracking/next_step.html", customer=customer, **told, **contributions.next_step(session, customer, viewer))


def _back() -> str:
    return request.form.get("back", "")


def _address(back: str, found: FollowUpView | None) -> str:
    if back == "home":
        return url_for("home.page")
    if back == "customer" and found is not None:
        return url_for("customers.show", customer_id=found.customer_id)
    return url_for("contact_tracking.listed")


def _found(follow_up_id: int) -> FollowUpView:
    with current_crm().read(current_viewer()) as session:
        return follow_ups.follow_up(session, follow_up_id, current_viewer(), contributions.today())


def _page(found: FollowUpView, wrong: Mapping[str, Text]) -> str:
    with current_crm().read(current_viewer()) as session:
        shown: dict[str, Any] = {"one": found, "staff": service.staff(session), "given": request.form, "wrong": wrong}
    return render("contact_tracking/follow_up.html", **shown, **contributions.WORDS)


def _position(token: str | None) -> Position | None:
    if token is None:
        return None
    day, _separator, number = token.partition("_")
    try:
        return Position(dt.date.fromisoformat(day), int(number))
    except ValueError as error:
        raise InvalidInput(after=_("This is not a place in the list.")) from error
