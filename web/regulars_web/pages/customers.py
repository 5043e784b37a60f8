"""The list of customers: search, filters, pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from regulars_core.customers.listing import CustomerLine
from regulars_core.customers.service import COUNTED_AT_MOST, Page, Position
from regulars_plugin_api.contributions import CustomerColumn
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import StoreView
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.pages.customer import KINDS, STATUSES, pages, store_choices
from regulars_web.running import crm_here

PAGE_SIZE = 50
PLUGIN_COLUMNS = 3
FILTERS = ("status", "kind", "store", "city", "tag")
LONGEST = 200


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address of the list without it."""

    name: str
    value: Text
    without: str


@dataclass(frozen=True)
class Column:
    """A plugin's column with the values of this page, by customer."""

    title: Text
    values: Mapping[int, Any]


@pages.get("/customers")
@access("customers.view")
def page() -> str:
    """Customers by name, as far as search and filters let them through."""
    given = {name: request.args.get(name, "").strip()[:LONGEST] for name in ("q", *FILTERS)}
    where = as_filter(given)
    viewer, customers = current_viewer(), crm_here().customers
    with crm_here().read(viewer) as session:
        found = customers.lines(
            session, viewer, query=given["q"], where=where, after=_position("after"), before=_position("before"), limit=PAGE_SIZE
        )
        all_stores = store_choices(session)
        values = {
            "count": customers.count_about(session, viewer, query=given["q"], where=where),
            "tags": customers.tags(session),
        }
    return render(
        "customers.html",
        given=given,
        page=found,
        most=COUNTED_AT_MOST,
        chips=_chips(given, all_stores),
        columns=_columns(found),
        all_stores=all_stores,
        before=found.before and _address(given, before=_cursor(found.before)),
        after=found.after and _address(given, after=_cursor(found.after)),
        statuses=STATUSES,
        kinds=KINDS,
        **values,
    )


def as_filter(given: Mapping[str, str]) -> dict[str, Any] | None:
    """The choices of the simple form in the filter language; None when nothing is chosen."""
    fields = {"status": "status", "kind": "kind", "store": "store", "city": "city", "tag": "tags"}
    leaves = [{"field": fields[name], "op": "eq", "value": given[name]} for name in FILTERS if given[name]]
    return {"all": leaves} if leaves else None


def _chips(given: Mapping[str, str], all_stores: Sequence[StoreView]) -> list[Chip]:
    words: dict[str, Mapping[str, Text]] = {"status": STATUSES, "kind": KINDS, "store": {store.code: store.name for store in all_stores}}
    return [Chip(name, words.get(name, {}).get(given[name], given[name]), _address({**given, name: ""})) for name in FILTERS if given[name]]


def _columns(found: Page[CustomerLine]) -> list[Column]:
    """What plugins add to the list, asked for the whole page at once; one that fails is left out."""
    viewer, crm = current_viewer(), crm_here()
    ids = [row.id for row in found.rows]
    columns = []
    for plugin, offered in crm.bus.each(hooks.customer_columns):
        allowed = [one for one in offered if viewer.may(one.permission)][:PLUGIN_COLUMNS]
        if allowed:
            answer = crm.bus.guarded(plugin, "column values", lambda columns=allowed: _load(columns, ids))  # type: ignore[misc]
            columns += answer.value or ()
    return columns


def _load(columns: Sequence[CustomerColumn], ids: Sequence[int]) -> list[Column]:
    viewer = current_viewer()
    with crm_here().read(viewer) as session:
        return [Column(one.title, one.load(session, ids, viewer)) for one in columns]


def _address(given: Mapping[str, str], **cursor: Any) -> str:
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value}
    return url_for("customers.page", **chosen, **cursor)


def _cursor(position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _position(name: str) -> Position | None:
    """Where the page begins; an address that was tampered with begins at the first page."""
    raw = request.args.get(name, "")
    try:
        fold_name, customer_id = json.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    except (ValueError, TypeError, binascii.Error):
        return None
    return (fold_name, customer_id) if isinstance(fold_name, str) and isinstance(customer_id, int) and abs(customer_id) < 2**62 else None
