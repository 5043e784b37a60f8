"""Pages of endpoints: the list, adding and changing one, its secret, trying it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_plugin_api.errors import Conflict, Forbidden, InvalidInput
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.web import PluginBlueprint, access, current_crm, current_viewer, render
from regulars_webhooks import endpoints, words
from regulars_webhooks.endpoints import Draft
from regulars_webhooks.i18n import _
from regulars_webhooks.models import Endpoint
from regulars_webhooks.sending.call import ping

pages = PluginBlueprint("webhooks", __name__, url_prefix="/webhooks")
PAGE_SIZE = 50


def refuse_part_of_the_chain() -> None:
    """Events are the whole chain's: who sees only some stores has no business here."""
    if current_viewer().store_ids is not None:
        raise Forbidden(_("Webhooks tell of the whole chain, and you see a part of it."))


pages.before_request(refuse_part_of_the_chain)


@pages.get("")
@access("webhooks.view")
def listed() -> str:
    """Who is told of what."""
    after = request.args.get("after", 0, type=int)
    with current_crm().read(current_viewer()) as session:
        found = endpoints.listed(session, after=after, limit=PAGE_SIZE + 1)
        parked = endpoints.parked_of(session, [one.id for one in found])
    following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    shown = [(one, words.STANDINGS[words.standing(one)], parked.get(one.id, 0)) for one in found[:PAGE_SIZE]]
    return render("webhooks/list.html", endpoints=shown, after=after, following=following)


@pages.get("/new")
@access("webhooks.manage")
def new() -> str:
    """The empty form."""
    return _form({"active": "true"}, (), {})


@pages.post("/new")
@access("webhooks.manage")
def add() -> ResponseReturnValue:
    """Add an endpoint; the answer shows its secret, once."""
    crm, draft = current_crm(), _draft()
    try:
        with crm.transaction() as session:
            endpoint, secret = endpoints.create(crm, session, draft)
    except InvalidInput as wrong:
        return _form(request.form, draft.types, wrong.fields), wrong.status
    return render("webhooks/secret.html", endpoint=endpoint, secret=secret, is_new=True), 201


@pages.get("/<int:endpoint_id>/edit")
@access("webhooks.manage")
def edit_form(endpoint_id: int) -> str:
    """The form with what is there."""
    with current_crm().read(current_viewer()) as session:
        endpoint = endpoints.get(session, endpoint_id)
    given = {"title": endpoint.title, "url": endpoint.url, "version": str(endpoint.version), "active": "true" if endpoint.active else ""}
    return _form(given, endpoint.types, {}, endpoint)


@pages.post("/<int:endpoint_id>/edit")
@access("webhooks.manage")
def edit(endpoint_id: int) -> ResponseReturnValue:
    """Keep what was changed, unless somebody else was faster."""
    crm, draft = current_crm(), _draft()
    with crm.read(current_viewer()) as session:
        endpoint = endpoints.get(session, endpoint_id)
    try:
        with crm.transaction() as session:
            endpoints.change(session, endpoint_id, draft, version=request.form.get("version", type=int))
    except (InvalidInput, Conflict) as wrong:
        fields = wrong.fields if isinstance(wrong, InvalidInput) else {"version": wrong.message}
        return _form(request.form, draft.types, fields, endpoint), wrong.status
    flash(str(_("The changes are saved.")), "ok")
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id))


@pages.post("/<int:endpoint_id>/delete")
@access("webhooks.manage")
def delete(endpoint_id: int) -> ResponseReturnValue:
    """Remove an endpoint with its log."""
    with current_crm().transaction() as session:
        endpoints.delete(session, endpoint_id)
    flash(str(_("The endpoint and its log are removed.")), "ok")
    return redirect(url_for("webhooks.listed"))


@pages.post("/<int:endpoint_id>/secret")
@access("webhooks.manage")
def rotate(endpoint_id: int) -> str:
    """Make a new secret; the answer shows it, once."""
    crm = current_crm()
    with crm.transaction() as session:
        endpoint, secret = endpoints.rotate(crm, session, endpoint_id)
    return render("webhooks/secret.html", endpoint=endpoint, secret=secret, is_new=False)


@pages.post("/<int:endpoint_id>/test")
@access("webhooks.manage")
def test(endpoint_id: int) -> str:
    """Send a ping at once and show what came back."""
    crm = current_crm()
    with crm.read(current_viewer()) as session:
        endpoint = endpoints.get(session, endpoint_id)
    return render("webhooks/tested.html", endpoint=endpoint, outcome=ping(crm, endpoint))


def _draft() -> Draft:
    given, chosen = request.form, tuple(request.form.getlist("types")) if request.form.get("which") == "some" else ()
    title, url = given.get("title", "")[: endpoints.LONGEST_TITLE], given.get("url", "")[: endpoints.LONGEST_URL]
    return Draft(title, url, chosen, active=given.get("active") == "true")


def _form(given: Mapping[str, str], types: Any, wrong: Mapping[str, Text], endpoint: Endpoint | None = None) -> str:
    return render("webhooks/form.html", given=given, chosen=set(types), wrong=wrong, endpoint=endpoint, kinds=words.kinds())
