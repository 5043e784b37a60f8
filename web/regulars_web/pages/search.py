"""The search box at the top of every page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from regulars_plugin_api.contributions import SearchHit, SearchSource
from regulars_plugin_api.hookspecs import web as hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.listing import lines
from regulars_web.pages.commands import Command, customers_like
from regulars_web.running import crm_here

pages = Blueprint("search", __name__)
CUSTOMERS, HITS, LONGEST = 20, 10, 200


@pages.get("/search")
@access("customers.view")
def page() -> ResponseReturnValue:
    """Customers by name, phone, e-mail or number, and what plugins find; while one types, the first customers and the way to all."""
    query, viewer = request.args.get("q", "").strip()[:LONGEST], current_viewer()
    if "HX-Request" in request.headers:
        found = customers_like(query)
        way = Command(_("Show all"), url_for("search.page", q=query), "search", "" if found else _("No customer fits"))
        return render("_commands.html", wanted=query, commands=[*found, way]), 200, {"Vary": "HX-Request"}
    if not query:
        return render("search.html", query=query, found=None, groups=[])
    with crm_here().read(viewer) as session:
        fitting = lines(crm_here(), session, viewer, query=query, limit=CUSTOMERS)
    return render("search.html", query=query, found=fitting, groups=found_by_plugins(query))


def found_by_plugins(query: str) -> list[tuple[SearchSource, Sequence[SearchHit]]]:
    """What each source of a plugin that the viewer may see has for ``query``; a source that fails is passed over."""
    viewer, crm = current_viewer(), crm_here()
    groups = []
    for plugin, sources in crm.bus.each(hooks.search_sources):
        for source in [one for one in sources if viewer.may(one.permission)]:
            answer = crm.bus.guarded(plugin, "search", lambda source=source: _search(source, query))  # type: ignore[misc]
            if answer.value:
                groups.append((source, answer.value))
    return groups


def _search(source: SearchSource, query: str) -> Sequence[SearchHit]:
    viewer = current_viewer()
    with crm_here().read(viewer) as session:
        hits = list(islice(source.search(session, query, HITS, viewer), HITS))
    if wrong := next((hit for hit in hits if not isinstance(hit, SearchHit)), None):
        raise TypeError(f"found {type(wrong).__name__}, not SearchHit")
    return hits
