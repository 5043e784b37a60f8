"""The table of erasures."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, dump_as


class Erasure(Base):
    """The receipt of one erasure: what went, what had to stay and why, without naming the person.

    ``changes`` is how many entries of the journal lost their values. ``scrubbed_at`` is when nothing was left in the files either.
    """

    __tablename__ = "erasure"
    __table_args__ = {"info": dump_as("id", journal=True)}

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(index=True)
    actor_id: Mapped[int | None]
    at: Mapped[dt.datetime]
    changes: Mapped[int] = mapped_column(default=0)
    receipt: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    scrubbed_at: Mapped[dt.datetime | None]
