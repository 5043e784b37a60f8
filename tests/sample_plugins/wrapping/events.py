"""What the plugin tells others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from regulars_plugin_api.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class WishMade(DomainEvent):
    """A customer said how presents should be wrapped, on the day ``on``."""

    type = "wrapping.wish_made"
    customer_id: int
    wish_id: int
    on: dt.date
