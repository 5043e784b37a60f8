"""Tables of merges, and of pairs that are no duplicates."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, dump_as


class CustomerMerge(Base):
    """One customer that became part of another, with all that is needed to take it back; an erasure empties ``image``.

    ``owed`` names plugins whose package was gone and who do their part when they are on again.
    """

    __tablename__ = "customer_merge"
    __table_args__ = {"info": dump_as("id", journal=True)}

    id: Mapped[int] = mapped_column(primary_key=True)
    keep_id: Mapped[int] = mapped_column(index=True)
    drop_id: Mapped[int] = mapped_column(index=True)
    image: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    owed: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    actor_id: Mapped[int | None]
    at: Mapped[dt.datetime]
    undone_at: Mapped[dt.datetime | None]


class CustomerDistinct(Base):
    """Two customers of whom somebody said that they are not the same person."""

    __tablename__ = "customer_distinct"
    __table_args__ = (sa.UniqueConstraint("one_id", "other_id"), {"info": dump_as("one_id", "other_id")})

    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True)
