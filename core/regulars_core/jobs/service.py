"""Work done later: asking for it, and what there is to do."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from regulars_core.acting import acting_as
from regulars_core.bus.models import READY, Delivery
from regulars_core.jobs.delivering import deliver
from regulars_core.jobs.leases import LeaseKeeper, Limits, fail, finish, give_back, held
from regulars_core.jobs.models import CANCELLED, JobSlot
from regulars_core.jobs.progress import Progress
from regulars_plugin_api.contributions import EventHandler, Job, JobRun, LeasedBatch
from regulars_plugin_api.db import upsert
from regulars_plugin_api.errors import JobCancelled
from regulars_plugin_api.hookspecs import lifecycle
from regulars_plugin_api.views import SYSTEM

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)
EPOCH = dt.datetime(2000, 1, 3, tzinfo=dt.UTC)


class JobService:
    """Implements ``regulars_plugin_api.services.Jobs``; ``limits`` may be tightened in tests."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self.limits = Limits()
        self.keeper = LeaseKeeper(crm)
        self.draining = threading.Event()

    def start(
        self, session: Session, job: str, key: str, payload: Mapping[str, Any] | None = None, *, due_at: dt.datetime | None = None
    ) -> bool:
        """Ask for one run of ``job`` when this transaction commits. False if that ``key`` was asked for before."""
        row = {"job": job, "slot": key, "payload": dict(payload or {}), "state": READY, "attempts": 0}
        asked = upsert(session, JobSlot).values(**row, due_at=due_at or session.info["at"]).on_conflict_do_nothing().returning(JobSlot.id)
        return session.scalar(asked) is not None

    def start_period(self, job: Job, known: dict[str, str]) -> None:
        """See to it that the run of the present period is there; ``known`` remembers the last one per job."""
        assert job.every is not None
        now = self._crm.clock.now()
        slot = (now - (now - EPOCH) % job.every).isoformat()
        if known.get(job.name) != slot:
            with self._crm.transaction(SYSTEM, "worker") as session:
                self.start(session, job.name, slot)
            known[job.name] = slot

    def handlers(self) -> dict[str, EventHandler]:
        """Event handlers of enabled plugins by name."""
        return {one.name: one for plugin, found in self._crm.bus.each(lifecycle.event_handlers) for one in found if _own(plugin, one.name)}

    def jobs(self) -> dict[str, Job]:
        """Jobs of enabled plugins by name."""
        return {one.name: one for plugin, found in self._crm.bus.each(lifecycle.jobs) for one in found if _own(plugin, one.name)}

    def deliver(self, batch: LeasedBatch) -> None:
        """Run leased deliveries. What can't be written down is done again when the lease has lapsed."""
        self._crm.plugins.refresh(at_most_every=1.0)
        with self.keeper.keeping(Delivery, batch, self.limits):
            deliver(self._crm, batch, self.handlers(), self.limits)

    def drain(self) -> None:
        """Begin nothing more in this process: what a batch has not begun is given back at once."""
        self.draining.set()

    def run(self, batch: LeasedBatch) -> None:
        """Run leased job runs, one after the other."""
        with self.keeper.keeping(JobSlot, batch, self.limits):
            with self._crm.read() as session:
                ours = sa.select(JobSlot).where(JobSlot.id.in_(batch.ids), JobSlot.fence == batch.fence, JobSlot.state == READY)
                slots = session.scalars(ours.order_by(JobSlot.id)).all()
            for slot in slots:
                self._run(slot, batch)

    def _run(self, slot: JobSlot, batch: LeasedBatch) -> None:
        job = None if self.draining.is_set() else self.jobs().get(slot.job)
        failure: BaseException | None = JobCancelled() if slot.stopping else None
        if job is not None and failure is None:
            progress = Progress(self._crm, slot.id, batch.fence)
            try:
                with acting_as(SYSTEM, f"job:{slot.job}"):
                    job.run(self._crm, JobRun(slot.job, slot.slot, slot.payload, slot.attempts + 1, progress))
            except JobCancelled as cancelled:
                failure = cancelled
            except BaseException as error:
                log.exception("a job failed", job=slot.job, slot=slot.slot)
                failure = error
        with self._crm.transaction(SYSTEM, "worker") as session:
            if slot.id not in held(session, JobSlot, batch):
                return
            if job is None:
                give_back(session, JobSlot, [slot.id])
            elif failure is None:
                finish(session, JobSlot, [slot.id])
            else:
                hopeless = isinstance(failure, JobCancelled)
                reason = CANCELLED if hopeless else f"{type(failure).__name__}: {failure}"
                fail(session, JobSlot, slot.id, slot.attempts + 1, reason, session.info["at"], self.limits, hopeless=hopeless)


def _own(plugin: str, name: str) -> bool:
    if name.startswith(f"{plugin}."):
        return True
    log.error("work under another plugin's name is left out", plugin=plugin, name=name)
    return False
