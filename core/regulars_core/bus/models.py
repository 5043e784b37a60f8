"""Tables of the event log."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, Uid, dump_as

READY, DONE, DEAD = "ready", "done", "dead"


class Event(Base):
    """A fact, as it was told. Never changed."""

    __tablename__ = "event"
    __table_args__ = (
        sa.Index("ix_event_type_id", "type", "id"),
        sa.Index("ix_event_subject", "subject"),
        sa.Index("ix_event_cause", "cause"),
        {"info": dump_as("uid", journal=True)},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    type: Mapped[str] = mapped_column(sa.String(80))
    version: Mapped[int]
    subject: Mapped[str | None] = mapped_column(sa.String(80))
    actor: Mapped[str] = mapped_column(sa.String(40))
    payload: Mapped[dict[str, Any]]
    cause: Mapped[str | None] = mapped_column(sa.String(80))
    depth: Mapped[int]
    at: Mapped[dt.datetime]


class Subscription(Base):
    """A handler wants events of a type. Stays while its plugin is disabled, so that events wait."""

    __tablename__ = "subscription"
    __table_args__ = (sa.Index("ix_subscription_type", "type"), {"info": dump_as("handler", "type", journal=True)})

    handler: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    type: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    plugin: Mapped[str] = mapped_column(sa.String(30))


class Delivery(Base):
    """One event for one handler: ready, done or dead. While ``leased_until`` lies ahead the holder of ``fence`` works on it."""

    __tablename__ = "delivery"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "handler"),
        sa.Index(
            "ix_delivery_open", "handler", "due_at", postgresql_where=sa.text("state = 'ready'"), sqlite_where=sa.text("state = 'ready'")
        ),
        sa.Index("ix_delivery_dead", "handler", postgresql_where=sa.text("state = 'dead'"), sqlite_where=sa.text("state = 'dead'")),
        {"info": dump_as("event_id", "handler", journal=True)},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("event.id", ondelete="CASCADE"))
    handler: Mapped[str] = mapped_column(sa.String(80))
    state: Mapped[str] = mapped_column(sa.String(8), default=READY)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime]
    leased_until: Mapped[dt.datetime | None]
    fence: Mapped[str | None] = mapped_column(sa.String(36))
    error: Mapped[str | None]
