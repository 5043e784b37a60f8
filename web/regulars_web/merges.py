"""Merges as staff see them: those of customers they may see, with what moved."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from regulars_core.crm import Crm
from regulars_core.customers.merges import CustomerMerge
from regulars_core.customers.models import Customer
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import CustomerView, Viewer


@dataclass(frozen=True)
class MergeView:
    """A merge as staff see one. ``moved`` counts rows by table; ``can_undo`` is no when it was undone or somebody erased."""

    number: int
    keep: CustomerView
    dropped_id: int
    dropped_name: str
    at: dt.datetime
    undone_at: dt.datetime | None
    can_undo: bool
    moved: Mapping[str, int]


def listed(crm: Crm, session: Session, viewer: Viewer, *, before: int | None = None, limit: int = 50) -> list[MergeView]:
    """Merges of customers the viewer may see, newest first."""
    query = _seen(crm, viewer).order_by(CustomerMerge.id.desc()).limit(limit)
    return _viewed(crm, session, query if before is None else query.where(CustomerMerge.id < before))


def get(crm: Crm, session: Session, viewer: Viewer, number: int) -> MergeView:
    """One merge the viewer may see. Raises ``NotFound``."""
    found = _viewed(crm, session, _seen(crm, viewer).where(CustomerMerge.id == number))
    if not found:
        raise NotFound(_("There is no such merge."))
    return found[0]


def _seen(crm: Crm, viewer: Viewer) -> sa.Select[CustomerMerge, str]:
    dropped = aliased(Customer)
    query = sa.select(CustomerMerge, dropped.display_name).join(Customer, Customer.id == CustomerMerge.keep_id)
    return query.join(dropped, dropped.id == CustomerMerge.drop_id).where(crm.customers.visible_to(viewer))


def _viewed(crm: Crm, session: Session, query: sa.Select[CustomerMerge, str]) -> list[MergeView]:
    rows = session.execute(query).all()
    keeps = crm.customers.get_many([record.keep_id for record, _name in rows], session=session)
    found = []
    for record, name in rows:
        if record.keep_id not in keeps:
            continue
        moved: dict[str, int] = defaultdict(int)
        for step in (record.image or {}).get("steps", ()):
            moved[step["table"]] += len(step["moved"]) + len(step["dropped"])
        can_undo = record.undone_at is None and record.image is not None
        found.append(MergeView(record.id, keeps[record.keep_id], record.drop_id, name, record.at, record.undone_at, can_undo, moved))
    return found
