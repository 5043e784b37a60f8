"""Columns of the list of customers: core's own, and what plugins add, loaded for a whole page at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from types import NoneType
from typing import Any, NamedTuple

from regulars_plugin_api.contributions import CustomerColumn
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import current_viewer
from regulars_web.listing import CustomerLine
from regulars_web.running import crm_here

CORE: Mapping[str, Text] = {"status": _("Status"), "store": _("Home store"), "city": _("City"), "email": _("E-mail"), "phone": _("Phone")}
USUAL = ("status", "store", "city")
USUAL_OF_PLUGINS, MOST = 3, 12
PLAIN = (bool, int, float, Decimal, dt.date, NoneType)
LONGEST = 500


@dataclass(frozen=True)
class Column:
    """A plugin's column with the values of this page, by customer."""

    title: Text
    values: Mapping[int, Any]


class Layout(NamedTuple):
    """Which of the platform's own parts the rows have: ticks to choose them by, and columns."""

    ticks: bool
    status: bool
    store: bool
    city: bool
    email: bool
    phone: bool


@dataclass(frozen=True)
class Choice:
    """Which columns there are (plugin, name, title), and those chosen: core's by name, plugins' by plugin."""

    offered: Sequence[tuple[str, str, Text]]
    core: tuple[str, ...]
    plugins: Mapping[str, Sequence[CustomerColumn]]

    def has(self, name: str) -> bool:
        """Whether the column of this name is chosen."""
        return name in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset((*self.core, *(one.name for found in self.plugins.values() for one in found)))


def choose(wanted: str) -> Choice:
    """The columns named in ``wanted``, by commas; the usual ones when it is empty. A plugin that fails has none."""
    viewer, names = current_viewer(), [name for name in wanted.split(",") if name]
    offered: list[tuple[str, str, Text]] = [("", name, title) for name, title in CORE.items()]
    chosen: dict[str, Sequence[CustomerColumn]] = {}
    for plugin, found in crm_here().bus.each(hooks.customer_columns):
        allowed = [one for one in found if viewer.may(one.permission)]
        offered += [(plugin, one.name, one.title) for one in allowed]
        room = USUAL_OF_PLUGINS - sum(map(len, chosen.values()))
        mine = [one for one in allowed if one.name in names][:MOST] if names else allowed[:room]
        if mine:
            chosen[plugin] = mine
    return Choice(offered, tuple(name for name in CORE if name in (names or USUAL)), chosen)


def load(choice: Choice, rows: Sequence[CustomerLine]) -> list[Column]:
    """The chosen columns of plugins with their values; those of a plugin that fails are left out."""
    ids = [row.id for row in rows]
    columns: list[Column] = []
    for plugin, chosen in choice.plugins.items() if ids else ():
        answer = crm_here().bus.guarded(plugin, "column values", lambda chosen=chosen: _load(chosen, ids))  # type: ignore[misc]
        columns += answer.value or ()
    return columns


def _load(columns: Sequence[CustomerColumn], ids: Sequence[int]) -> list[Column]:
    viewer = current_viewer()
    with crm_here().read(viewer) as session:
        loaded = [(one.title, one.load(session, ids, viewer)) for one in columns]
    return [Column(title, _plain(values, ids)) for title, values in loaded]


def _plain(values: Mapping[int, Any], ids: Sequence[int]) -> dict[int, Any]:
    return {one: value if isinstance(value := values.get(one), PLAIN) else f"{value}"[:LONGEST] for one in ids}
