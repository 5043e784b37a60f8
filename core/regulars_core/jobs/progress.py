"""How far a run of a job is, and whether it is still wanted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from regulars_core.jobs.models import JobSlot
from regulars_plugin_api.errors import JobCancelled
from regulars_plugin_api.views import SYSTEM

if TYPE_CHECKING:
    from regulars_core.crm import Crm

EVERY = 1.0


class Progress:
    """Implements ``regulars_plugin_api.contributions.Progress`` for one run, held by the lease with this fence."""

    def __init__(self, crm: Crm, run_id: int, fence: str) -> None:
        self._crm, self._due = crm, float("-inf")
        self._mine = sa.update(JobSlot).where(JobSlot.id == run_id, JobSlot.fence == fence)

    def __call__(self, done: int, total: int | None = None) -> None:
        """Write it down, unless that was done just now. Raises ``JobCancelled``."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY
        with self._crm.transaction(SYSTEM, "worker") as session:
            stopping = session.scalar(self._mine.values(done=done, total=total).returning(JobSlot.stopping))
        if stopping or stopping is None:
            raise JobCancelled
