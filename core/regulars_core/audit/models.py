"""The tables of the journal of change and of the chain over it."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, dump_as

ROW = "*"
CREATED, DELETED = "created", "deleted"
_WENT = sa.text("column_name = '*' AND new = 'deleted'")


class Change(Base):
    """One value that changed, or one row that came (``column_name`` ``*``, ``new`` ``created``) or went (``deleted``).

    ``old`` and ``new`` are JSON of what the database keeps; of a row that went, ``old`` is the customer it was part of. ``cause`` says
    what led to it: ``web``, ``import:17``, ``undo:17``, ``merge:4``. ``digest`` stands for values and salt that an erasure took away.
    """

    __tablename__ = "change"
    __table_args__ = (
        sa.Index("ix_change_table_name_row_id", "table_name", "row_id"),
        sa.Index("ix_change_cause", "cause"),
        sa.Index("ix_change_owner", "old", sqlite_where=_WENT, postgresql_where=_WENT),
        {"info": dump_as("id", journal=True, omit=("block_id", "salt", "digest"))},
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
    block_id: Mapped[int | None]
    salt: Mapped[bytes | None]
    digest: Mapped[bytes | None]


class AuditBlock(Base):
    """The digest of changes that were written together; ``seal`` ties it to all blocks before ``place``."""

    __tablename__ = "audit_block"
    __table_args__ = {"info": dump_as("id", journal=True, omit=("digest", "seal", "place"))}

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    digest: Mapped[bytes]
    place: Mapped[int | None] = mapped_column(unique=True)
    seal: Mapped[bytes | None]
