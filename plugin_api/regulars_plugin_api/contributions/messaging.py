"""How customers are reached, and what keeps a message from being sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from regulars_plugin_api.contributions.base import Contribution
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import CustomerView

if TYPE_CHECKING:
    from regulars_plugin_api.services import Crm


@dataclass(frozen=True)
class Message:
    """One message to one address. ``key`` is the same each time this message is tried again."""

    key: str
    address: str
    subject: str
    text: str
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MessageChannel(Contribution):
    """A way to reach people.

    ``name`` is the channel consent is given for, such as ``email`` or ``sms``. ``address(customer)`` is None for whom it can't reach;
    ``send`` raises when it was not sent.
    """

    name: str
    title: Text
    address: Callable[[CustomerView], str | None]
    send: Callable[[Crm, Message], None]


@dataclass(frozen=True)
class Topic(Contribution):
    """Something a customer may opt into, such as a newsletter."""

    name: str
    title: Text
    description: Text = ""


@dataclass(frozen=True)
class Veto(Contribution):
    """This customer is not to be written to now; ``until`` is None for ever."""

    customer_id: int
    reason: Text
    until: dt.datetime | None = None
