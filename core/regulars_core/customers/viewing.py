"""A customer's rows as the frozen record that everybody else sees."""

from __future__ import annotations

from sqlalchemy.orm import selectinload

from regulars_core.customers.models import Customer
from regulars_plugin_api.views import AddressView, ConsentView, CustomerView, EmailView, PhoneView

# One statement per part and page, whatever the number of customers on it.
PARTS = tuple(
    selectinload(part)
    for part in (Customer.emails, Customer.phones, Customer.addresses, Customer.external_ids, Customer.tags, Customer.consents)
)


def view(row: Customer) -> CustomerView:
    """The record of a customer whose parts are loaded."""
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
        emails=tuple(EmailView(email.address, email.match) for email in row.emails),
        phones=tuple(PhoneView(phone.number, phone.e164) for phone in row.phones),
        addresses=tuple(AddressView(a.street, a.city, a.postal_code, a.region, a.country) for a in row.addresses),
        external_ids=tuple((one.source, one.value) for one in row.external_ids),
        tags=tuple(sorted(one.tag.name for one in row.tags)),
        consents=tuple(ConsentView(one.channel, one.state.value, one.given_on, one.source) for one in row.consents),
        created_at=row.created_at,
    )
