"""Events: what happened, what could not be delivered, and what there is to know of each kind."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, fields
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.bus import eventlog
from regulars_core.users import service as users
from regulars_plugin_api.events import known_events
from regulars_plugin_api.i18n import _, _n
from regulars_plugin_api.web import access, render
from regulars_web import event_desk as desk
from regulars_web.running import crm_here

pages = Blueprint("events", __name__)
PAGE_SIZE = 50


@dataclass(frozen=True)
class Entry:
    """A kind of event as the catalogue shows it: ``type``, who tells it, its docstring, its fields."""

    type: str
    told_by: str
    text: str
    fields: tuple[str, ...]


@pages.get("/events")
@access("jobs.manage")
def page() -> str:
    """The log, newest first."""
    kind = request.args.get("type", "")[:80]
    with crm_here().read() as session:
        found = desk.events(session, kind or None, before=request.args.get("before", type=int), limit=PAGE_SIZE + 1)
        names = users.names(session, (one.actor for one in found))
    following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    kinds = sorted(entry.type for entry in catalogue())
    return render("events.html", events=found[:PAGE_SIZE], names=names, kind=kind, kinds=kinds, following=following)


@pages.get("/events/failed")
@access("jobs.manage")
def failed() -> str:
    """Deliveries that were given up, with the reason."""
    with crm_here().read() as session:
        found = desk.dead(session, before=request.args.get("before", type=int), limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1][0].id if len(found) > PAGE_SIZE else None
    return render("events_failed.html", deliveries=found[:PAGE_SIZE], following=following)


@pages.post("/events/failed/retry")
@access("jobs.manage")
def retry() -> ResponseReturnValue:
    """Try one delivery again, or all."""
    one = request.form.get("delivery", type=int)
    with crm_here().transaction() as session:
        count = 1
        if one is None:
            count = desk.retry(session)
        else:
            desk.retry_delivery(session, one)
    flash(str(_n("%(num)s delivery is tried again.", "%(num)s deliveries are tried again.", count)), "ok")
    return redirect(url_for("events.failed"))


@pages.get("/events/handlers")
@access("jobs.manage")
def handlers() -> str:
    """Who is told what, how far behind each is and what failed."""
    crm = crm_here()
    with crm.read() as session:
        found = desk.handlers(session, crm.clock.now())
    titles = {one.name: one.title for one in crm.plugins.listed()}
    return render("events_handlers.html", handlers=found, titles=titles, on=crm.plugins.is_enabled)


@pages.post("/events/handlers/<name>/replay")
@access("jobs.manage")
def replay(name: str) -> ResponseReturnValue:
    """Give a handler the whole history again."""
    with crm_here().transaction() as session:
        count = eventlog.replay(session, name)
    flash(str(_n("%(num)s event is delivered again.", "%(num)s events are delivered again.", count)), "ok")
    return redirect(url_for("events.handlers"))


@pages.get("/events/<uuid:uid>")
@access("jobs.manage")
def show(uid: UUID) -> str:
    """One event: what led to it, what it led to, who was told."""
    with crm_here().read() as session:
        found = desk.chain(session, str(uid))
        names = users.names(session, [found.event.actor])
    return render("event.html", chain=found, names=names, deepest=eventlog.MAX_DEPTH)


@pages.get("/events/catalogue")
@access("jobs.manage")
def kinds() -> str:
    """Every kind of event, in the words of its docstring."""
    return render("events_catalogue.html", entries=sorted(catalogue(), key=lambda one: one.type))


def catalogue() -> Iterator[Entry]:
    """The kinds of events that core and the installed plugins tell."""
    loaded = {one.module.__name__.partition(".")[0]: str(one.manifest.title) for one in crm_here().plugins.loaded.values()}
    known = {"regulars_plugin_api": str(_("Regulars")), **loaded}
    for event in known_events().values():
        teller = known.get(event.__module__.partition(".")[0])
        if teller is not None:
            yield Entry(event.type, teller, (inspect.getdoc(event) or "").replace("``", ""), tuple(one.name for one in fields(event)))
