"""Customers whole, as an import batch works on them: loaded in a few statements, changed in memory, written in a few."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers import naming
from regulars_core.customers.models import (
    Consent,
    ConsentState,
    Customer,
    CustomerAddress,
    CustomerEmail,
    CustomerPhone,
    CustomerTag,
    ExternalId,
    Kind,
    Status,
    Tag,
)
from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import BigInt
from regulars_plugin_api.values import EmailValue, PhoneValue

FIELDS = ("kind", "status", "first_name", "last_name", "display_name", "birthday", "gender", "language", "notes", "store_id")
ADDRESS_FIELDS = ("street", "city", "postal_code", "region", "country")


@dataclass(slots=True)
class CustomerRow:
    """One customer as a file or a form has it. None and empty mean that it does not say."""

    external_id: str | None
    fields: dict[str, Any]
    emails: tuple[EmailValue, ...]
    phones: tuple[PhoneValue, ...]
    address: tuple[str | None, ...] | None
    tags: tuple[str, ...]
    consents: tuple[tuple[str, ConsentState, dt.date | None, str | None], ...]


@dataclass(slots=True, eq=False)
class Aggregate:
    """One customer with all its parts. ``id`` is None until the batch is written."""

    id: int | None
    fields: dict[str, Any]
    uid: str | None = None
    """of a new one, if it was chosen already"""
    external_ids: dict[str, str] = field(default_factory=dict)
    """source -> value, the first of each source"""
    emails: dict[str, str] = field(default_factory=dict)
    """match -> as typed"""
    phones: dict[str, str] = field(default_factory=dict)
    """E.164 -> as typed"""
    address_id: int | None = None
    address: tuple[str | None, ...] | None = None
    tags: set[str] = field(default_factory=set)
    consents: dict[str, Consent] = field(default_factory=dict)
    is_new: bool = False
    changed: dict[str, Any] = field(default_factory=dict)
    """field -> old value"""
    new_emails: dict[str, str] = field(default_factory=dict)
    new_phones: dict[str, str] = field(default_factory=dict)
    new_external_ids: list[tuple[str, str]] = field(default_factory=list)
    new_tags: set[str] = field(default_factory=set)
    new_consents: dict[str, Any] = field(default_factory=dict)
    new_address: tuple[str | None, ...] | None = None

    @property
    def has_contact(self) -> bool:
        """Whether there is anything to know the customer by in another file."""
        return bool(self.external_ids or self.emails or self.phones)

    def says_the_same_as(self, other: Aggregate) -> bool:
        """Whether all that is known of both is equal."""
        return (self.fields, self.address, self.tags, self._consents()) == (other.fields, other.address, other.tags, other._consents())

    def _consents(self) -> dict[str, Any]:
        return {channel: (one.state, one.given_on, one.source) for channel, one in self.consents.items()} | self.new_consents

    def forget_what_came_to_nothing(self) -> None:
        """Drop changes that a later row of the batch has changed back."""
        self.changed = {name: old for name, old in self.changed.items() if self.fields[name] != old}
        if self.new_address == self.address:
            self.new_address = None
        for channel, one in self.consents.items():
            if self.new_consents.get(channel) == (one.state, one.given_on, one.source):
                del self.new_consents[channel]

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        parts = (self.new_emails, self.new_phones, self.new_external_ids, self.new_tags, self.new_consents)
        return bool(self.changed) or self.new_address is not None or any(parts)


def of_new(row: CustomerRow, source: str, uid: str | None = None) -> Aggregate:
    """The customer that a row makes when it is about nobody known."""
    fields: dict[str, Any] = dict.fromkeys(FIELDS) | {"kind": Kind.PERSON, "status": Status.ACTIVE} | row.fields
    fields["display_name"] = naming.display_name(fields, row.emails, row.phones, row.external_id)
    return Aggregate(
        id=None,
        fields=fields,
        uid=uid,
        is_new=True,
        emails={email.match: email.as_typed for email in row.emails},
        phones={phone.e164: phone.as_typed for phone in row.phones},
        external_ids={source: row.external_id} if row.external_id else {},
        address=row.address,
        tags=set(row.tags),
        new_consents={channel: (state, given_on, source) for channel, state, given_on, source in row.consents},
    )


def load(session: Session, ids: Iterable[int]) -> dict[int, Aggregate]:
    """The customers with these ids, by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    with staged(session, {"id": BigInt}, ((one,) for one in wanted)) as stage:
        chosen = sa.select(stage.c.id)
        columns = [getattr(Customer, name) for name in FIELDS]
        found = {
            row[0]: Aggregate(id=row[0], fields=dict(zip(FIELDS, row[1:], strict=True)))
            for row in session.execute(sa.select(Customer.id, *columns).where(Customer.id.in_(chosen)))
        }
        _parts(session, chosen, found)
    return found


def _parts(session: Session, chosen: sa.Select[Any], found: dict[int, Aggregate]) -> None:
    def rows(model: Any, order: Any, *columns: Any) -> Iterator[Any]:
        # Ordered here: told to order by an index, SQLite walks all of it.
        found = session.execute(sa.select(order, model.customer_id, *columns).where(model.customer_id.in_(chosen))).all()
        return (row[1:] for row in sorted(found, key=lambda row: row[0]))

    for owner, source, value in rows(ExternalId, ExternalId.id, ExternalId.source, ExternalId.value):
        found[owner].external_ids.setdefault(source, value)
    for owner, match, address in rows(CustomerEmail, CustomerEmail.position, CustomerEmail.match, CustomerEmail.address):
        found[owner].emails.setdefault(match, address)
    for owner, e164, number in rows(CustomerPhone, CustomerPhone.position, CustomerPhone.e164, CustomerPhone.number):
        found[owner].phones.setdefault(e164, number)
    columns = [getattr(CustomerAddress, name) for name in ADDRESS_FIELDS]
    for owner, address_id, *address in rows(CustomerAddress, CustomerAddress.position, CustomerAddress.id, *columns):
        if found[owner].address_id is None:
            found[owner].address_id, found[owner].address = address_id, tuple(address)
    tagged = sa.select(CustomerTag.customer_id, Tag.name).join(Tag).where(CustomerTag.customer_id.in_(chosen))
    for owner, name in session.execute(tagged):
        found[owner].tags.add(name)
    for consent in session.scalars(sa.select(Consent).where(Consent.customer_id.in_(chosen))):
        found[consent.customer_id].consents[consent.channel] = consent
