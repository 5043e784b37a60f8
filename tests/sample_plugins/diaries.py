"""Plugins that each keep a diary of customers, in a table of its own that the timeline reads."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import TimelineEntry, TimelineSource
from regulars_plugin_api.db import BigInt, UtcDateTime
from regulars_plugin_api.views import Viewer
from sample_plugins import toy

NAMES = ("baths", "curls", "diets", "edges")
FIRST = dt.datetime(2024, 1, 1, 9, tzinfo=dt.UTC)
AT_ONCE = 9
"""So many entries of all diaries together share one instant."""


def diary(name: str) -> types.ModuleType:
    """A plugin with one source of the timeline, ``<name>.entries``."""
    entries = _table(name)

    def select(viewer: Viewer) -> sa.Select[*tuple[Any, ...]]:
        nothing = {"channel": sa.null(), "store_id": sa.null(), "kind": sa.literal("entry")}
        columns = (entries.c.customer_id, entries.c.at, entries.c.id.label("ref"))
        return sa.select(*columns, *(value.label(label) for label, value in nothing.items()))

    def render(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
        found = session.scalars(sa.select(entries.c.id).where(entries.c.id.in_(refs)))
        return {ref: TimelineEntry(f"[{name} {ref}]") for ref in found}

    def timeline_sources() -> Iterable[TimelineSource]:
        yield TimelineSource(f"{name}.entries", name.title(), "customers.view", select, render)

    return toy(name, timeline_sources)


def write(session: Session, customer_id: int, amount: int) -> list[str]:
    """Write so many entries of a customer, in turn into each diary; what the timeline says of them, newest first."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    for number in range(amount):
        at = FIRST + dt.timedelta(seconds=number // AT_ONCE)
        rows[NAMES[number % len(NAMES)]].append({"id": customer_id * 100_000 + number, "customer_id": customer_id, "at": at})
    for name, entries in rows.items():
        table = _table(name)
        session.execute(sa.schema.CreateTable(table, if_not_exists=True))
        session.execute(sa.schema.CreateIndex(sa.Index(f"ix_{table.name}", *table.c["customer_id", "at", "id"]), if_not_exists=True))
        session.execute(sa.insert(table), entries)
    written = [(row["at"], name, row["id"]) for name, entries in rows.items() for row in entries]
    return [f"[{name} {ref}]" for _at, name, ref in sorted(written, reverse=True)]


def _table(name: str) -> sa.Table:
    # Apart from the shared Base, so that tests of core's schema do not see it.
    id_, customer_id = sa.Column("id", BigInt, primary_key=True), sa.Column("customer_id", BigInt, nullable=False)
    return sa.Table(f"{name}_entry", sa.MetaData(), id_, customer_id, sa.Column("at", UtcDateTime(), nullable=False))
