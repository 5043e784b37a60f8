"""What plugins that are off, or whose package is gone, still know of a customer: how much, until they are back to show it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.manifest import PersonalTable


@dataclass(frozen=True)
class Kept:
    """A plugin that is off and how many records it keeps."""

    title: Text
    count: int


def about(crm: Crm, session: Session, customer_id: int) -> list[Kept]:
    """One statement, and none while every plugin is on."""
    away = [(name, row) for name, row in sorted(crm.plugins.rows.items()) if row.personal_data and not crm.plugins.is_enabled(name)]
    counts = [_count(name, PersonalTable.from_json(saved), customer_id) for name, row in away for saved in row.personal_data]
    if not counts:
        return []
    found: dict[str, int] = {}
    for row in session.execute(sa.union_all(*counts).subquery().select()):
        found[row[0]] = found.get(row[0], 0) + row[1]
    loaded = crm.plugins.loaded
    return [Kept(loaded[name].manifest.title if name in loaded else name, count) for name, count in found.items() if count]


def _count(name: str, personal: PersonalTable, customer_id: int) -> sa.Select[str, int]:
    table = sa.table(personal.table, sa.column(personal.customer_column))
    mine = table.c[personal.customer_column] == customer_id
    return sa.select(sa.literal(name), sa.func.count()).select_from(table).where(mine)
