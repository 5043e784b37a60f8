"""Plugins as a well stocked shop has them: each with a panel that asks the database, a source of the timeline and an entry in the menu."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import NavItem, Panel, Place, TimelineEntry, TimelineSource
from regulars_plugin_api.db import UtcDateTime, customers
from regulars_plugin_api.views import CustomerView, Viewer
from sample_plugins import toy

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PANEL = "<p>{{ customer.display_name }}: {{ known }}</p>\n"
KNOWN = sa.select(customers.c.status).where(customers.c.id == sa.bindparam("customer_id"))
HAPPENINGS = sa.select(
    customers.c.id.label("customer_id"),
    sa.literal(AT, UtcDateTime()).label("at"),
    sa.literal("put").label("kind"),
    sa.null().label("channel"),
    sa.null().label("store_id"),
    customers.c.id.label("ref"),
)
T = TypeVar("T")


class Spent:
    """How often the plugins asked the database for themselves, and the processor's seconds that took."""

    def __init__(self) -> None:
        self.statements, self.seconds = 0, 0.0

    def asking(self, ask: Callable[[], T]) -> T:
        """Count one statement."""
        began = time.thread_time()
        try:
            return ask()
        finally:
            self.seconds += time.thread_time() - began
            self.statements += 1


def contributor(number: int, folder: Path, spent: Spent) -> ModuleType:
    """One of them. Its template goes to ``folder``."""
    name = f"shelf{number}"
    templates = folder / name / "templates" / name
    templates.mkdir(parents=True, exist_ok=True)
    (templates / "panel.html").write_text(PANEL)

    def load(session: Session, customer: CustomerView, viewer: Viewer) -> Mapping[str, Any]:
        return {"known": spent.asking(lambda: session.scalar(KNOWN, {"customer_id": customer.id}))}

    def render(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
        return {ref: TimelineEntry(f"Put on shelf {number}") for ref in refs}

    item = NavItem(f"Shelf {number}", "customers.page", "customers.view")
    panel = Panel(f"Shelf {number}", Place.SIDE, f"{name}/panel.html", load)
    source = TimelineSource(name, f"Shelf {number}", "customers.view", lambda viewer: HAPPENINGS, render)

    def nav_items(viewer: Viewer) -> Iterable[NavItem]:
        yield item

    def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]:
        yield panel

    def timeline_sources() -> Iterable[TimelineSource]:
        yield source

    module = toy(name, nav_items, customer_panels, timeline_sources)
    module.__file__ = str(folder / name / "plugin.py")
    return module
