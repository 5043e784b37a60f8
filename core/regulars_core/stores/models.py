"""Tables of stores and regions."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regulars_plugin_api.db import Base, CodeText, dump_as


class Region(Base):
    """A group of stores that one manager looks after."""

    __tablename__ = "region"
    __table_args__ = {"info": dump_as("name")}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CodeText, unique=True)


class Store(Base):
    """A shop, or a web shop, of the chain. Its business days are local days of ``timezone``."""

    __tablename__ = "store"
    __table_args__ = {"info": dump_as("code")}

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(CodeText, unique=True)
    name: Mapped[str]
    city: Mapped[str | None]
    region_id: Mapped[int | None] = mapped_column(sa.ForeignKey("region.id", ondelete="SET NULL"), index=True)
    country: Mapped[str | None] = mapped_column(sa.String(2))
    timezone: Mapped[str] = mapped_column(sa.String(64))
    currency: Mapped[str] = mapped_column(sa.String(3))
    opened_on: Mapped[dt.date | None]

    region: Mapped[Region | None] = relationship(lazy="joined")
