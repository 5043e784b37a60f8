"""What a list of customers shows of each: one statement for a page, read straight into plain rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.models import Customer, CustomerAddress, CustomerEmail, CustomerPhone, Tag
from regulars_core.stores.models import Store
from regulars_core.users.models import SavedView
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer


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


class Offer(NamedTuple):
    """Something to choose above the list: a store by its code, a tag, or a saved view; ``marked`` is a shared view."""

    id: int
    code: str
    name: str
    marked: bool


class Choices(NamedTuple):
    """What a list of customers offers to choose from."""

    stores: list[Offer]
    tags: list[Offer]
    views: list[Offer]


def choices(session: Session, viewer: Viewer, *, stores: int, tags: int, views: int) -> Choices:
    """So many of each at most, in one statement: stores by code, tags by name, the viewer's own saved views before those of others."""
    store, view, mine = Store.__table__, SavedView.__table__, SavedView.user_id == viewer.user_id
    no, blank = sa.literal(0), sa.literal("")
    parts = (
        (0, store.c.id, store.c.code, store.c.name, no, in_scope(viewer, store.c.id), (store.c.code,), stores),
        (1, Tag.id, blank, Tag.name, no, sa.true(), (Tag.name,), tags),
        (2, view.c.id, blank, view.c.name, sa.cast(view.c.shared, sa.Integer), mine | SavedView.shared, (mine.desc(), view.c.name), views),
    )
    asked = []
    for part, number, code, name, marked, wanted, order, most in parts:
        place = sa.func.row_number().over(order_by=order).label("place")
        about = (number.label("id"), code.label("code"), name.label("name"), marked.label("marked"))
        few = sa.select(sa.literal(part).label("part"), place, *about).where(wanted).order_by(*order).limit(most)
        asked.append(sa.select(few.subquery()))
    found: list[list[Offer]] = [[], [], []]
    for row in session.execute(sa.union_all(*asked).order_by("part", "place")).all():
        found[row.part].append(Offer(row.id, row.code, row.name, bool(row.marked)))
    return Choices(*found)
