"""The table of settings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import Base, dump_as


class Setting(Base):
    """What was set for one owner; what is not here has its default."""

    __tablename__ = "setting"
    # Bookkeeping for the dump because it holds encrypted secrets.
    __table_args__ = {"info": dump_as("owner", journal=True)}

    owner: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    values: Mapped[dict[str, Any]]
    updated_at: Mapped[dt.datetime]
