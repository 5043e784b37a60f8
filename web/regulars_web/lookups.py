"""Customers as programs ask for them: lists in a chosen order, and the one somebody names by whatever is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.models import Customer, CustomerEmail, CustomerPhone, ExternalId
from regulars_core.customers.paging import Order, first, gathered
from regulars_core.customers.viewing import COLUMNS, complete
from regulars_core.stores.models import Store
from regulars_plugin_api import values
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import BadValue
from regulars_plugin_api.views import CustomerView, Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

SORTS = ("name", "-name", "created", "-created")
MOST_ALIKE = 10


@dataclass(frozen=True)
class Listed:
    """A customer and its place in the list."""

    customer: CustomerView
    place: tuple[Any, ...]


def listed(
    crm: Crm,
    session: Session,
    viewer: Viewer,
    *,
    query: str = "",
    where: Any | None = None,
    sort: str = "name",
    after: Sequence[Any] | None = None,
    limit: int = 50,
    trash: bool = False,
) -> list[Listed]:
    """Customers the viewer may see, in the order of ``sort``, one of ``SORTS``, beginning after a place. Raises ``BadFilter``."""
    found = gathered(session, crm.customers.conditions(session, viewer, query, where, trash))
    by_name = sort.endswith("name")
    rows = first(session, COLUMNS, found, Order(by_name, sort.startswith("-")), after, limit)
    places = {row.id: (row.fold_name, row.id) if by_name else (row.id,) for row in rows}
    return [Listed(one, places[one.id]) for one in complete(session, rows)]


def id_of(session: Session, reference: str) -> int:
    """The id behind an id or a uid. Raises ``NotFound``."""
    if reference.isdecimal():
        return int(reference)
    found = session.scalar(sa.select(Customer.id).where(Customer.uid == reference))
    if found is None:
        raise NotFound(_("There is no such customer."))
    return found


def alike(crm: Crm, session: Session, viewer: Viewer, identifier: str) -> list[CustomerView]:
    """Customers the viewer may see who bear this number, uid, phone or e-mail, else the one a plugin knows by it."""
    wanted = identifier.strip()
    own: list[Any] = [
        sa.select(ExternalId.customer_id).where(ExternalId.value == wanted),
        sa.select(Customer.id).where(Customer.uid == wanted.lower()),
    ]
    with suppress(BadValue):
        own.append(sa.select(CustomerEmail.customer_id).where(CustomerEmail.match == values.email(wanted).match))
    if numbers := _numbers(crm, session, wanted):
        own.append(sa.select(CustomerPhone.customer_id).where(CustomerPhone.e164.in_(sorted(numbers))))
    found = _living(crm, session, viewer, sa.union_all(*own))
    if not found:
        by_plugin = crm.bus.first(hooks.find_customer, session=session, identifier=wanted)
        found = [] if by_plugin is None else _living(crm, session, viewer, sa.select(sa.literal(by_plugin)))
    return found


def _numbers(crm: Crm, session: Session, wanted: str) -> set[str]:
    """What is dialled for ``wanted`` in the chain's country, or in that of one of its stores."""
    found = set()
    for country in {crm.config.country, *session.scalars(sa.select(Store.country).distinct())}:
        with suppress(BadValue):
            found.add(values.phone(wanted, country=country).e164)
    return found


def _living(crm: Crm, session: Session, viewer: Viewer, ids: Any) -> list[CustomerView]:
    bearers = sa.select(sa.func.coalesce(Customer.merged_into_id, Customer.id)).where(Customer.id.in_(ids))
    conditions = (Customer.id.in_(bearers), Customer.deleted_at.is_(None), crm.customers.visible_to(viewer))
    rows = session.execute(sa.select(*COLUMNS).where(*conditions).order_by(Customer.fold_name, Customer.id).limit(MOST_ALIKE)).all()
    return complete(session, rows)
