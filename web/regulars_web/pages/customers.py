"""The list of customers: search, filters, saved views, columns, pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from flask import request, url_for
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.orm import Session

from regulars_core.customers.paging import COUNTED_AT_MOST, FOUND_AT_MOST, Position
from regulars_core.users.models import SavedView
from regulars_plugin_api.hookspecs import web as hooks
from regulars_plugin_api.i18n import Text, current_locale
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import choices, columns, filtering, saved_views
from regulars_web.drawn import drawn
from regulars_web.filtering import KINDS, STATUSES
from regulars_web.links import leads_somewhere
from regulars_web.listing import CustomerLine, lines
from regulars_web.pages.customer import MOST_CHOICES, pages
from regulars_web.running import crm_here

PAGE_SIZE, MOST_TAGS = 50, 100
FILTERS = ("status", "kind", "store", "city", "tag")
STATE = ("q", *FILTERS, "filter", "columns", "sort")
"""What an address says of the list, and what a saved view keeps."""
LONGEST, LONGEST_FILTER = 200, 6000


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address of the list without it."""

    name: str
    value: Text
    without: str


class Table(NamedTuple):
    """What stands above the rows: columns (name, title, shown), titles of plugins' columns, actions for many (endpoint, label, by GET)."""

    layout: columns.Layout
    state: tuple[tuple[str, str], ...]
    offered: tuple[tuple[str, str, bool], ...]
    titles: tuple[str, ...]
    actions: tuple[tuple[str, str, bool], ...]
    may_edit: bool
    may_share: bool
    mine: choices.Offer | None
    """The view that is open, if the viewer saved it."""


@pages.get("/customers")
@access("customers.view")
def page() -> str:
    """Customers by name, as far as search and filters let them through."""
    viewer = current_viewer()
    with crm_here().read(viewer) as session:
        current, given = _state(session)
        choice = columns.choose(given["columns"])
        more = filtering.parsed(given["filter"])
        asked: dict[str, Any] = {"query": given["q"], "where": as_filter(given, more)}
        after, before = _position("after"), _position("before")
        newest = given["sort"] == "newest"
        offered = choices.offered(session, viewer, stores=MOST_CHOICES + 1, tags=MOST_TAGS, views=2 * saved_views.MOST)
        asked["store_names"] = {store.id: store.name for store in offered.stores}
        found = lines(crm_here(), session, viewer, **asked, apart=choice.core, after=after, before=before, limit=PAGE_SIZE, newest=newest)
        # A chain with more stores than that types the code.
        all_stores = offered.stores if len(offered.stores) <= MOST_CHOICES else []
        values = {
            "count": found.count,
            "chips": _chips(given, all_stores) + _more_chips(session, given, more),
        }
    bulk = _bulk_actions()
    loaded = columns.load(choice, found.rows)
    table = Table(
        columns.Layout(bool(bulk) or viewer.may("customers.edit"), *map(choice.has, columns.CORE)),
        tuple(given.items()),
        tuple((name, str(title), choice.has(name)) for _plugin, name, title in choice.offered),
        tuple(str(column.title) for column in loaded),
        tuple((action.endpoint, str(action.label), action.get) for action in bulk),
        viewer.may("customers.edit"),
        viewer.may("views.share"),
        choices.Offer(current.id, "", current.name, current.shared) if current and current.user_id == viewer.user_id else None,
    )
    statuses, kinds = _words(current_locale())
    return render(
        "customers.html",
        given=given,
        page=found,
        most=FOUND_AT_MOST if given["q"] else COUNTED_AT_MOST,
        table=table,
        state=table.state,
        rows=_drawn(table.layout, found.rows, loaded, {**statuses, **kinds}),
        views=tuple(offered.views),
        tags=tuple(offered.tags),
        current=current,
        all_stores=tuple(all_stores),
        whole=json.dumps(asked["where"], ensure_ascii=False) if asked["where"] else "",
        trashed=[one for one in request.args.get("trashed", "").split(",") if one.isdecimal()][:PAGE_SIZE],
        before=_beside("before", found.before, given),
        after=_beside("after", found.after, given),
        statuses=tuple(statuses.items()),
        kinds=tuple(kinds.items()),
        **values,
    )


def state_of(given: Mapping[str, str]) -> dict[str, str]:
    """What an address or a form says of the list."""
    return {name: given.get(name, "").strip()[: LONGEST_FILTER if name == "filter" else LONGEST] for name in STATE}


def as_filter(given: Mapping[str, str], more: Any | None = None) -> dict[str, Any] | None:
    """The choices of the simple form, and the filter beside it, in the filter language; None when nothing is chosen."""
    fields = {"status": "status", "kind": "kind", "store": "store", "city": "city", "tag": "tags"}
    leaves: list[Any] = [{"field": fields[name], "op": "eq", "value": given[name]} for name in FILTERS if given[name]]
    if more is not None:
        leaves.append(more)
    return {"all": leaves} if leaves else None


def address(given: Mapping[str, str], **cursor: Any) -> str:
    """The list in this state."""
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value}
    return url_for("customers.page", **chosen, **cursor)


@lru_cache(maxsize=64)
def _words(_locale: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    statuses, kinds = ({name: str(title) for name, title in words.items()} for words in (STATUSES, KINDS))
    return statuses, kinds


def _state(session: Session) -> tuple[SavedView | None, dict[str, str]]:
    """The view that is open and the state of the list: the view's own, until the address says otherwise."""
    asked = request.args
    view_id = asked.get("view", type=int)
    current = None if view_id is None else saved_views.find(session, current_user.id, view_id)
    is_plain = asked.keys().isdisjoint((*STATE, "column"))
    given = state_of(current.query if current is not None and is_plain else asked.to_dict())
    if "column" in asked:
        given["columns"] = ",".join(asked.getlist("column"))[:LONGEST]
    return current, given


def _bulk_actions() -> list[Any]:
    viewer = current_viewer()
    offered = crm_here().bus.collect(hooks.customer_actions, customer=None, viewer=viewer)
    allowed = [one for one in offered if one.bulk and viewer.may(one.permission) and leads_somewhere(one.endpoint)]
    return sorted(allowed, key=lambda one: one.weight)


def _drawn(layout: columns.Layout, lines: Sequence[CustomerLine], loaded: Sequence[columns.Column], titles: Mapping[str, str]) -> Markup:
    """The rows of the table. Whoever goes through lists and back sees the same ones again and again."""
    draw, values = drawn("_customer_row.html", "row"), [column.values for column in loaded]
    rows = [draw(layout, line, titles[line.status], titles[line.kind], *[found[line.id] for found in values]) for line in lines]
    return Markup("".join(rows))  # noqa: S704 - each is a template that escaped what it printed


def _chips(given: Mapping[str, str], all_stores: Sequence[choices.Offer]) -> list[Chip]:
    words: dict[str, Mapping[str, Text]] = {"status": STATUSES, "kind": KINDS, "store": {store.code: store.name for store in all_stores}}
    return [Chip(name, words.get(name, {}).get(given[name], given[name]), address({**given, name: ""})) for name in FILTERS if given[name]]


def _more_chips(session: Session, given: Mapping[str, str], more: Any | None) -> list[Chip]:
    if more is None:
        return []
    known = filtering.offers(session)
    chips = []
    for place, part in enumerate(filtering.parts(more)):
        rest = filtering.without(more, place) if filtering.is_all(more) else None
        chips.append(Chip("", filtering.sentence(part, known), address({**given, "filter": json.dumps(rest) if rest else ""})))
    return chips


def _beside(side: str, position: Position | None, given: Mapping[str, str]) -> str | None:
    """The page before or after a position."""
    if position is None:
        return None
    here, cursor = address(given), base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")
    return f"{here}{'&' if '?' in here else '?'}{side}={cursor}"


def _position(name: str) -> Position | None:
    """Where the page begins; an address that was tampered with begins at the first page."""
    raw = request.args.get(name)
    if not raw:
        return None
    try:
        fold_name, customer_id = json.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    except (ValueError, TypeError, binascii.Error):
        return None
    return (fold_name, customer_id) if isinstance(fold_name, str) and isinstance(customer_id, int) and abs(customer_id) < 2**62 else None
