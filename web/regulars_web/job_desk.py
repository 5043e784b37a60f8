"""What people see and do at the page of jobs. Functions take a session and never commit."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.models import DEAD, READY
from regulars_core.jobs.models import CANCELLED, JobSlot
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import _


def runs(session: Session, state: str | None = None, *, before: int | None = None, limit: int = 50) -> Sequence[JobSlot]:
    """Job runs, newest first, those before the id ``before``; of one state or all."""
    chosen = [*([JobSlot.state == state] if state else []), *([JobSlot.id < before] if before is not None else [])]
    return session.scalars(sa.select(JobSlot).where(*chosen).order_by(JobSlot.id.desc()).limit(limit)).all()


def cancel(session: Session, run_id: int) -> bool:
    """Cancel a run: True if nobody had begun it, False if it runs and ends when it next reports. Raises ``NotAllowedYet``."""
    idle = sa.or_(JobSlot.leased_until.is_(None), JobSlot.leased_until < session.info["at"])
    waiting = sa.update(JobSlot).where(JobSlot.id == run_id, JobSlot.state == READY)
    if session.scalar(waiting.where(idle).values(state=DEAD, error=CANCELLED, fence=None).returning(JobSlot.id)) is not None:
        return True
    if session.scalar(waiting.values(stopping=True).returning(JobSlot.id)) is None:
        raise NotAllowedYet(_("This run has ended; it can't be cancelled."))
    return False


def retry(session: Session, run_id: int) -> None:
    """Give a run that was given up another full round of attempts."""
    again = sa.update(JobSlot).where(JobSlot.id == run_id, JobSlot.state == DEAD)
    anew = {"attempts": 0, "error": None, "done": None, "total": None, "stopping": False}
    session.execute(again.values(state=READY, due_at=session.info["at"], **anew))
