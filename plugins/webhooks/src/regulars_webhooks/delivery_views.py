"""Pages of what was sent: an endpoint with its log, one delivery with its tries, sending again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_plugin_api import values
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.forms import Reader
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.web import access, current_crm, current_viewer, render
from regulars_webhooks import deliveries, endpoints, words
from regulars_webhooks.deliveries import Which
from regulars_webhooks.i18n import _, _n
from regulars_webhooks.models import State
from regulars_webhooks.sending.call import envelope
from regulars_webhooks.views import PAGE_SIZE, pages


@pages.get("/<int:endpoint_id>")
@access("webhooks.view")
def show(endpoint_id: int) -> str:
    """An endpoint and its log, newest first."""
    return _endpoint(endpoint_id, {})


@pages.post("/<int:endpoint_id>/replay")
@access("webhooks.manage")
def replay(endpoint_id: int) -> ResponseReturnValue:
    """Send what was parked again, or what happened between two instants."""
    crm, form = current_crm(), Reader(request.form)
    which = Which(state=State.PARKED)
    if "since" in request.form:
        since = form.needed("since", lambda raw: values.instant(raw, None, crm.timezone).at, _("Say since when."))
        which = Which(since=since, until=form.read("until", lambda raw: values.instant(raw, None, crm.timezone).at))
    try:
        form.done()
    except InvalidInput as wrong:
        return _endpoint(endpoint_id, wrong.fields), wrong.status
    with crm.transaction() as session:
        count = deliveries.replay(session, endpoint_id, which)
    flash(str(_n("%(num)s delivery is sent again.", "%(num)s deliveries are sent again.", count)), "ok")
    return redirect(url_for("webhooks.show", endpoint_id=endpoint_id))


@pages.get("/<int:endpoint_id>/deliveries/<int:delivery_id>")
@access("webhooks.view")
def delivery(endpoint_id: int, delivery_id: int) -> str:
    """One delivery: what is sent, and how each try went."""
    with current_crm().read(current_viewer()) as session:
        endpoint = endpoints.get(session, endpoint_id)
        found = deliveries.get(session, endpoint_id, delivery_id)
        tries = deliveries.attempts(session, delivery_id)
    sent = json.dumps(json.loads(envelope(found)), indent=2, ensure_ascii=False)
    return render("webhooks/delivery.html", endpoint=endpoint, delivery=found, badge=words.STATES[found.state], tries=tries, sent=sent)


@pages.post("/<int:endpoint_id>/deliveries/<int:delivery_id>/replay")
@access("webhooks.manage")
def replay_one(endpoint_id: int, delivery_id: int) -> ResponseReturnValue:
    """Send one delivery again."""
    with current_crm().transaction() as session:
        deliveries.replay_one(session, endpoint_id, delivery_id)
    flash(str(_("It is sent again.")), "ok")
    return redirect(url_for("webhooks.delivery", endpoint_id=endpoint_id, delivery_id=delivery_id))


@pages.post("/<int:endpoint_id>/deliveries/<int:delivery_id>/skip")
@access("webhooks.manage")
def skip(endpoint_id: int, delivery_id: int) -> ResponseReturnValue:
    """Leave a parked delivery out, and send what waits behind it."""
    with current_crm().transaction() as session:
        deliveries.skip(session, endpoint_id, delivery_id)
    flash(str(_("It is left out. What waited behind it is sent.")), "ok")
    return redirect(url_for("webhooks.delivery", endpoint_id=endpoint_id, delivery_id=delivery_id))


def _endpoint(endpoint_id: int, wrong: Mapping[str, Text]) -> str:
    chosen = request.args.get("state", "")
    state = State(chosen) if chosen in {one.value for one in State} else None
    before = request.args.get("before", type=int)
    with current_crm().read(current_viewer()) as session:
        endpoint = endpoints.get(session, endpoint_id)
        found = deliveries.listed(session, endpoint_id, Which(state=state), before=before, limit=PAGE_SIZE + 1)
        tries = deliveries.last_tries(session, [one.id for one in found])
        parked = endpoints.parked_of(session, [endpoint_id]).get(endpoint_id, 0)
    following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    overlaps = endpoint.old_until is not None and endpoint.old_until > current_crm().clock.now()
    return render(
        "webhooks/endpoint.html",
        endpoint=endpoint,
        overlaps=overlaps,
        standing=words.STANDINGS[words.standing(endpoint)],
        deliveries=found[:PAGE_SIZE],
        tries=tries,
        parked=parked,
        states=words.STATES,
        chosen=state,
        before=before,
        following=following,
        given=request.form,
        wrong=wrong,
    )
