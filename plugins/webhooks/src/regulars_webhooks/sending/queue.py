"""Which deliveries may be sent now: of each object's open ones the first, of each endpoint only so many at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.services import Crm
from regulars_webhooks.models import Delivery, Endpoint, State

AT_ONCE = 4
"""Calls to one endpoint at the same time."""
PATIENCE = 5
"""After so many failed tries in a row an endpoint is tried by one call at a time, later and later."""
LEASE = dt.timedelta(minutes=2)

Claimed = list[tuple[Delivery, Endpoint]]


def claim(crm: Crm) -> Claimed:
    """Lease what may be sent now."""
    now = crm.clock.now()
    with crm.read() as session:
        candidates = _candidates(session, now)
    if not candidates:
        return []
    with crm.transaction() as session:
        fence = uuid7()
        leased = (
            sa.update(Delivery)
            .where(Delivery.id.in_(candidates), *_due(Delivery, now))
            .values(fence=fence, leased_until=now + LEASE)
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        )
        mine = session.scalars(leased).all()
        found = sa.select(Delivery, Endpoint).join(Endpoint, Endpoint.id == Delivery.endpoint_id).where(Delivery.id.in_(mine))
        return [(delivery, endpoint) for delivery, endpoint in session.execute(found.order_by(Delivery.id))]


def next_at(session: Session) -> dt.datetime | None:
    """When there is something to send; None if there is nothing."""
    free_at = sa.case((Delivery.leased_until > Delivery.due_at, Delivery.leased_until), else_=Delivery.due_at)
    firsts = sa.select(Endpoint.retry_at, sa.func.min(free_at, type_=Delivery.due_at.type).label("due_at")).join(
        Delivery, Delivery.endpoint_id == Endpoint.id
    )
    waiting = firsts.where(Endpoint.active, Endpoint.parked_at.is_(None), Delivery.state == State.WAITING, _is_first(Delivery))
    times = [max(row.due_at, row.retry_at or row.due_at) for row in session.execute(waiting.group_by(Endpoint.id, Endpoint.retry_at))]
    return min(times, default=None)


def _candidates(session: Session, now: dt.datetime) -> list[int]:
    leased = sa.select(Delivery.endpoint_id, sa.func.count()).where(Delivery.leased_until > now).group_by(Delivery.endpoint_id)
    under_way = {row[0]: row[1] for row in session.execute(leased)}
    rested = sa.or_(Endpoint.retry_at.is_(None), Endpoint.retry_at <= now)
    ready = sa.select(Endpoint.id, Endpoint.failures).where(Endpoint.active, Endpoint.parked_at.is_(None), rested)
    rooms = {row.id: (AT_ONCE if row.failures < PATIENCE else 1) - under_way.get(row.id, 0) for row in session.execute(ready)}
    firsts = [_firsts(endpoint_id, room, now) for endpoint_id, room in rooms.items() if room > 0]
    return list(session.scalars(sa.union_all(*firsts))) if firsts else []


def _firsts(endpoint_id: int, room: int, now: dt.datetime) -> sa.Select[tuple[int]]:
    due = sa.select(Delivery.id).where(Delivery.endpoint_id == endpoint_id, *_due(Delivery, now), _is_first(Delivery))
    # Where there is room for one, a new one tells best whether the endpoint is well again: old ones may have failed for their own reasons.
    order = (Delivery.attempts, Delivery.due_at, Delivery.id) if room == 1 else (Delivery.due_at, Delivery.id)
    found = due.order_by(*order).limit(room).subquery()
    return sa.select(found.c.id)


def _due(row: Any, now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    # Written as the partial index has it: a bound value would keep the planner from using that.
    waiting = sa.literal_column("webhooks_delivery.state") == sa.literal_column("'waiting'")
    return waiting, row.due_at <= now, sa.or_(row.leased_until.is_(None), row.leased_until <= now)


def _is_first(row: Any) -> sa.ColumnElement[bool]:
    """Whether nothing older about the same object is still to be taken in. What is about no single object waits for nothing."""
    older = aliased(Delivery, name="older")
    is_open = sa.literal_column("older.state").in_([sa.literal_column("'waiting'"), sa.literal_column("'parked'")])
    return ~sa.exists().where(older.endpoint_id == row.endpoint_id, older.subject == row.subject, older.id < row.id, is_open)
