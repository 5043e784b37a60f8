"""Plugins that were ever switched on, and what went wrong with them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, dump_as


class PluginRow(Base):
    """A plugin that was switched on at least once. ``personal_data`` outlives its package."""

    __tablename__ = "plugin"
    __table_args__ = {"info": dump_as("name", journal=True)}

    name: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    enabled: Mapped[bool]
    version: Mapped[str] = mapped_column(sa.String(40))
    personal_data: Mapped[list[Any]] = mapped_column(sa.JSON)
    first_enabled_at: Mapped[dt.datetime]
    switched_at: Mapped[dt.datetime]


class PluginTrouble(Base):
    """Calls of one hook of a plugin that failed in one process. Until ``rests_until`` that process leaves the hook alone."""

    __tablename__ = "plugin_trouble"
    __table_args__ = {"info": dump_as("process", "plugin", "hook", journal=True)}

    process: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    plugin: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    hook: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    reason: Mapped[str]
    count: Mapped[int]
    rests_until: Mapped[dt.datetime | None]
    noted_at: Mapped[dt.datetime]
