"""One's own name, language, theme and password."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_security import login_user
from sqlalchemy.orm import joinedload

from regulars_core.users import passwords, service
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_crm, current_viewer, render
from regulars_web.gate import SIGNED_IN
from regulars_web.security import StaffUser, safe_next

pages = Blueprint("profile", __name__)


@pages.get("/profile")
@access(SIGNED_IN)
def page() -> str:
    """The profile."""
    return _form({})


@pages.post("/profile")
@access(SIGNED_IN)
def save() -> ResponseReturnValue:
    """Keep language and theme."""
    try:
        with current_crm().transaction(current_viewer()) as session:
            service.save_profile(
                session, current_user.id, locale=request.form.get("locale", ""), theme=request.form.get("theme", current_user.theme)
            )
    except InvalidInput as wrong:
        return _form(wrong.fields), 422
    return redirect(url_for("profile.page"))


@pages.post("/profile/theme")
@access(SIGNED_IN)
def change_theme() -> ResponseReturnValue:
    """Keep the theme, and go back to where it was chosen."""
    with current_crm().transaction(current_viewer()) as session:
        service.save_profile(session, current_user.id, locale=current_user.locale, theme=request.form.get("theme", ""))
    return redirect(safe_next(request.form.get("next")))


@pages.post("/profile/password")
@access(SIGNED_IN)
def change_password() -> ResponseReturnValue:
    """Replace one's own password; every other browser is signed out."""
    if not passwords.matches(request.form.get("current", ""), current_user.password):
        return _form({"current": _("This is not your present password.")}), 422
    try:
        with current_crm().transaction(current_viewer()) as session:
            user = session.get_one(StaffUser, current_user.id, options=[joinedload(StaffUser.roles)])
            service.set_password(session, user, request.form.get("password", ""))
    except InvalidInput as wrong:
        return _form(wrong.fields), 422
    login_user(user, authn_via=["password"])
    flash(str(_("Your password is changed. Other browsers are signed out.")), "ok")
    return redirect(url_for("profile.page"))


def _form(wrong: Mapping[str, Text]) -> str:
    return render("profile.html", user=current_user, locales=service.LOCALES, wrong=wrong)
