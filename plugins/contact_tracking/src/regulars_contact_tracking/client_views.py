"""Pages of client books: my clients, what I keep in mind of one, plans of recurring contacts, and who has no next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_contact_tracking import client_book, clients, contributions, follow_ups, forms, plans, service
from regulars_contact_tracking.client_book import Purchases, Which
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Every, Rank
from regulars_contact_tracking.views import pages
from regulars_contact_tracking.words import CHANNELS, UNITS
from regulars_plugin_api.errors import InvalidInput, NotAllowedYet
from regulars_plugin_api.hookspecs import customers as customer_hooks
from regulars_plugin_api.hookspecs import data as data_hooks
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import access, current_crm, current_viewer, render

PAGE = 50
LAST_PURCHASE = "purchases.last_on"


@pages.get("/clients")
@access("contact_tracking.log")
def my_clients() -> str:
    """My client book: all, lapsing, with a star, or with a key date soon."""
    which, today, after = _which(request.args.get("show")), contributions.today(), request.args.get("after")
    with current_crm().read(current_viewer()) as session:
        shown, following = client_book.page(session, _me(), today, which, _purchases(session), after=after, limit=PAGE)
        is_empty = not shown and client_book.is_empty(session, _me())
    values = {"clients": shown, "which": which.value, "after": after, "following": following, "is_empty": is_empty}
    return render("contact_tracking/clients.html", today=today, **values)


@pages.get("/customers/<int:customer_id>/book")
@access("contact_tracking.view")
def book(customer_id: int) -> str:
    """What associates keep in mind of a customer, with the forms to add to it."""
    with current_crm().read(current_viewer()) as session:
        return _book(session, _customer(session, customer_id))


@pages.post("/customers/<int:customer_id>/take")
@access("contact_tracking.log")
def take(customer_id: int) -> ResponseReturnValue:
    """Into my book, in the first place or the second."""
    rank = forms.Reader(request.form).read("rank", forms.one_of(Rank)) or Rank.PRIMARY
    try:
        with current_crm().transaction() as session:
            clients.take(session, _living(session, customer_id).id, _me(), rank)
    except NotAllowedYet as refused:
        flash(str(refused.message), "warn")
        return redirect(_address(customer_id))
    return _back(customer_id, _("The customer is in your client book."))


@pages.post("/customers/<int:customer_id>/release")
@access("contact_tracking.log")
def release(customer_id: int) -> ResponseReturnValue:
    """Out of my book."""
    with current_crm().transaction() as session:
        clients.release(session, _customer(session, customer_id).id, _me())
    return _back(customer_id, _("The customer is no longer in your client book."))


@pages.post("/customers/<int:customer_id>/star")
@access("contact_tracking.log")
def star(customer_id: int) -> ResponseReturnValue:
    """Mark a client of mine, or take the mark off."""
    with current_crm().transaction() as session:
        clients.star(session, _customer(session, customer_id).id, _me())
    return redirect(_address(customer_id))


@pages.post("/customers/<int:customer_id>/details")
@access("contact_tracking.log")
def add_detail(customer_id: int) -> ResponseReturnValue:
    """Keep a size, wish or key date in mind."""
    try:
        fields = forms.detail(request.form)
        with current_crm().transaction() as session:
            clients.add_detail(session, _living(session, customer_id).id, fields)
    except (InvalidInput, NotAllowedYet) as refused:
        return _refused(customer_id, refused, "detail")
    return redirect(url_for("contact_tracking.book", customer_id=customer_id))


@pages.post("/customers/<int:customer_id>/details/<int:detail_id>/remove")
@access("contact_tracking.log")
def remove_detail(customer_id: int, detail_id: int) -> ResponseReturnValue:
    """Forget one."""
    with current_crm().transaction() as session:
        clients.remove_detail(session, _customer(session, customer_id).id, detail_id)
    return redirect(url_for("contact_tracking.book", customer_id=customer_id))


@pages.post("/customers/<int:customer_id>/plans")
@access("contact_tracking.log")
def plan_customer(customer_id: int) -> ResponseReturnValue:
    """Plan to be in touch with a customer again and again."""
    try:
        fields = forms.plan(request.form)
        with current_crm().transaction() as session:
            plans.add(session, _me(), _living(session, customer_id).id, fields)
    except (InvalidInput, NotAllowedYet) as refused:
        return _refused(customer_id, refused, "plan")
    return redirect(url_for("contact_tracking.book", customer_id=customer_id))


@pages.get("/plans")
@access("contact_tracking.log")
def my_plans() -> str:
    """My plans, and the form of one for all my clients."""
    return _plans({"every": "3", "unit": Every.MONTHS.value, "starts_on": contributions.today().isoformat()}, {})


@pages.post("/plans")
@access("contact_tracking.log")
def plan_clients() -> ResponseReturnValue:
    """Plan to be in touch with all my clients."""
    try:
        fields = forms.plan(request.form)
    except InvalidInput as wrong:
        return _plans(request.form, wrong.fields), 422
    with current_crm().transaction() as session:
        plans.add(session, _me(), None, fields)
    return redirect(url_for("contact_tracking.my_plans"))


@pages.post("/plans/<int:plan_id>/stop")
@access("contact_tracking.log")
def stop_plan(plan_id: int) -> ResponseReturnValue:
    """Enough of it."""
    may_all = current_viewer().may("contact_tracking.manage")
    with current_crm().transaction() as session:
        plans.stop(session, plan_id, None if may_all else _me(), current_crm().clock.now())
    flash(str(_("The plan is stopped. What it made stays.")), "ok")
    return redirect(url_for("contact_tracking.my_plans"))


@pages.get("/without-next-step")
@access("contact_tracking.view")
def without_next_step() -> str:
    """Open customers with whom nothing is agreed: mine, or all of my stores."""
    whose = request.args.get("whose", "mine")
    after = request.args.get("after", type=int)
    with current_crm().read(current_viewer()) as session:
        found = follow_ups.customers_without(session, current_viewer(), whose == "mine", after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    following = shown[-1][0] if len(found) > PAGE else None
    return render("contact_tracking/without.html", customers=shown, whose=whose, following=following)


def _me() -> int:
    # Behind a permission that only people hold.
    return current_viewer().user_id or 0


def _customer(session: Session, customer_id: int) -> CustomerView:
    return current_crm().customers.seen_by(session, current_viewer(), customer_id)


def _living(session: Session, customer_id: int) -> CustomerView:
    return service.living(current_crm(), session, customer_id, current_viewer())


def _which(given: str | None) -> Which:
    try:
        return Which(given or "all")
    except ValueError as error:
        raise InvalidInput(show=_("There is no such choice.")) from error


def _purchases(session: Session) -> Purchases | None:
    """What is known of last purchases, if a plugin knows and the viewer may see it."""
    hooks, viewer = current_crm().hooks, current_viewer()
    columns = [one for one in hooks.collect(customer_hooks.customer_columns) if one.name == LAST_PURCHASE and viewer.may(one.permission)]
    fields = [one for one in hooks.collect(data_hooks.filter_fields) if one.name == LAST_PURCHASE]
    if not columns or not fields:
        return None
    return Purchases(
        last_of=lambda ids: columns[0].load(session, ids, viewer),
        after=lambda customer_id, day: fields[0].clause(customer_id, "gt", day.isoformat()),
    )


def _back(customer_id: int, said: Text) -> ResponseReturnValue:
    flash(str(said), "ok")
    return redirect(_address(customer_id))


def _address(customer_id: int) -> str:
    if request.form.get("back") == "clients":
        return url_for("contact_tracking.my_clients")
    return url_for("customers.show", customer_id=customer_id)


def _refused(customer_id: int, refused: InvalidInput | NotAllowedYet, form: str) -> ResponseReturnValue:
    fields = refused.fields if isinstance(refused, InvalidInput) else {"customer": refused.message}
    with current_crm().read(current_viewer()) as session:
        return _book(session, _customer(session, customer_id), {form: request.form}, {form: fields}), refused.status


def _book(
    session: Session,
    customer: CustomerView,
    given: Mapping[str, Mapping[str, str]] | None = None,
    wrong: Mapping[str, Mapping[str, Text]] | None = None,
) -> str:
    shown: dict[str, Any] = dict(contributions.client_book(session, customer, current_viewer()))
    blank = {"plan": {"every": "3", "unit": Every.MONTHS.value, "starts_on": contributions.today().isoformat()}, "detail": {}}
    return render("contact_tracking/book.html", customer=customer, given=blank | dict(given or {}), wrong=wrong or {}, **shown)


def _plans(given: Mapping[str, str], wrong: Mapping[str, Text]) -> str:
    with current_crm().read(current_viewer()) as session:
        mine: Sequence[Any] = plans.of_user(session, _me())
        return render("contact_tracking/plans.html", plans=mine, given=given, wrong=wrong, channels=CHANNELS, units=UNITS)
