"""Contacts and follow-ups as everybody but this plugin sees them: frozen, without lazy loads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from regulars_contact_tracking.models import Channel, Direction

Person = tuple[int, str]
"""A member of staff: id and name."""


@dataclass(frozen=True)
class NextStep:
    """What is to be done, by the day ``due_on``; None as ``assignee_id`` is nobody in particular."""

    what: str
    due_on: dt.date
    channel: Channel | None = None
    assignee_id: int | None = None


@dataclass(frozen=True)
class Draft:
    """A contact about to be kept. ``people`` are ids of members of staff."""

    channel: Channel
    direction: Direction = Direction.OUT
    at: dt.datetime | None = None
    store_id: int | None = None
    subject: str | None = None
    text: str | None = None
    outcome: str | None = None
    person: str | None = None
    people: tuple[int, ...] = ()
    next_step: NextStep | None = None

    @property
    def is_step_alone(self) -> bool:
        """Whether nothing was said and only a next step is agreed on."""
        return self.next_step is not None and not (self.subject or self.text or self.outcome)


@dataclass(frozen=True)
class InteractionView:
    """One contact. ``person`` is who took part as an import named them, ``people`` who of staff did."""

    id: int
    uid: str
    customer_id: int
    channel: Channel
    direction: Direction
    at: dt.datetime
    business_date: dt.date
    store_id: int | None
    store: str | None
    subject: str | None
    text: str | None
    outcome: str | None
    person: str | None
    people: tuple[Person, ...]
    version: int
    created_by_id: int | None
    created_at: dt.datetime = field(compare=False)


@dataclass(frozen=True)
class FollowUpView:
    """One next step. ``days_late`` counts from the chain's today: negative while there is time."""

    id: int
    customer_id: int
    customer: str
    what: str
    channel: Channel | None
    due_on: dt.date
    days_late: int
    assignee: Person | None
    store: str | None
    done_at: dt.datetime | None
    outcome: str | None
