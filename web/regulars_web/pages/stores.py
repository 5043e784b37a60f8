"""Stores: the list, and adding one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.stores import service
from regulars_core.users import service as users
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.running import crm_here
from regulars_web.security import safe_next

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


@pages.get("/stores/mine")
@access("stores.view")
def switch() -> str:
    """The stores to choose one's own from: a menu, or a page of its own."""
    with crm_here().read() as session:
        found = service.listed(session, current_viewer())
    is_menu = "HX-Request" in request.headers
    back = safe_next(urlsplit(request.headers.get("HX-Current-URL", "")).path) if is_menu else url_for("home.page")
    return render("_stores_mine.html" if is_menu else "stores_mine.html", stores=found, back=back)


@pages.post("/stores/mine")
@access("stores.view")
def choose() -> ResponseReturnValue:
    """Keep the store one works in; new customers get it, and the list offers it."""
    code = request.form.get("store", "")
    with crm_here().transaction() as session:
        store = next((one for one in service.listed(session, current_viewer()) if one.code == code), None)
        chosen = None if store is None else {"code": store.code, "name": store.name}
        users.prefer(session, current_viewer().user_id or 0, store=chosen)
    return redirect(safe_next(request.form.get("next")))


def _form(given: Mapping[str, str], wrong: Mapping[str, Text]) -> str:
    return render("store_form.html", given=given, wrong=wrong, config=crm_here().config)
