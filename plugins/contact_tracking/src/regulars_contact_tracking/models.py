"""Tables of contacts, follow-ups, client books, what associates know of their clients, and plans of recurring contacts."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_contact_tracking.i18n import _
from regulars_plugin_api.db import Base, BigInt, CodeText, CustomerOwned, Uid, dump_as, text_enum


class Channel(enum.Enum):
    """By what way somebody was in touch."""

    PHONE = "phone"
    EMAIL = "email"
    VISIT = "visit"
    CHAT = "chat"
    SOCIAL = "social"
    LETTER = "letter"


class Direction(enum.Enum):
    """Who began: the customer (``in``) or the chain (``out``)."""

    IN = "in"
    OUT = "out"


class Rank(enum.Enum):
    """Whose client a customer is: one associate's in the first place, and others' in the second."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class DetailKind(enum.Enum):
    """What an associate keeps in mind."""

    SIZE = "size"
    WISH = "wish"
    DAY = "day"


class Every(enum.Enum):
    """The unit of a plan's rhythm."""

    WEEKS = "weeks"
    MONTHS = "months"


def _user() -> sa.ForeignKey:
    return sa.ForeignKey("user_account.id", ondelete="SET NULL")


def _store() -> sa.ForeignKey:
    return sa.ForeignKey("store.id", ondelete="SET NULL")


class Interaction(CustomerOwned, Base):
    """One contact with a customer. ``words`` is what of it can be searched, folded.

    ``source`` and ``number`` are what another system calls it. ``person`` is who took part in its words, where that is nobody of staff.
    """

    __tablename__ = "contact_tracking_interaction"
    __table_args__ = (
        sa.UniqueConstraint("number", "source"),
        # The day is only read from it: lists show the last one of each customer.
        sa.Index("ix_contact_tracking_interaction_customer_id_at_id_business_date", "customer_id", "at", "id", "business_date"),
        sa.Index("ix_contact_tracking_interaction_at_id", "at", "id"),
        {"info": dump_as("customer_id", "at", "channel", omit=("uid", "words", "created_at"), title=_("Contact"))},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    # The customer's page reads contacts in the order of time; the index for it serves as the foreign key's too.
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))
    source: Mapped[str | None] = mapped_column(CodeText)
    number: Mapped[str | None] = mapped_column(CodeText)
    channel: Mapped[Channel] = mapped_column(text_enum(Channel))
    direction: Mapped[Direction] = mapped_column(text_enum(Direction), default=Direction.OUT)
    at: Mapped[dt.datetime]
    business_date: Mapped[dt.date]
    store_id: Mapped[int | None] = mapped_column(_store(), index=True)
    person: Mapped[str | None]
    subject: Mapped[str | None]
    text: Mapped[str | None]
    outcome: Mapped[str | None]
    words: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int | None] = mapped_column(_user(), index=True)

    __mapper_args__ = {"version_id_col": version}


class Participant(Base):
    """A member of staff who took part in a contact."""

    __tablename__ = "contact_tracking_participant"
    __table_args__ = {"info": dump_as("interaction_id", "user_id")}

    interaction_id: Mapped[int] = mapped_column(sa.ForeignKey("contact_tracking_interaction.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True)


def _of_open(name: str, *columns: str) -> sa.Index:
    """An index of open follow-ups; those that are done stay out of it."""
    where = sa.text("done_at IS NULL")
    return sa.Index(f"ix_contact_tracking_follow_up_open_{name}", *columns, postgresql_where=where, sqlite_where=where)


class FollowUp(CustomerOwned, Base):
    """The next step with a customer, due on a day of the chain; open until ``done_at``.

    ``plan_id`` and ``slot`` are set on those that a plan made: one for each customer and day of the plan.
    """

    __tablename__ = "contact_tracking_follow_up"
    __table_args__ = (
        sa.UniqueConstraint("plan_id", "customer_id", "slot"),
        sa.Index("ix_contact_tracking_follow_up_customer_id_done_at", "customer_id", "done_at", "id"),
        _of_open("assignee", "assignee_id", "due_on", "id"),
        _of_open("store", "store_id", "due_on", "id"),
        _of_open("due", "due_on", "id"),
        {"info": dump_as("customer_id", "due_on", "what", omit=("uid", "created_at"), title=_("Follow-up"))},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))
    interaction_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_tracking_interaction.id", ondelete="SET NULL"), index=True)
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_tracking_plan.id", ondelete="SET NULL"))
    slot: Mapped[dt.date | None]
    what: Mapped[str]
    channel: Mapped[Channel | None] = mapped_column(text_enum(Channel))
    due_on: Mapped[dt.date]
    assignee_id: Mapped[int | None] = mapped_column(_user(), index=True)
    store_id: Mapped[int | None] = mapped_column(_store(), index=True)
    done_at: Mapped[dt.datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(_user(), index=True)
    outcome: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    created_by_id: Mapped[int | None] = mapped_column(_user(), index=True)


class Client(CustomerOwned, Base):
    """A customer in an associate's client book; ``star`` is the associate's own mark.

    Taking a customer over makes whoever came first a second; two in the first place come of a merge, until one of them takes over.
    """

    __tablename__ = "contact_tracking_client"
    __table_args__ = (sa.UniqueConstraint("user_id", "customer_id"), {"info": dump_as("user_id", "customer_id", title=_("Client book"))})

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    rank: Mapped[Rank] = mapped_column(text_enum(Rank), default=Rank.PRIMARY)
    star: Mapped[bool] = mapped_column(default=False)


class Detail(CustomerOwned, Base):
    """A size, a wish or a key date of a customer; a key date comes again each year on the ``day``."""

    __tablename__ = "contact_tracking_detail"
    __table_args__ = {"info": dump_as("customer_id", "kind", "title", "value", title=_("Size, wish or key date"))}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DetailKind] = mapped_column(text_enum(DetailKind))
    title: Mapped[str]
    value: Mapped[str | None]
    day: Mapped[dt.date | None]


class Plan(Base):
    """Contacts that come again: with one customer, or without ``customer_id`` with every primary client of ``user_id``.

    The first is due on ``starts_on``. A plan that was stopped makes nothing more.
    """

    __tablename__ = "contact_tracking_plan"
    __table_args__ = {"info": dump_as("user_id", "customer_id", "what", "starts_on", title=_("Plan"))}

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    what: Mapped[str]
    channel: Mapped[Channel | None] = mapped_column(text_enum(Channel))
    every: Mapped[int]
    unit: Mapped[Every] = mapped_column(text_enum(Every))
    starts_on: Mapped[dt.date]
    stopped_at: Mapped[dt.datetime | None]


def stored(model: type[Base]) -> sa.Table:
    """A model's table as the database keeps it, kinds as text: what bulk writers work in."""
    kinds = {
        column.name: sa.Text() if isinstance(column.type, sa.Enum) else BigInt if column.foreign_keys else column.type
        for column in model.__table__.columns
    }
    return sa.Table(model.__tablename__, sa.MetaData(), *(sa.Column(name, kind) for name, kind in kinds.items()))


interactions, participants, follow_ups = stored(Interaction), stored(Participant), stored(FollowUp)
