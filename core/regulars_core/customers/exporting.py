"""The exporter of customers: what it writes, the importer reads back without a change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.filter import compiler
from regulars_core.customers.importing import CONSENT_CHANNELS, CustomerImporter
from regulars_core.customers.models import (
    Consent,
    ConsentState,
    Customer,
    CustomerAddress,
    CustomerEmail,
    CustomerPhone,
    CustomerTag,
    ExternalId,
    Tag,
)
from regulars_core.stores.models import Store
from regulars_plugin_api.exchange import Exporter
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import Viewer

PAGE = 1000
PREFERRED_SOURCE = "import"


class CustomerExporter(Exporter):
    """Living customers, oldest first."""

    kind = "customer"
    title = _("Customers")
    permission = "customers.export"

    def columns(self, session: Session) -> Sequence[str]:
        """The columns of the importer."""
        return tuple(column.name for column in CustomerImporter.columns)

    def rows(self, session: Session, viewer: Viewer, where: Any | None) -> Iterator[Sequence[Any]]:
        """Pages of a thousand, each read in a constant number of statements."""
        crm = session.info["crm"]
        condition = sa.true() if where is None else compiler(crm).compile(where)
        living = sa.and_(Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None), crm.customers.visible_to(viewer), condition)
        query = sa.select(Customer.__table__, Store.code.label("store_code")).outerjoin(Store, Store.id == Customer.store_id)
        names, last = self.columns(session), 0
        while page := session.execute(query.where(living, Customer.id > last).order_by(Customer.id).limit(PAGE)).all():
            parts = _parts(session, [row.id for row in page])
            for row in page:
                cells = _cells(row, {part: found[row.id] for part, found in parts.items()})
                yield [cells[name] for name in names]
            last = page[-1].id


def _cells(row: Any, parts: Mapping[str, list[Any]]) -> dict[str, Any]:
    numbers = sorted(parts["external_ids"], key=lambda pair: (pair[0] != PREFERRED_SOURCE, pair))
    street, city, postal_code, region, country = parts["address"][0] if parts["address"] else (None,) * 5
    consents = {channel: (state, given_on, source) for channel, state, given_on, source in parts["consents"]}
    # One date and source for all channels, or none: a proof must not spread to a channel that has none.
    proofs = {(given_on, source) for _state, given_on, source in consents.values()}
    given_on, source = proofs.pop() if len(proofs) == 1 else (None, None)
    return {
        "external_id": numbers[0][1] if numbers else row.uid,
        "kind": row.kind.value,
        "status": row.status.value,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "display_name": row.display_name,
        "email": "; ".join(address for (address,) in parts["emails"]) or None,
        "phone": "; ".join(number for (number,) in parts["phones"]) or None,
        "birthday": row.birthday,
        "gender": row.gender,
        "language": row.language,
        "street": street,
        "city": city,
        "postal_code": postal_code,
        "region": region,
        "country": country,
        "store": row.store_code,
        "tags": "; ".join(sorted(tag for (tag,) in parts["tags"])) or None,
        "notes": row.notes,
        **{f"consent_{channel}": _answer(consents.get(channel)) for channel in CONSENT_CHANNELS},
        "consent_date": given_on,
        "consent_source": source,
    }


def _answer(consent: tuple[ConsentState, Any, Any] | None) -> str | None:
    return None if consent is None else "no" if consent[0] is ConsentState.WITHDRAWN else "yes"


def _parts(session: Session, ids: Sequence[int]) -> dict[str, dict[int, list[Any]]]:
    def of(model: Any, *columns: Any, order: Any) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        for owner, *cells in session.execute(sa.select(model.customer_id, *columns).where(model.customer_id.in_(ids)).order_by(order)):
            found[owner].append(tuple(cells))
        return found

    address = (CustomerAddress.street, CustomerAddress.city, CustomerAddress.postal_code, CustomerAddress.region, CustomerAddress.country)
    tags: dict[int, list[Any]] = defaultdict(list)
    for owner, name in session.execute(sa.select(CustomerTag.customer_id, Tag.name).join(Tag).where(CustomerTag.customer_id.in_(ids))):
        tags[owner].append((name,))
    return {
        "external_ids": of(ExternalId, ExternalId.source, ExternalId.value, order=ExternalId.id),
        "emails": of(CustomerEmail, CustomerEmail.address, order=CustomerEmail.position),
        "phones": of(CustomerPhone, CustomerPhone.number, order=CustomerPhone.position),
        "address": of(CustomerAddress, *address, order=CustomerAddress.position),
        "tags": tags,
        "consents": of(Consent, Consent.channel, Consent.state, Consent.given_on, Consent.source, order=Consent.channel),
    }
