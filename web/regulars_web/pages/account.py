"""Choosing a password by the link an administrator gave."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.users import service
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import PUBLIC, access, render
from regulars_web import invitations, language
from regulars_web.running import crm_here

pages = Blueprint("account", __name__)


@pages.get("/account/welcome/<token>")
@access(PUBLIC)
def welcome(token: str) -> ResponseReturnValue:
    """The form, or why the link no longer works."""
    return _form(token, {})


@pages.post("/account/welcome/<token>")
@access(PUBLIC)
def choose(token: str) -> ResponseReturnValue:
    """Keep the password; the link is void from now on."""
    try:
        with crm_here().transaction(cause="web") as session:
            user = invitations.invited(session, token)
            if user is None:
                abort(410)
            service.set_password(session, user, request.form.get("password", ""))
    except InvalidInput as wrong:
        return _form(token, wrong.fields, 422)
    flash(str(_("Your password is set. Sign in with it.")), "ok")
    return redirect(url_for("security.login"))


def _form(token: str, wrong: Mapping[str, Text], status: int = 200) -> ResponseReturnValue:
    with crm_here().read() as session:
        user = invitations.invited(session, token)
    if user is None:
        return render("welcome.html", user=None), 410
    language.choose(user.locale)
    return render("welcome.html", user=user, wrong=wrong), status
