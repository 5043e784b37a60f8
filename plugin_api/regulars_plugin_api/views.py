"""Read-only records that services hand out: frozen, without lazy loads, safe to keep and to pass to another thread."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Viewer:
    """Who is looking: a person, a token or the system, with what they may do and which stores they may see.

    ``store_ids`` is None for the whole chain. ``user_id`` is None for the system itself.
    """

    user_id: int | None
    name: str
    permissions: frozenset[str]
    store_ids: frozenset[int] | None = None
    everything: bool = False

    def may(self, permission: str) -> bool:
        """Whether the viewer holds ``permission``."""
        return self.everything or permission in self.permissions


SYSTEM = Viewer(user_id=None, name="system", permissions=frozenset(), everything=True)


@dataclass(frozen=True)
class EmailView:
    """An e-mail address as it was typed, and its form for matching."""

    address: str
    match: str


@dataclass(frozen=True)
class PhoneView:
    """A phone number as it was typed, and in E.164."""

    number: str
    e164: str


@dataclass(frozen=True)
class AddressView:
    """A postal address; ``country`` is ISO 3166 alpha-2."""

    street: str | None
    city: str | None
    postal_code: str | None
    region: str | None
    country: str | None


@dataclass(frozen=True)
class ConsentView:
    """What a customer said about one channel: ``state`` is granted, withdrawn or unproven."""

    channel: str
    state: str
    given_at: dt.date | None
    source: str | None


@dataclass(frozen=True)
class CustomerView:
    """A customer as anybody but core sees one. First of each list is the preferred one."""

    id: int
    uid: str
    kind: str
    status: str
    display_name: str
    first_name: str | None = None
    last_name: str | None = None
    birthday: dt.date | None = None
    gender: str | None = None
    language: str | None = None
    notes: str | None = None
    store_id: int | None = None
    version: int = 1
    deleted: bool = False
    emails: tuple[EmailView, ...] = ()
    phones: tuple[PhoneView, ...] = ()
    addresses: tuple[AddressView, ...] = ()
    external_ids: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    consents: tuple[ConsentView, ...] = ()
    created_at: dt.datetime | None = field(default=None, compare=False)

    @property
    def email(self) -> str | None:
        """The preferred e-mail address, as typed."""
        return self.emails[0].address if self.emails else None

    @property
    def phone(self) -> str | None:
        """The preferred phone number, as typed."""
        return self.phones[0].number if self.phones else None


@dataclass(frozen=True)
class StoreView:
    """A store."""

    id: int
    code: str
    name: str
    city: str | None
    region: str | None
    country: str | None
    timezone: str
    currency: str
    opened_on: dt.date | None
