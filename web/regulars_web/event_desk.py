"""What people see and do at the pages of events. Functions take a session and never commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.eventlog import MAX_DEPTH
from regulars_core.bus.models import DEAD, READY, Delivery, Event, Subscription
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.i18n import _

LED_TO = 50
CAUSED_BY_EVENT = "event:"


@dataclass
class HandlerFigures:
    """What a handler has still to do. ``lag`` is how long the oldest of it has been due, ``retrying`` what failed at least once."""

    handler: str
    plugin: str
    types: list[str] = field(default_factory=list)
    waiting: int = 0
    retrying: int = 0
    dead: int = 0
    lag: dt.timedelta = dt.timedelta(0)


@dataclass(frozen=True)
class Chain:
    """An event with what led to it, first cause first, what it led to, and how its deliveries fare."""

    event: Event
    causes: Sequence[Event]
    led_to: Sequence[Event]
    deliveries: Sequence[Delivery]


def retry_delivery(session: Session, delivery_id: int) -> None:
    """Give a dead delivery another full round of attempts."""
    again = sa.update(Delivery).where(Delivery.id == delivery_id, Delivery.state == DEAD)
    session.execute(again.values(state=READY, attempts=0, due_at=session.info["at"], error=None))


def retry(session: Session, handler: str | None = None) -> int:
    """Give dead deliveries, of one handler or all, another full round of attempts; how many."""
    dead = [Delivery.state == DEAD, *([Delivery.handler == handler] if handler else [])]
    again = sa.update(Delivery).where(*dead).values(state=READY, attempts=0, due_at=session.info["at"], error=None).returning(Delivery.id)
    return len(session.scalars(again.execution_options(synchronize_session=False)).all())


def dead(session: Session, *, before: int | None = None, limit: int = 50) -> Sequence[tuple[Delivery, Event]]:
    """Deliveries that were given up with their events, newest first, those before the id ``before``."""
    found = sa.select(Delivery, Event).join(Event, Event.id == Delivery.event_id).where(Delivery.state == DEAD)
    found = found if before is None else found.where(Delivery.id < before)
    return [(delivery, event) for delivery, event in session.execute(found.order_by(Delivery.id.desc()).limit(limit))]


def events(
    session: Session, kind: str | None = None, *, before: int | None = None, after: int | None = None, limit: int = 50
) -> Sequence[Event]:
    """Events, newest first, those before the id ``before``; or oldest first, those after ``after``. Of one type or all."""
    chosen = [*([Event.type == kind] if kind else []), *([Event.id < before] if before is not None else [])]
    if after is not None:
        return session.scalars(sa.select(Event).where(*chosen, Event.id > after).order_by(Event.id).limit(limit)).all()
    return session.scalars(sa.select(Event).where(*chosen).order_by(Event.id.desc()).limit(limit)).all()


def handlers(session: Session, now: dt.datetime) -> list[HandlerFigures]:
    """Every handler that is subscribed to something, by name. Two statements; what is done is not looked at."""
    found: dict[str, HandlerFigures] = {}
    for one in session.scalars(sa.select(Subscription).order_by(Subscription.handler, Subscription.type)):
        found.setdefault(one.handler, HandlerFigures(one.handler, one.plugin)).types.append(one.type)
    counted: list[sa.Select[Any, Any, Any, Any, Any]] = [
        sa.select(
            Delivery.handler,
            sa.literal(state),
            sa.func.count(),
            sa.func.sum(sa.case((Delivery.attempts > 0, 1), else_=0)),
            sa.func.min(Delivery.due_at),
        )
        # Written as the partial indexes have it: a bound value would keep the planner from using them.
        .where(sa.literal_column("delivery.state") == sa.literal_column(f"'{state}'"))
        .group_by(Delivery.handler)
        for state in (READY, DEAD)
    ]
    for name, state, count, tried, due_at in session.execute(sa.union_all(*counted)):
        figures = found.setdefault(name, HandlerFigures(name, name.partition(".")[0]))
        if state == DEAD:
            figures.dead = count
        else:
            figures.waiting, figures.retrying, figures.lag = count, tried, max(now - due_at, dt.timedelta(0))
    return [found[name] for name in sorted(found)]


def chain(session: Session, uid: str) -> Chain:
    """An event and what it hangs together with. Raises ``NotFound``."""
    event = _by_uid(session, uid)
    if event is None:
        raise NotFound(_("There is no such event."))
    causes: list[Event] = []
    before: Event | None = event
    while before is not None and (before.cause or "").startswith(CAUSED_BY_EVENT) and len(causes) <= MAX_DEPTH:
        before = _by_uid(session, str(before.cause).removeprefix(CAUSED_BY_EVENT))
        causes += [before] if before is not None else []
    led_to = sa.select(Event).where(Event.cause == CAUSED_BY_EVENT + uid).order_by(Event.id).limit(LED_TO)
    deliveries = sa.select(Delivery).where(Delivery.event_id == event.id).order_by(Delivery.handler)
    return Chain(event, causes[::-1], session.scalars(led_to).all(), session.scalars(deliveries).all())


def _by_uid(session: Session, uid: str) -> Event | None:
    return session.scalar(sa.select(Event).where(Event.uid == uid))
