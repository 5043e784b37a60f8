"""What people see and do at the pages of events. Functions take a session and never commit."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.models import DEAD, READY, Delivery, Event


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
