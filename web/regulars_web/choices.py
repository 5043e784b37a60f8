"""What the list of customers offers to choose from: stores, tags and saved views, found in one statement."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.models import Tag
from regulars_core.stores.models import Store
from regulars_core.users.models import SavedView
from regulars_plugin_api.db import read_rows
from regulars_plugin_api.views import Viewer


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


def offered(session: Session, viewer: Viewer, *, stores: int, tags: int, views: int) -> Choices:
    """So many of each at most, in one statement: stores by code, tags by name, the viewer's own saved views before those of others."""
    sees_all = viewer.store_ids is None
    values = {"me": viewer.user_id, "stores": stores, "tags": tags, "views": views}
    found: list[list[Offer]] = [[], [], []]
    for part, number, code, name, marked in read_rows(
        session, _choices(sees_all), values if sees_all else values | {"scope": sorted(viewer.store_ids or ())}
    ):
        found[part].append(Offer(number, code, name, bool(marked)))
    return Choices(*found)


# Made once: to put it together takes longer than to ask it.
@cache
def _choices(sees_all: bool) -> sa.Select[Any]:
    store, view, tag = Store.__table__.c, SavedView.__table__.c, Tag.__table__.c
    mine = view.user_id == sa.bindparam("me", type_=view.user_id.type)
    in_scope = sa.true() if sees_all else store.id.in_(sa.bindparam("scope", expanding=True))
    no, blank, first = sa.literal(0), sa.literal(""), sa.literal(0)
    others = sa.case((mine, 0), else_=1)
    parts = (
        (0, store.id, store.code, store.name, no, first, in_scope, (store.code,), "stores"),
        (1, tag.id, blank, tag.name, no, first, sa.true(), (tag.name,), "tags"),
        (2, view.id, blank, view.name, sa.cast(view.shared, sa.Integer), others, mine | view.shared, (others, view.name), "views"),
    )
    asked = []
    for part, number, code, name, marked, place, wanted, order, most in parts:
        about = (number.label("id"), code.label("code"), name.label("name"), marked.label("marked"), place.label("place"))
        few = sa.select(sa.literal(part).label("part"), *about).where(wanted).order_by(*order).limit(sa.bindparam(most, type_=sa.Integer))
        asked.append(sa.select(few.subquery()))
    every = sa.union_all(*asked).subquery()
    found = every.c
    return sa.select(found.part, found.id, found.code, found.name, found.marked).order_by(found.part, found.place, found.code, found.name)
