"""Stores: the list, and adding one."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.stores import service
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here

pages = Blueprint("stores", __name__)
PAGE_SIZE = 50


@pages.get("/stores")
@access("stores.view")
def page() -> str:
    """The stores the viewer may see, by code."""
    after = request.args.get("after", "")[:200]
    with crm_here().read(current_viewer()) as session:
        found = service.listed(session, current_viewer(), after=after, limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1].code if len(found) > PAGE_SIZE else None
    return render("stores.html", stores=found[:PAGE_SIZE], after=after, following=following)


@pages.get("/stores/new")
@access("stores.edit")
def add() -> str:
    """The form of a new store."""
    return _form({}, {})


@pages.post("/stores/new")
@access("stores.edit")
def create() -> ResponseReturnValue:
    """Add a store."""
    config = crm_here().config
    try:
        with crm_here().transaction() as session:
            service.add(session, request.form.to_dict(), timezone=config.timezone.key, currency=config.currency)
    except InvalidInput as wrong:
        return _form(request.form, wrong.fields), 422
    flash(str(_("The store is added.")), "ok")
    return redirect(url_for("stores.page"))


def _form(given: Mapping[str, str], wrong: Mapping[str, Text]) -> str:
    return render("store_form.html", given=given, wrong=wrong, config=crm_here().config)
