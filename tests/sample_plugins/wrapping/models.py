"""Papers, and who wants which."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, CustomerOwned, dump_as, text_enum


class Occasion(enum.Enum):
    """What a present is for."""

    ANY = "any"
    BIRTHDAY = "birthday"


class Paper(Base):
    """A paper the shops have."""

    __tablename__ = "wrapping_paper"
    __table_args__ = {"info": dump_as("name")}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Wish(CustomerOwned, Base):
    """How a customer wants presents wrapped."""

    __tablename__ = "wrapping_wish"
    __table_args__ = {"info": dump_as("customer_id", "made_at", omit=("folded",))}

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int | None] = mapped_column(sa.ForeignKey("wrapping_paper.id", ondelete="SET NULL"), index=True)
    occasion: Mapped[Occasion] = mapped_column(text_enum(Occasion), default=Occasion.ANY)
    words: Mapped[str]
    folded: Mapped[str] = mapped_column(default="")
    made_at: Mapped[dt.datetime]
