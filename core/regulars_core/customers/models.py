"""Tables of customers and all that is part of one."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from regulars_plugin_api.db import Base, BigInt, CodeText, CustomerOwned, Uid, dump_as, text_enum


class Kind(enum.Enum):
    """What a customer is. Receipts hang on any kind; consent on persons and companies."""

    PERSON = "person"
    COMPANY = "company"
    HOUSEHOLD = "household"


class Status(enum.Enum):
    """Where a customer stands, as staff set it; lapsing and lost are derived from purchases."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    INACTIVE = "inactive"
    BLOCKED = "blocked"


class Customer(Base):
    """A person, company or household the chain knows."""

    __tablename__ = "customer"
    # The list is read in the order of folded name and id, over living customers.
    __table_args__ = (
        sa.Index("ix_customer_fold_name_id", "fold_name", "id"),
        sa.Index("ix_customer_fold_last", "fold_last"),
        sa.Index("ix_customer_fold_first", "fold_first"),
        sa.Index("ix_customer_status", "status"),
        # For the trash.
        sa.Index(
            "ix_customer_deleted_at",
            "deleted_at",
            sqlite_where=sa.text("deleted_at IS NOT NULL"),
            postgresql_where=sa.text("deleted_at IS NOT NULL"),
        ),
        # Few rows have one, and an index over all the rest would tempt the planner.
        sa.Index(
            "ix_customer_merged_into_id",
            "merged_into_id",
            sqlite_where=sa.text("merged_into_id IS NOT NULL"),
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
        ),
        {"info": dump_as("uid", omit=("version", "created_at", "updated_at", "fold_name", "fold_first", "fold_last"))},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    kind: Mapped[Kind] = mapped_column(text_enum(Kind), default=Kind.PERSON)
    status: Mapped[Status] = mapped_column(text_enum(Status), default=Status.ACTIVE)
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    display_name: Mapped[str]
    birthday: Mapped[dt.date | None]
    gender: Mapped[str | None] = mapped_column(sa.String(16))
    language: Mapped[str | None] = mapped_column(sa.String(16))
    notes: Mapped[str | None]
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("store.id", ondelete="SET NULL"), index=True)
    fold_name: Mapped[str] = mapped_column(CodeText)
    fold_first: Mapped[str | None] = mapped_column(CodeText)
    fold_last: Mapped[str | None] = mapped_column(CodeText)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    deleted_at: Mapped[dt.datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id", ondelete="SET NULL"))
    erased_at: Mapped[dt.datetime | None]

    __mapper_args__ = {"version_id_col": version}

    emails: Mapped[list[CustomerEmail]] = relationship(
        order_by="CustomerEmail.position", cascade="all, delete-orphan", passive_deletes=True
    )
    phones: Mapped[list[CustomerPhone]] = relationship(
        order_by="CustomerPhone.position", cascade="all, delete-orphan", passive_deletes=True
    )
    addresses: Mapped[list[CustomerAddress]] = relationship(
        order_by="CustomerAddress.position", cascade="all, delete-orphan", passive_deletes=True
    )
    external_ids: Mapped[list[ExternalId]] = relationship(order_by="ExternalId.id", cascade="all, delete-orphan", passive_deletes=True)
    tags: Mapped[list[CustomerTag]] = relationship(cascade="all, delete-orphan", passive_deletes=True)
    consents: Mapped[list[Consent]] = relationship(order_by="Consent.channel", cascade="all, delete-orphan", passive_deletes=True)


def _preferred_first(table: str) -> sa.Index:
    # Lists show the preferred one of each of their customers: the first in the index.
    return sa.Index(f"ix_{table}_customer_id_position", "customer_id", "position")


class _Contact(CustomerOwned):
    @declared_attr
    def customer_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))


class CustomerEmail(_Contact, Base):
    """An e-mail address: written to as typed, compared by ``match``. Not unique: families share one."""

    __tablename__ = "customer_email"
    __table_args__ = (_preferred_first("customer_email"), {"info": dump_as("customer_id", "address")})

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    match: Mapped[str] = mapped_column(CodeText, index=True)
    position: Mapped[int] = mapped_column(default=0)


class CustomerPhone(_Contact, Base):
    """A phone number: shown as typed, compared in E.164. Not unique."""

    __tablename__ = "customer_phone"
    __table_args__ = (_preferred_first("customer_phone"), {"info": dump_as("customer_id", "number")})

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str]
    e164: Mapped[str] = mapped_column(CodeText, index=True)
    position: Mapped[int] = mapped_column(default=0)


class CustomerAddress(_Contact, Base):
    """A postal address; ``country`` is ISO 3166 alpha-2."""

    __tablename__ = "customer_address"
    __table_args__ = (
        _preferred_first("customer_address"),
        sa.Index("ix_customer_address_fold_city", "fold_city"),
        {"info": dump_as("customer_id", "position", omit=("fold_city",))},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    street: Mapped[str | None]
    city: Mapped[str | None]
    postal_code: Mapped[str | None]
    region: Mapped[str | None]
    country: Mapped[str | None] = mapped_column(sa.String(2))
    fold_city: Mapped[str | None] = mapped_column(CodeText)
    position: Mapped[int] = mapped_column(default=0)


class ExternalId(CustomerOwned, Base):
    """What another system calls this customer: a card number, an old customer number."""

    __tablename__ = "external_id"
    # The number first: given the source alone, SQLite would walk all numbers of that source.
    __table_args__ = (sa.UniqueConstraint("value", "source"), {"info": dump_as("source", "value")})

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(CodeText)
    value: Mapped[str] = mapped_column(CodeText)


class Tag(Base):
    """A word staff sort customers by."""

    __tablename__ = "tag"
    __table_args__ = {"info": dump_as("name")}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CodeText, unique=True)


class CustomerTag(CustomerOwned, Base):
    """One tag on one customer."""

    __tablename__ = "customer_tag"
    __table_args__ = (sa.UniqueConstraint("customer_id", "tag_id"), {"info": dump_as("customer_id", "tag_id")})

    id: Mapped[int] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(sa.ForeignKey("tag.id", ondelete="CASCADE"), index=True)

    tag: Mapped[Tag] = relationship(lazy="joined")


class CustomerLink(Base):
    """How two customers belong together: a contact person of a company, a member of a household."""

    __tablename__ = "customer_link"
    __table_args__ = (sa.UniqueConstraint("from_id", "to_id", "role"), {"info": dump_as("from_id", "to_id", "role")})

    id: Mapped[int] = mapped_column(primary_key=True)
    from_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"))
    to_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(sa.String(64))


class ConsentState(enum.Enum):
    """``unproven``: somebody said yes, but not when or where; nobody is written to on that."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    UNPROVEN = "unproven"


class Consent(CustomerOwned, Base):
    """What a customer last said about one channel. No row means unknown, and unknown means no."""

    __tablename__ = "consent"
    __table_args__ = (sa.UniqueConstraint("customer_id", "channel"), {"info": dump_as("customer_id", "channel", omit=("recorded_at",))})

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[ConsentState] = mapped_column(text_enum(ConsentState))
    given_on: Mapped[dt.date | None]
    source: Mapped[str | None]
    recorded_at: Mapped[dt.datetime]


# Folded words of each customer, for fragments of three characters and more. On PostgreSQL a table with a trigram index; on
# SQLite a full-text table with the trigram tokenizer, whose rowid is the customer. Written by ``search.index``: no triggers,
# because Alembic's batch mode drops them without a word.
customer_search = sa.Table(
    "customer_search",
    Base.metadata,
    sa.Column("customer_id", BigInt, sa.ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("words", sa.Text, nullable=False),
    info=dict(dump_as("customer_id", journal=True, derived=True)),
)
