"""A customer's rows as the frozen record that everybody else sees."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from regulars_core.customers.models import Consent, Customer, CustomerAddress, CustomerEmail, CustomerPhone, CustomerTag, ExternalId, Tag
from regulars_plugin_api.db import read_rows
from regulars_plugin_api.views import AddressView, ConsentView, CustomerView, EmailView, PhoneView

# For a customer that is about to be changed: one statement per part.
PARTS = tuple(
    selectinload(part)
    for part in (Customer.emails, Customer.phones, Customer.addresses, Customer.external_ids, Customer.tags, Customer.consents)
)
COLUMNS = tuple(Customer.__table__.c)
_WANTED: sa.BindParameter[Any] = sa.bindparam("wanted", expanding=True)


def _part(name: str, owner: Any, place: Any, *columns: Any) -> sa.Select[Any]:
    """Rows of one part, widened to what the widest part has."""
    texts = [sa.cast(column, sa.String) for column in columns] + [sa.cast(sa.null(), sa.String)] * (5 - len(columns))
    return sa.select(sa.literal_column(f"'{name}'"), owner, place, *texts).where(owner.in_(_WANTED))


_ALL_PARTS = sa.union_all(
    _part("email", CustomerEmail.customer_id, CustomerEmail.position, CustomerEmail.address, CustomerEmail.match),
    _part("phone", CustomerPhone.customer_id, CustomerPhone.position, CustomerPhone.number, CustomerPhone.e164),
    _part(
        "address",
        CustomerAddress.customer_id,
        CustomerAddress.position,
        CustomerAddress.street,
        CustomerAddress.city,
        CustomerAddress.postal_code,
        CustomerAddress.region,
        CustomerAddress.country,
    ),
    _part("number", ExternalId.customer_id, ExternalId.id, ExternalId.source, ExternalId.value),
    _part("tag", CustomerTag.customer_id, sa.literal_column("0"), Tag.name).join_from(CustomerTag, Tag, Tag.id == CustomerTag.tag_id),
    _part("consent", Consent.customer_id, sa.literal_column("0"), Consent.channel, Consent.state, Consent.given_on, Consent.source),
)
_MAKE: dict[str, Callable[..., Any]] = {
    "email": lambda address, match, *_: EmailView(address, match),
    "phone": lambda number, e164, *_: PhoneView(number, e164),
    "address": AddressView,
    "number": lambda source, value, *_: (source, value),
    "tag": lambda name, *_: name,
    "consent": lambda channel, state, given_on, source, _: ConsentView(
        channel, state, given_on and dt.date.fromisoformat(given_on), source
    ),
}


def complete(session: Session, rows: Sequence[sa.Row[Any]]) -> list[CustomerView]:
    """The records of customers whose ``COLUMNS`` were read: one statement for all their parts."""
    parts: dict[int, dict[str, list[tuple[Any, Any]]]] = {row.id: defaultdict(list) for row in rows}
    if rows:
        for name, owner, place, *texts in read_rows(session, _ALL_PARTS, {"wanted": list(parts)}):
            parts[owner][name].append((place, _MAKE[name](*texts)))
    return [_record(row, **{name: _in_order(name, found) for name, found in parts[row.id].items()}) for row in rows]


def view(row: Customer) -> CustomerView:
    """The record of a customer whose parts are loaded."""
    return _record(
        row,
        email=tuple(EmailView(email.address, email.match) for email in row.emails),
        phone=tuple(PhoneView(phone.number, phone.e164) for phone in row.phones),
        address=tuple(AddressView(a.street, a.city, a.postal_code, a.region, a.country) for a in row.addresses),
        number=tuple((one.source, one.value) for one in row.external_ids),
        tag=tuple(sorted(one.tag.name for one in row.tags)),
        consent=tuple(ConsentView(one.channel, one.state.value, one.given_on, one.source) for one in row.consents),
    )


def _in_order(name: str, found: Sequence[tuple[Any, Any]]) -> tuple[Any, ...]:
    key = {"tag": lambda pair: pair[1], "consent": lambda pair: pair[1].channel}.get(name, lambda pair: pair[0])
    return tuple(one for _place, one in sorted(found, key=key))


def _record(row: Any, **parts: tuple[Any, ...]) -> CustomerView:
    """``row`` has the columns of a customer."""
    return CustomerView(
        id=row.id,
        uid=row.uid,
        kind=row.kind.value,
        status=row.status.value,
        display_name=row.display_name,
        first_name=row.first_name,
        last_name=row.last_name,
        birthday=row.birthday,
        gender=row.gender,
        language=row.language,
        notes=row.notes,
        store_id=row.store_id,
        version=row.version,
        deleted=row.deleted_at is not None,
        emails=parts.get("email", ()),
        phones=parts.get("phone", ()),
        addresses=parts.get("address", ()),
        external_ids=parts.get("number", ()),
        tags=parts.get("tag", ()),
        consents=parts.get("consent", ()),
        created_at=row.created_at,
    )
