"""Reading the journal: what happened to one customer, newest first."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit.models import CREATED, DELETED, ROW, Change
from regulars_core.customers.models import Consent, Customer, CustomerAddress, CustomerEmail, CustomerPhone, CustomerTag, ExternalId
from regulars_core.users.models import User

PARTS = (CustomerEmail, CustomerPhone, CustomerAddress, ExternalId, CustomerTag, Consent)
RECENTLY = 300


@dataclass(frozen=True)
class ChangeView:
    """One change of a value, or of a whole row (``what`` is ``created`` or ``deleted``, ``field`` is None)."""

    id: int
    at: dt.datetime
    actor: str | None
    cause: str
    table: str
    what: str
    field: str | None
    old: Any
    new: Any
    row_id: int


def of_customer(session: Session, customer_id: int, *, before: int | None = None, limit: int = 50) -> list[ChangeView]:
    """Changes of a customer and its parts; ``before`` is the id of the last one shown."""
    mine = [sa.and_(Change.table_name == Customer.__tablename__, Change.row_id == customer_id)]
    mine += [
        sa.and_(Change.table_name == part.__tablename__, Change.row_id.in_(sa.select(part.id).where(part.customer_id == customer_id)))
        for part in PARTS
    ]
    query = sa.select(Change, User.name).outerjoin(User, User.id == Change.actor_id).where(sa.or_(*mine))
    if before is not None:
        query = query.where(Change.id < before)
    return [_view(change, name) for change, name in session.execute(query.order_by(Change.id.desc()).limit(limit))]


def listed(session: Session, *, before: int | None = None, limit: int = 50) -> list[ChangeView]:
    """Changes of everything, newest first; ``before`` is the id of the last one shown."""
    query = sa.select(Change, User.name).outerjoin(User, User.id == Change.actor_id)
    if before is not None:
        query = query.where(Change.id < before)
    return [_view(change, name) for change, name in session.execute(query.order_by(Change.id.desc()).limit(limit))]


def changed_customers(session: Session, limit: int) -> list[int]:
    """Ids of the customers changed last, newest first, among the most recent entries of the journal."""
    latest = sa.select(Change.table_name, Change.row_id).order_by(Change.id.desc()).limit(RECENTLY)
    changed = (row.row_id for row in session.execute(latest) if row.table_name == Customer.__tablename__)
    return list(dict.fromkeys(changed))[:limit]


def _view(change: Change, actor: str | None) -> ChangeView:
    is_row = change.column_name == ROW
    what = change.new if is_row and change.new in (CREATED, DELETED) else "changed"
    return ChangeView(
        id=change.id,
        at=change.at,
        actor=actor,
        cause=change.cause,
        table=change.table_name,
        what=what or "changed",
        field=None if is_row else change.column_name,
        old=None if is_row else _value(change.old),
        new=None if is_row else _value(change.new),
        row_id=change.row_id,
    )


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
