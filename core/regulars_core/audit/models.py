"""The table of the journal of change."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, dump_as

ROW = "*"
CREATED, DELETED = "created", "deleted"


class Change(Base):
    """One value that changed, or one row that came (``column_name`` ``*``, ``new`` ``created``) or went (``deleted``).

    ``old`` and ``new`` are JSON of what the database keeps. ``cause`` says what led to it: ``web``, ``import:17``, ``undo:17``.
    """

    __tablename__ = "change"
    __table_args__ = (
        sa.Index("ix_change_table_name_row_id", "table_name", "row_id"),
        sa.Index("ix_change_cause", "cause"),
        {"info": dump_as("id", journal=True)},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(sa.String(64))
    row_id: Mapped[int]
    column_name: Mapped[str] = mapped_column(sa.String(64))
    old: Mapped[str | None]
    new: Mapped[str | None]
    actor_id: Mapped[int | None]
    cause: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[dt.datetime]
