"""Tables of endpoints, what is sent to them, each try, and the run that sends."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, CustomerLinked, Uid, dump_as, text_enum
from regulars_webhooks.i18n import _


class State(enum.Enum):
    """How far a delivery is. A parked one was tried too often, a skipped one is left out by hand; both were never taken in."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    PARKED = "parked"
    SKIPPED = "skipped"


class Endpoint(Base):
    """An address of another system that is told of events. No ``types`` means every type.

    ``failures`` counts tries in a row that failed; until ``retry_at`` it is left in peace. ``parked_at`` says since when nothing is sent
    any more, ``gone_at`` since when the receiver says that it is gone for good. Secrets are locked for ``webhooks:<uid>``; the old one
    still signs until ``old_until``.
    """

    __tablename__ = "webhooks_endpoint"
    __table_args__ = {
        "info": dump_as(
            "uid",
            title=_("Endpoint"),
            omit=("secret", "old_secret", "old_until", "created_at", "version", "failures", "retry_at", "parked_at", "gone_at"),
        )
    }

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    title: Mapped[str]
    url: Mapped[str]
    types: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    secret: Mapped[str]
    old_secret: Mapped[str | None]
    old_until: Mapped[dt.datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[dt.datetime | None]
    parked_at: Mapped[dt.datetime | None]
    gone_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime]


class Delivery(CustomerLinked, Base):
    """One event for one endpoint. Ids grow in the order of the event log; among open ones of a ``subject`` only the first is sent."""

    __tablename__ = "webhooks_delivery"
    __table_args__ = (
        sa.UniqueConstraint("endpoint_id", "event_id"),
        sa.Index("ix_webhooks_delivery_endpoint_id_id", "endpoint_id", "id"),
        sa.Index("ix_webhooks_delivery_at", "at"),
        sa.Index(
            "ix_webhooks_delivery_due",
            "endpoint_id",
            "due_at",
            "id",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        ),
        sa.Index(
            "ix_webhooks_delivery_open",
            "endpoint_id",
            "subject",
            "id",
            postgresql_where=sa.text("state IN ('waiting', 'parked')"),
            sqlite_where=sa.text("state IN ('waiting', 'parked')"),
        ),
        sa.Index(
            "ix_webhooks_delivery_leased",
            "leased_until",
            postgresql_where=sa.text("leased_until IS NOT NULL"),
            sqlite_where=sa.text("leased_until IS NOT NULL"),
        ),
        {"info": dump_as("endpoint_id", "event_id", journal=True, title=_("Deliveries"))},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(sa.ForeignKey("webhooks_endpoint.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(sa.String(36))
    type: Mapped[str] = mapped_column(sa.String(80))
    type_version: Mapped[int]
    at: Mapped[dt.datetime]
    subject: Mapped[str | None] = mapped_column(sa.String(80))
    actor: Mapped[str] = mapped_column(sa.String(10))
    body: Mapped[dict[str, Any]]
    state: Mapped[State] = mapped_column(text_enum(State), default=State.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime]
    leased_until: Mapped[dt.datetime | None]
    fence: Mapped[str | None] = mapped_column(sa.String(36))


class Attempt(Base):
    """One try to send a delivery. ``status`` is None where nothing was answered; ``problem`` then says why, in technical words."""

    __tablename__ = "webhooks_attempt"
    __table_args__ = {"info": dump_as("delivery_id", "at", journal=True)}

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(sa.ForeignKey("webhooks_delivery.id", ondelete="CASCADE"), index=True)
    at: Mapped[dt.datetime]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    problem: Mapped[str | None]
    answer: Mapped[str]


class SendingRun(Base):
    """Which run of a job that sends is due or under way, and when it began or begins; blank if none is. There is one row."""

    __tablename__ = "webhooks_sending_run"
    __table_args__ = {"info": dump_as("job", journal=True)}

    job: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    key: Mapped[str | None] = mapped_column(sa.String(36))
    due_at: Mapped[dt.datetime | None]
