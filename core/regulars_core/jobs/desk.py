"""What people see and do at the pages of jobs and events. Functions take a session and never commit."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.models import DEAD, READY, Delivery, Event
from regulars_core.jobs.models import JobSlot
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import _

CANCELLED = "cancelled"


def runs(session: Session, state: str | None = None, *, before: int | None = None, limit: int = 50) -> Sequence[JobSlot]:
    """Job runs, newest first, those before the id ``before``; of one state or all."""
    chosen = [*([JobSlot.state == state] if state else []), *([JobSlot.id < before] if before is not None else [])]
    return session.scalars(sa.select(JobSlot).where(*chosen).order_by(JobSlot.id.desc()).limit(limit)).all()


def cancel(session: Session, run_id: int) -> None:
    """Give up a run nobody has begun. Raises ``NotAllowedYet``."""
    idle = sa.or_(JobSlot.leased_until.is_(None), JobSlot.leased_until < session.info["at"])
    waiting = sa.update(JobSlot).where(JobSlot.id == run_id, JobSlot.state == READY, idle)
    if session.scalar(waiting.values(state=DEAD, error=CANCELLED).returning(JobSlot.id)) is None:
        raise NotAllowedYet(_("This run has begun or has ended; it can't be cancelled."))


def retry(session: Session, run_id: int) -> None:
    """Give a run that was given up another full round of attempts."""
    again = sa.update(JobSlot).where(JobSlot.id == run_id, JobSlot.state == DEAD)
    session.execute(again.values(state=READY, attempts=0, due_at=session.info["at"], error=None))


def retry_delivery(session: Session, delivery_id: int) -> None:
    """Give a dead delivery another full round of attempts."""
    again = sa.update(Delivery).where(Delivery.id == delivery_id, Delivery.state == DEAD)
    session.execute(again.values(state=READY, attempts=0, due_at=session.info["at"], error=None))


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
