"""The table of job runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_core.bus.models import READY
from regulars_plugin_api.db import Base, dump_as

CANCELLED = "cancelled"
"""The error of a run that somebody cancelled."""


class JobSlot(Base):
    """One run of a job: the period it stands for, or the key it was started with. Unique, so that two hosts run it once.

    ``stopping``: somebody has cancelled it while it ran; it ends when it next reports ``done`` of ``total``.
    """

    __tablename__ = "job_slot"
    __table_args__ = (
        sa.UniqueConstraint("job", "slot"),
        sa.Index("ix_job_slot_open", "job", "due_at", postgresql_where=sa.text("state = 'ready'"), sqlite_where=sa.text("state = 'ready'")),
        sa.Index("ix_job_slot_dead", "job", postgresql_where=sa.text("state = 'dead'"), sqlite_where=sa.text("state = 'dead'")),
        {"info": dump_as("job", "slot", journal=True)},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(sa.String(80))
    slot: Mapped[str] = mapped_column(sa.String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(sa.String(8), default=READY)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime]
    leased_until: Mapped[dt.datetime | None]
    fence: Mapped[str | None] = mapped_column(sa.String(36))
    error: Mapped[str | None]
    done: Mapped[int | None]
    total: Mapped[int | None]
    stopping: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class WorkerBeat(Base):
    """A worker, by host and process, and when it last said that it is there. Its clock is ahead of the database's by so much."""

    __tablename__ = "worker_beat"
    __table_args__ = {"info": dump_as("worker", journal=True)}

    worker: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    started_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    clock_ahead_ms: Mapped[int]
