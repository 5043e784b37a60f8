"""What the plugin tells others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from regulars_plugin_api.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class InteractionLogged(DomainEvent):
    """A contact with a customer was written down by hand or through the API.

    ``channel`` says how it came about, ``direction`` is in or out. Imports tell of theirs in ``InteractionsImported``.
    """

    type = "contact_tracking.interaction_logged"
    customer_id: int
    interaction_id: int
    channel: str
    direction: str


@dataclass(frozen=True, kw_only=True)
class InteractionsImported(DomainEvent):
    """One batch of an import of contacts: inclusive ranges of new ids, single ids of those changed."""

    type = "contact_tracking.interactions_imported"
    run_id: int
    created: tuple[tuple[int, int], ...] = ()
    updated: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FollowUpAdded(DomainEvent):
    """There is a next step with a customer, due on a day."""

    type = "contact_tracking.follow_up_added"
    customer_id: int
    follow_up_id: int
    due_on: dt.date
    assignee_id: int | None


@dataclass(frozen=True, kw_only=True)
class FollowUpAssigned(DomainEvent):
    """A follow-up is somebody else's now; None is nobody's in particular."""

    type = "contact_tracking.follow_up_assigned"
    customer_id: int
    follow_up_id: int
    assignee_id: int | None


@dataclass(frozen=True, kw_only=True)
class FollowUpClosed(DomainEvent):
    """A follow-up was done."""

    type = "contact_tracking.follow_up_closed"
    customer_id: int
    follow_up_id: int
