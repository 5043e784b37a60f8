"""What a list of customers shows of each: one statement for a page, read straight into plain rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from regulars_core.customers.models import Customer, CustomerAddress, CustomerEmail, CustomerPhone
from regulars_core.stores.models import Store


class CustomerLine(NamedTuple):
    """One customer in a list: the preferred e-mail, phone and city, and the name of the home store."""

    id: int
    kind: str
    status: str
    display_name: str
    email: str | None
    phone: str | None
    city: str | None
    store_id: int | None
    store: str | None
    fold_name: str


def _preferred(column: Any, part: Any) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(part.customer_id == Customer.id).order_by(part.position).limit(1).correlate(Customer).scalar_subquery()


LINE = (
    Customer.id,
    sa.type_coerce(Customer.kind, sa.String).label("kind"),
    sa.type_coerce(Customer.status, sa.String).label("status"),
    Customer.display_name,
    _preferred(CustomerEmail.address, CustomerEmail).label("email"),
    _preferred(CustomerPhone.number, CustomerPhone).label("phone"),
    _preferred(CustomerAddress.city, CustomerAddress).label("city"),
    Customer.store_id,
    sa.select(Store.name).where(Store.id == Customer.store_id).correlate(Customer).scalar_subquery().label("store"),
    Customer.fold_name,
)
