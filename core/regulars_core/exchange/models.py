"""Tables of import runs."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, dump_as, text_enum


class RunState(enum.Enum):
    """A run waits, works, and ends. A stopped one met an error nobody foresaw: it can be gone on with, or undone."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    ASKING = "asking"
    REFUSED = "refused"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"


class ImportRun(Base):
    """One file on its way in. ``position`` is the last record whose batch is committed: an interrupted run goes on after it."""

    __tablename__ = "import_run"
    __table_args__ = {"info": dump_as("id", journal=True)}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[RunState] = mapped_column(text_enum(RunState), index=True)
    file_name: Mapped[str]
    file_path: Mapped[str]
    file_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    options: Mapped[dict[str, Any]]
    dry_run: Mapped[bool] = mapped_column(default=False)
    actor_id: Mapped[int | None]
    created_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    leased_until: Mapped[dt.datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str | None]
    trouble: Mapped[str | None]
    header: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    records: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    merged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    questions: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)
    notes: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    kept: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)
    undone_by_id: Mapped[int | None]


class ImportBatch(Base):
    """What one committed batch touched: table -> row ids, packed. It goes when the run ends."""

    __tablename__ = "import_batch"
    __table_args__ = (sa.UniqueConstraint("run_id", "last_record"), {"info": dump_as("run_id", "last_record", journal=True)})

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("import_run.id", ondelete="CASCADE"))
    last_record: Mapped[int]
    touched: Mapped[bytes] = mapped_column(sa.LargeBinary)


class ImportReject(Base):
    """A record that was not taken, as it stood in the file, and why."""

    __tablename__ = "import_reject"
    __table_args__ = (sa.UniqueConstraint("run_id", "record"), {"info": dump_as("run_id", "record", journal=True)})

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("import_run.id", ondelete="CASCADE"))
    record: Mapped[int]
    field: Mapped[str]
    code: Mapped[str] = mapped_column(sa.String(64))
    message: Mapped[str]
    cells: Mapped[list[Any]] = mapped_column(sa.JSON)


class ExportState(enum.Enum):
    """An export waits, works, and ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class ExportRun(Base):
    """One file on its way out, seen only by whoever asked for it. The file itself goes after a day."""

    __tablename__ = "export_run"
    __table_args__ = {"info": dump_as("id", journal=True)}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(64))
    format: Mapped[str] = mapped_column(sa.String(8))
    where: Mapped[Any | None] = mapped_column(sa.JSON(none_as_null=True))
    state: Mapped[ExportState] = mapped_column(text_enum(ExportState), index=True)
    written: Mapped[int] = mapped_column(default=0)
    file_path: Mapped[str | None]
    trouble: Mapped[str | None]
    actor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    leased_until: Mapped[dt.datetime | None]
