"""What the worker does for people's data between times: seal the journal, scrub what was erased, see merges through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from regulars_core.audit import chain
from regulars_core.audit.models import AuditBlock
from regulars_core.customers import merging
from regulars_core.db.database import analyze
from regulars_core.privacy.models import Erasure

if TYPE_CHECKING:
    from regulars_core.crm import Crm

PAUSE = 30.0


class Upkeep:
    """A runner for the worker that has something to do twice a minute."""

    def __init__(self) -> None:
        self.next = 0.0

    def __call__(self, crm: Crm) -> bool:
        """One round, if it is time."""
        if time.monotonic() >= self.next:
            merging.settle(crm)
            merging.sweep(crm)
            scrub(crm)
            seal(crm)
            self.next = time.monotonic() + PAUSE
        return False


def seal(crm: Crm) -> None:
    """Tie what was written to the journal to what was there before."""
    with crm.read() as session:
        if session.scalar(sa.select(AuditBlock.id).where(AuditBlock.place.is_(None)).limit(1)) is None:
            return
    with crm.transaction(cause="worker") as session:
        chain.seal(session)


def scrub(crm: Crm) -> None:
    """Let nothing of erased people be left in the files of the database, and write down when that was so.

    SQLite keeps words of its full-text table until it is rewritten, and old pages in its log until that is cut off; both databases keep
    samples of values for the planner. On PostgreSQL freed space and the write-ahead log are its own affair.
    """
    waiting = Erasure.scrubbed_at.is_(None)
    with crm.read() as session:
        if session.scalar(sa.select(Erasure.id).where(waiting).limit(1)) is None:
            return
    analyze(crm.database)
    if crm.database.is_sqlite:
        with crm.transaction(cause="worker") as session:
            session.execute(sa.text("INSERT INTO customer_search(customer_search) VALUES ('optimize')"))
        if not crm.database.cut_log():
            return
    with crm.transaction(cause="worker") as session:
        scrubbed = sa.update(Erasure).where(waiting).values(scrubbed_at=session.info["at"])
        session.execute(scrubbed.execution_options(synchronize_session=False))
