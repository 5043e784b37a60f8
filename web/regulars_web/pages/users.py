"""Users: who may sign in, in which roles, and what each of them can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from regulars_core.stores import service as stores
from regulars_core.users import passwords, roles, service
from regulars_core.users.holding import viewer_of
from regulars_core.users.service import UserView
from regulars_plugin_api.errors import Forbidden, InvalidInput
from regulars_plugin_api.i18n import Text, _, current_locale
from regulars_plugin_api.views import StoreView, Viewer
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import invitations
from regulars_web.pages.roles import permission_groups, role_titles
from regulars_web.running import crm_here

pages = Blueprint("users", __name__)
PAGE_SIZE, MOST_STORES = 50, 500


@pages.get("/users")
@access("users.manage")
def page() -> str:
    """Users by e-mail address."""
    after = request.args.get("after", "")[:254]
    with crm_here().read() as session:
        found = service.listed(session, after=after, limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1].email if len(found) > PAGE_SIZE else None
    return render("users.html", users=found[:PAGE_SIZE], after=after, following=following, titles=role_titles())


@pages.get("/users/new")
@access("users.manage")
def add() -> str:
    """The form of a new user."""
    return _form({}, [], [], {})


@pages.post("/users/new")
@access("users.manage")
def create() -> ResponseReturnValue:
    """Add a user, who chooses a password by the link shown next."""
    given = request.form
    chosen, codes = given.getlist("roles"), given.getlist("stores")
    try:
        with crm_here().transaction() as session:
            _check(session, chosen, codes, [])
            made_up = passwords.invented()
            user = service.create(
                session,
                email=given.get("email", ""),
                name=given.get("name", ""),
                password=made_up,
                roles=chosen,
                at=session.info["at"],
                locale=current_locale() if current_locale() in service.LOCALES else "en",
            )
            if codes:
                service.grant(session, user.email, roles=chosen, stores=codes)
            link = invitations.link(session, user.email)
    except InvalidInput as wrong:
        return _form(given, chosen, codes, wrong.fields), 422
    return _show(user.uid, link=link)


@pages.get("/users/<uid>")
@access("users.manage")
def show(uid: str) -> str:
    """One user: roles, stores, and what they add up to."""
    return _show(uid)


@pages.post("/users/<uid>")
@access("users.manage")
def grant(uid: str) -> ResponseReturnValue:
    """Give exactly these roles and stores; the user signs in anew."""
    chosen, codes = request.form.getlist("roles"), request.form.getlist("stores")
    regions = request.form.getlist("regions")
    try:
        with crm_here().transaction() as session:
            user = _changeable(session, uid)
            _check(session, chosen, codes, regions)
            service.grant(session, user.email, roles=chosen, stores=codes, regions=regions)
    except InvalidInput as wrong:
        return _show(uid, chosen=chosen, codes=codes, wrong=wrong.fields), 422
    flash(str(_("Saved. %(name)s has to sign in again.", name=user.name)), "ok")
    return redirect(url_for("users.show", uid=uid))


@pages.post("/users/<uid>/disable")
@access("users.manage")
def disable(uid: str) -> ResponseReturnValue:
    """Keep the user from signing in; every session ends at once."""
    try:
        with crm_here().transaction() as session:
            user = _changeable(session, uid)
            service.disable(session, user.email)
    except InvalidInput as wrong:
        return _show(uid, wrong=wrong.fields), 422
    return redirect(url_for("users.show", uid=uid))


@pages.post("/users/<uid>/enable")
@access("users.manage")
def enable(uid: str) -> ResponseReturnValue:
    """Let the user sign in again."""
    with crm_here().transaction() as session:
        service.enable(session, _changeable(session, uid).email)
    flash(str(_("The account is open again.")), "ok")
    return redirect(url_for("users.show", uid=uid))


@pages.post("/users/<uid>/link")
@access("users.manage")
def new_link(uid: str) -> str:
    """A link by which the user chooses a new password; shown once."""
    with crm_here().read() as session:
        link = invitations.link(session, _changeable(session, uid).email)
    return _show(uid, link=link)


def _changeable(session: Session, uid: str) -> UserView:
    """The user, if the viewer may give and take each of their roles."""
    user = service.get(session, uid)
    if not set(user.roles) <= roles.grantable(roles.listed(session), current_viewer()):
        raise Forbidden(_("Only somebody who may do as much as %(name)s can change this account.", name=user.name))
    return user


def _check(session: Session, chosen: Sequence[str], codes: Sequence[str], regions: Sequence[str]) -> None:
    """Nobody gives more than they have."""
    known = roles.listed(session)
    if beyond := set(chosen) & {role.name for role in known} - roles.grantable(known, current_viewer()):
        raise InvalidInput(roles=_("You can't give a role that may do more than you: %(names)s.", names=", ".join(sorted(beyond))))
    is_scoped = current_viewer().store_ids is not None
    if is_scoped and (regions or not codes or not set(codes) <= {one.code for one in _stores(session)}):
        raise InvalidInput(stores=_("Choose among the stores you see yourself."))


def _stores(session: Session) -> list[StoreView]:
    return stores.listed(session, current_viewer(), limit=MOST_STORES)


def _show(
    uid: str,
    *,
    link: str | None = None,
    chosen: Sequence[str] | None = None,
    codes: Sequence[str] | None = None,
    wrong: Mapping[str, Text] | None = None,
) -> str:
    crm = crm_here()
    with crm.read() as session:
        user = service.get(session, uid)
        known = roles.listed(session)
        may = viewer_of(session, service.find(session, user.email))
        values: dict[str, Any] = {
            "stores": _stores(session),
            "customers": crm.customers.count_about(session, may),
            "can_change": set(user.roles) <= roles.grantable(known, current_viewer()),
        }
    return render(
        "user.html",
        user=user,
        link=link,
        chosen=user.roles if chosen is None else chosen,
        codes=user.stores if codes is None else codes,
        wrong=wrong or {},
        roles=_choices(known),
        groups=_sees(may),
        may=may,
        **values,
    )


def _sees(may: Viewer) -> list[tuple[Text, list[tuple[Text, bool]]]]:
    return [(title, [(one.title, may.may(one.name)) for one in found]) for title, found in permission_groups()]


def _choices(known: Sequence[roles.RoleView]) -> list[tuple[str, Text, bool]]:
    titles, allowed = role_titles(), roles.grantable(known, current_viewer())
    return [(role.name, titles.get(role.name, role.name), role.name in allowed) for role in known]


def _form(given: Mapping[str, str], chosen: Sequence[str], codes: Sequence[str], wrong: Mapping[str, Text]) -> str:
    with crm_here().read() as session:
        known, all_stores = roles.listed(session), _stores(session)
    return render("user_new.html", given=given, chosen=chosen, codes=codes, wrong=wrong, roles=_choices(known), stores=all_stores)
