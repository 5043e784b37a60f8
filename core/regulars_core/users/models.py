"""Tables of users, roles, their permissions, their scope and their sessions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regulars_plugin_api.db import Base, CodeText, Uid, dump_as


class RolePermission(Base):
    """One thing the holders of a role may do."""

    __tablename__ = "role_permission"
    __table_args__ = {"info": dump_as("role_id", "permission")}

    role_id: Mapped[int] = mapped_column(sa.ForeignKey("role.id", ondelete="CASCADE"), primary_key=True)
    permission: Mapped[str] = mapped_column(sa.String(80), primary_key=True)


class UserRole(Base):
    """A user's role."""

    __tablename__ = "user_role"
    __table_args__ = {"info": dump_as("user_id", "role_id")}

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[int] = mapped_column(sa.ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True)


class UserStore(Base):
    """A store a user sees. With neither stores nor regions a user sees the whole chain."""

    __tablename__ = "user_store"
    __table_args__ = {"info": dump_as("user_id", "store_id")}

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("store.id", ondelete="CASCADE"), primary_key=True, index=True)


class UserRegion(Base):
    """A region whose stores a user sees."""

    __tablename__ = "user_region"
    __table_args__ = {"info": dump_as("user_id", "region_id")}

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    region_id: Mapped[int] = mapped_column(sa.ForeignKey("region.id", ondelete="CASCADE"), primary_key=True, index=True)


class Role(Base):
    """A named set of permissions. ``brought_by`` is the plugin it came with; the chain's own have none."""

    __tablename__ = "role"
    __table_args__ = {"info": dump_as("name")}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CodeText, unique=True)
    brought_by: Mapped[str | None] = mapped_column(sa.String(30))


class User(Base):
    """A member of staff who may sign in.

    ``fs_uniquifier`` names the user in session cookies: a new one ends every session at once. ``unread`` counts notices not yet read:
    kept here because every page shows it, and every request reads this row anyway.
    """

    __tablename__ = "user_account"
    __table_args__ = {
        "info": dump_as("email", omit=("password", "fs_uniquifier", "created_at", "last_sign_in_at", "preferences", "unread"))
    }

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    email: Mapped[str] = mapped_column(CodeText, unique=True)
    name: Mapped[str]
    password: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True)
    locale: Mapped[str] = mapped_column(sa.String(16), default="en")
    theme: Mapped[str] = mapped_column(sa.String(8), default="auto")
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    unread: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[dt.datetime]
    last_sign_in_at: Mapped[dt.datetime | None]

    roles: Mapped[list[Role]] = relationship(secondary="user_role", order_by=Role.name)


class UserSession(Base):
    """A browser that is signed in. Kept here so that signing out ends it for whoever copied the cookie, too."""

    __tablename__ = "user_session"
    __table_args__ = {"info": dump_as("token_hash", journal=True)}

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    device: Mapped[str] = mapped_column(sa.String(120), default="", server_default="")


class Notice(Base):
    """Something a user is to know. ``key`` tells it from the user's others, so that telling twice is telling once."""

    __tablename__ = "notice"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "key"),
        sa.Index("ix_notice_user_id_id", "user_id", "id"),
        {"info": dump_as("user_id", "key", journal=True)},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(sa.String(120))
    text: Mapped[str]
    url: Mapped[str]
    icon: Mapped[str] = mapped_column(sa.String(40))
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    at: Mapped[dt.datetime]
    read_at: Mapped[dt.datetime | None]


class SavedView(Base):
    """A way of looking at the list of customers: search, filter, columns and order under a name. Shared ones are everybody's to use."""

    __tablename__ = "saved_view"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"), {"info": dump_as("user_id", "name")})

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    name: Mapped[str]
    shared: Mapped[bool]
    query: Mapped[dict[str, Any]]
