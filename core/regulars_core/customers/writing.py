"""Puts new and changed aggregates into their tables, a constant number of statements per batch."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers import naming, search
from regulars_core.customers.aggregate import ADDRESS_FIELDS, FIELDS, Aggregate
from regulars_core.customers.models import Consent, Customer, CustomerAddress, CustomerEmail, CustomerPhone, CustomerTag, ExternalId, Tag
from regulars_plugin_api.bulk import PreparedWrites, insert_rows, reserve_ids, staged, update_rows
from regulars_plugin_api.exchange import Journal
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.values import fold

NAMES = frozenset({"display_name", "first_name", "last_name"})
Rows = list[tuple[Any, ...]]


class Writer:
    """Writes for one batch and tells the journal."""

    def __init__(self, session: Session, journal: Journal, at: dt.datetime) -> None:
        self.session, self.journal, self.at = session, journal, at

    def create(self, customers: Sequence[Aggregate]) -> Sequence[int]:
        """Insert new customers with all that is part of them; their ids."""
        if not customers:
            return ()
        rows: Rows = []
        words: list[tuple[int, str]] = []
        ids = reserve_ids(self.session, Customer.__table__, len(customers))
        for customer, number in zip(customers, ids, strict=True):
            customer.id = number
            fields = customer.fields
            folded = naming.folded(fields["display_name"], fields["first_name"], fields["last_name"])
            rows.append((number, customer.uid or uuid7(), *map(fields.__getitem__, FIELDS), *folded, 1, self.at, self.at))
            words.append((number, search.search_words(folded, customer.emails, customer.phones, customer.external_ids.values())))
        tags = self._tag_ids({tag for customer in customers for tag in customer.tags})
        writes = PreparedWrites(self.session)
        for model, columns, parts in (
            (Customer, _CUSTOMER_COLUMNS, rows),
            (ExternalId, ("customer_id", "source", "value"), ((c.id, *pair) for c in customers for pair in c.external_ids.items())),
            (CustomerEmail, ("customer_id", "match", "address", "position"), _contacts(customers, "emails")),
            (CustomerPhone, ("customer_id", "e164", "number", "position"), _contacts(customers, "phones")),
            (CustomerAddress, _ADDRESS_COLUMNS, ((c.id, 0, *_address(c.address)) for c in customers if c.address is not None)),
            (Consent, _CONSENT_COLUMNS, self._consents(customers)),
            (CustomerTag, ("customer_id", "tag_id"), ((c.id, tags[tag]) for c in customers for tag in sorted(c.tags))),
        ):
            writes.insert(model.__table__, columns, parts)
        writes.insert(*search.place(self.session), words)
        writes.write()
        self.journal.created("customer", ids)
        return ids

    def update(self, customers: Sequence[Aggregate]) -> None:
        """Change customers that were here already; every new row of theirs is told to the journal."""
        if not customers:
            return
        self._update_fields(customers)
        self._add(ExternalId, ("customer_id", "source", "value"), ((c.id, *pair) for c in customers for pair in c.new_external_ids))
        self._add(CustomerEmail, ("customer_id", "match", "address", "position"), _contacts(customers, "new_emails", "emails"))
        self._add(CustomerPhone, ("customer_id", "e164", "number", "position"), _contacts(customers, "new_phones", "phones"))
        self._update_addresses(customers)
        self._update_consents(customers)
        tags = self._tag_ids({tag for customer in customers for tag in customer.new_tags})
        self._add(CustomerTag, ("customer_id", "tag_id"), ((c.id, tags[tag]) for c in customers for tag in sorted(c.new_tags)))
        search.reindex(self.session, [c.id for c in customers if c.id])

    def _update_fields(self, customers: Sequence[Aggregate]) -> None:
        by_columns: dict[tuple[str, ...], Rows] = defaultdict(list)
        for customer in customers:
            fields, names = customer.fields, tuple(sorted(customer.changed))
            row = [fields[name] for name in names]
            if NAMES & customer.changed.keys():
                names += ("fold_name", "fold_first", "fold_last")
                row.extend(naming.folded(fields["display_name"], fields["first_name"], fields["last_name"]))
            by_columns[names].append((customer.id, *row))
        for names, rows in by_columns.items():
            if names:
                update_rows(self.session, Customer.__table__, names, rows)
        ids = [customer.id for customer in customers]
        with staged(self.session, {"id": Customer.id.type}, ((one,) for one in ids)) as stage:
            self.session.execute(
                sa.update(Customer)
                .where(Customer.id.in_(sa.select(stage.c.id)))
                .values(version=Customer.version + 1, updated_at=self.at)
                .execution_options(synchronize_session=False)
            )
        self.journal.updated(
            "customer", ((c.id or 0, name, _kept(old), _kept(c.fields[name])) for c in customers for name, old in c.changed.items())
        )

    def _update_addresses(self, customers: Sequence[Aggregate]) -> None:
        fresh = [c for c in customers if c.new_address is not None and c.address_id is None]
        self._add(CustomerAddress, _ADDRESS_COLUMNS, ((c.id, 0, *_address(c.new_address)) for c in fresh))
        moved = [c for c in customers if c.new_address is not None and c.address_id is not None]
        columns = (*ADDRESS_FIELDS, "fold_city")
        update_rows(self.session, CustomerAddress.__table__, columns, [(c.address_id, *_address(c.new_address)) for c in moved])
        self.journal.updated(
            "customer_address",
            (
                (c.address_id or 0, name, old, new)
                for c in moved
                for name, old, new in zip(ADDRESS_FIELDS, c.address or (), c.new_address or (), strict=True)
                if old != new
            ),
        )

    def _update_consents(self, customers: Sequence[Aggregate]) -> None:
        known = [(c.consents[channel], new) for c in customers for channel, new in c.new_consents.items() if channel in c.consents]
        known_ones = {(old.customer_id, old.channel) for old, _new in known}
        self._add(Consent, _CONSENT_COLUMNS, (row for row in self._consents(customers) if row[:2] not in known_ones))
        columns = ("state", "given_on", "source", "recorded_at")
        update_rows(self.session, Consent.__table__, columns, [(old.id, *new, self.at) for old, new in known])
        self.journal.updated(
            "consent",
            (
                (old.id, name, _kept(getattr(old, name)), _kept(value))
                for old, new in known
                for name, value in zip(columns[:3], new, strict=True)
                if getattr(old, name) != value
            ),
        )

    def _consents(self, customers: Sequence[Aggregate]) -> Rows:
        return [(c.id, channel, *said, self.at) for c in customers for channel, said in c.new_consents.items()]

    def _tag_ids(self, names: set[str]) -> dict[str, int]:
        if not names:
            return {}
        with staged(self.session, {"name": Tag.name.type}, ((name,) for name in sorted(names))) as stage:
            known = dict(self.session.execute(sa.select(Tag.name, Tag.id).join_from(stage, Tag, Tag.name == stage.c.name)).all())
        missing = sorted(names - known.keys())
        fresh = dict(zip(missing, reserve_ids(self.session, Tag.__table__, len(missing)), strict=True))
        insert_rows(self.session, Tag.__table__, ("name", "id"), fresh.items())
        self.journal.created("tag", fresh.values())
        return known | fresh

    def _add(self, model: Any, columns: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows that undo has to find again one by one."""
        fresh = list(rows)
        ids = reserve_ids(self.session, model.__table__, len(fresh))
        insert_rows(self.session, model.__table__, ("id", *columns), [(number, *row) for number, row in zip(ids, fresh, strict=True)])
        self.journal.created(model.__tablename__, ids)


_CUSTOMER_COLUMNS = ("id", "uid", *FIELDS, "fold_name", "fold_first", "fold_last", "version", "created_at", "updated_at")
_ADDRESS_COLUMNS = ("customer_id", "position", *ADDRESS_FIELDS, "fold_city")
_CONSENT_COLUMNS = ("customer_id", "channel", "state", "given_on", "source", "recorded_at")


def _contacts(customers: Sequence[Aggregate], which: str, among: str | None = None) -> Rows:
    """``(customer, key, as typed, position)``; positions go on after those the customer has."""
    rows: Rows = []
    for customer in customers:
        contacts: dict[str, str] = getattr(customer, which)
        start = len(getattr(customer, among)) - len(contacts) if among else 0
        rows.extend((customer.id, key, typed, start + place) for place, (key, typed) in enumerate(contacts.items()))
    return rows


def _address(address: tuple[str | None, ...] | None) -> tuple[str | None, ...]:
    assert address is not None
    city = address[1]
    return (*address, fold(city) if city else None)


def _kept(value: Any) -> Any:
    """A field as the database keeps it."""
    return getattr(value, "value", value)
