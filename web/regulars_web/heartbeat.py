"""A worker says that it is there, so that people and monitoring see when none is."""

from __future__ import annotations

import datetime as dt
import os
import socket
import time

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_core.jobs.models import WorkerBeat
from regulars_plugin_api.db import upsert

log = structlog.get_logger(__name__)
EVERY = 10.0
ALIVE = dt.timedelta(seconds=45)
"""A worker that was not heard for so long is not there."""
CLOCKS_AGREE = 5.0
"""Seconds that clocks of hosts may differ by; leases last sixty."""
_FORGOTTEN = dt.timedelta(days=1)


class Heartbeat:
    """A runner of the worker: every ten seconds one row."""

    def __init__(self) -> None:
        self._worker = f"{socket.gethostname()}:{os.getpid()}"[-120:]
        self._due = float("-inf")
        self._started_at: dt.datetime | None = None

    def __call__(self, crm: Crm) -> bool:
        """Say it, if it is time."""
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + EVERY
        now = crm.clock.now()
        self._started_at = self._started_at or now
        with crm.database.transaction() as session:
            ahead = clock_ahead(session, now)
            beat = {"seen_at": now, "clock_ahead_ms": round(ahead * 1000)}
            row = upsert(session, WorkerBeat).values(worker=self._worker, started_at=self._started_at, **beat)
            session.execute(row.on_conflict_do_update(index_elements=["worker"], set_=beat))
            session.execute(sa.delete(WorkerBeat).where(WorkerBeat.seen_at < now - _FORGOTTEN))
        if abs(ahead) > CLOCKS_AGREE:
            log.warning("this host's clock and the database's differ", seconds=round(ahead, 1))
        return False

    def end(self, crm: Crm) -> None:
        """The worker has ended as it should."""
        with crm.database.transaction() as session:
            session.execute(sa.delete(WorkerBeat).where(WorkerBeat.worker == self._worker))


def clock_ahead(session: Session, now: dt.datetime) -> float:
    """Seconds that ``now``, by this host's clock, is ahead of the database's. SQLite has no clock of its own."""
    if session.get_bind().dialect.name != "postgresql":
        return 0.0
    there: dt.datetime = session.scalars(sa.select(sa.func.clock_timestamp())).one()
    return (now - there).total_seconds()


def beats(session: Session) -> list[WorkerBeat]:
    """Workers that were heard within a day and have not said good-bye, the oldest first."""
    return list(session.scalars(sa.select(WorkerBeat).order_by(WorkerBeat.started_at, WorkerBeat.worker)))


def alive(session: Session, now: dt.datetime) -> list[WorkerBeat]:
    """Those of them that are there."""
    return [one for one in beats(session) if one.seen_at > now - ALIVE]
