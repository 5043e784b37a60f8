"""What lists of customers show of each: one statement for a page, read straight into plain rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, NamedTuple, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_core.customers import paging
from regulars_core.customers.filter import blaming
from regulars_core.customers.models import Customer, CustomerAddress, CustomerEmail, CustomerPhone
from regulars_core.customers.paging import Page, Place
from regulars_core.stores import service as stores
from regulars_plugin_api.views import Viewer


class CustomerLine(NamedTuple):
    """One customer in a list: the preferred phone, e-mail and city, and the name of the home store.

    ``reached`` is the phone, or the e-mail of somebody without one.
    """

    id: int
    kind: str
    status: str
    display_name: str
    reached: str | None
    email: str | None
    phone: str | None
    city: str | None
    store_id: int | None
    fold_name: str
    store: str | None


def _preferred(column: Any, part: Any) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(part.customer_id == Customer.id).order_by(part.position).limit(1).correlate(Customer).scalar_subquery()


# Made once for each choice: statements are kept by their columns.
@cache
def _columns(has_email: bool, has_phone: bool) -> tuple[Any, ...]:
    email, phone = _preferred(CustomerEmail.address, CustomerEmail), _preferred(CustomerPhone.number, CustomerPhone)
    return (
        Customer.id,
        sa.type_coerce(Customer.kind, sa.String).label("kind"),
        sa.type_coerce(Customer.status, sa.String).label("status"),
        Customer.display_name,
        sa.func.coalesce(phone, email).label("reached"),
        (email if has_email else sa.null()).label("email"),
        (phone if has_phone else sa.null()).label("phone"),
        _preferred(CustomerAddress.city, CustomerAddress).label("city"),
        Customer.store_id,
        Customer.fold_name,
    )


def lines(
    crm: Crm,
    session: Session,
    viewer: Viewer,
    *,
    query: str = "",
    where: Any | None = None,
    trash: bool = False,
    store_names: Mapping[int, str] | None = None,
    apart: Collection[str] = ("email", "phone"),
    **place: Unpack[Place],
) -> Page[CustomerLine]:
    """Customers the viewer may see, as a list shows them. Of a search that finds very many it has those found first.

    ``where`` is a filter; ``store_names`` are those known already, by id; ``apart`` says which of both are wanted for
    themselves, and not only to say how somebody is reached. Raises ``BadFilter``.
    """
    asked = crm.customers.conditions(session, viewer, query, where, trash)
    columns = _columns("email" in apart, "phone" in apart)
    with blaming(crm, where):
        found = paging.read(session, columns, asked, first_found=bool(query.strip()), **place)
    known = store_names or {}
    names = {**known, **stores.names(session, {row.store_id for row in found.rows} - known.keys())}
    return found.holding([CustomerLine._make((*row[: len(columns)], names.get(row.store_id))) for row in found.rows])
