"""One's own name, language, looks, password, and the browsers one is signed in with."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_security import login_user
from sqlalchemy.orm import joinedload

from regulars_core.users import passwords, service, sessions
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_crm, current_viewer, render
from regulars_web.gate import SIGNED_IN
from regulars_web.running import crm_here
from regulars_web.security import SIGN_IN, StaffUser, safe_next

pages = Blueprint("profile", __name__)
DENSITIES: Mapping[str, Text] = {"": _("Roomy"), "compact": _("Compact")}


@pages.get("/profile")
@access(SIGNED_IN)
def page() -> str:
    """The profile."""
    return _form({})


@pages.post("/profile")
@access(SIGNED_IN)
def save() -> ResponseReturnValue:
    """Keep language and looks."""
    given = request.form
    try:
        with current_crm().transaction(current_viewer()) as database:
            service.save_profile(database, current_user.id, locale=given.get("locale", ""), theme=given.get("theme", current_user.theme))
            service.prefer(database, current_user.id, density="compact" if given.get("density") == "compact" else None)
    except InvalidInput as wrong:
        return _form(wrong.fields), 422
    flash(str(_("Saved.")), "ok")
    return redirect(url_for("profile.page"))


@pages.post("/profile/theme")
@access(SIGNED_IN)
def change_theme() -> ResponseReturnValue:
    """Keep the theme, and go back to where it was chosen."""
    with current_crm().transaction(current_viewer()) as database:
        service.save_profile(database, current_user.id, locale=current_user.locale, theme=request.form.get("theme", ""))
    return redirect(safe_next(request.form.get("next")))


@pages.post("/profile/password")
@access(SIGNED_IN)
def change_password() -> ResponseReturnValue:
    """Replace one's own password; every other browser is signed out."""
    if not passwords.matches(request.form.get("current", ""), current_user.password):
        return _form({"current": _("This is not your present password.")}), 422
    try:
        with current_crm().transaction(current_viewer()) as database:
            user = database.get_one(StaffUser, current_user.id, options=[joinedload(StaffUser.roles)])
            service.set_password(database, user, request.form.get("password", ""))
    except InvalidInput as wrong:
        return _form(wrong.fields), 422
    login_user(user, authn_via=["password"])
    flash(str(_("Your password is changed. Other browsers are signed out.")), "ok")
    return redirect(url_for("profile.page"))


@pages.post("/profile/sessions/end")
@access(SIGNED_IN)
def end_sessions() -> ResponseReturnValue:
    """Sign out one other browser, or all of them."""
    with current_crm().transaction(current_viewer()) as database:
        sessions.end_others(database, current_user.id, session[SIGN_IN], request.form.get("session"))
    flash(str(_("Signed out there.")), "ok")
    return redirect(url_for("profile.page"))


def _form(wrong: Mapping[str, Text]) -> str:
    with crm_here().read() as database:
        browsers = sessions.of_user(database, current_user.id, crm_here().clock.now())
    return render(
        "profile.html",
        user=current_user,
        locales=service.LOCALES,
        densities=DENSITIES,
        browsers=browsers,
        this_one=sessions.digest_of(session[SIGN_IN]),
        wrong=wrong,
    )
