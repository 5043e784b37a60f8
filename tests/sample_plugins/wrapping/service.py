"""Wishes: made, read, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import SearchHit, TimelineEntry
from regulars_plugin_api.db import customers
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.events import emit
from regulars_plugin_api.services import crm_of
from regulars_plugin_api.views import CustomerView, Viewer
from sample_plugins.wrapping.events import WishMade
from sample_plugins.wrapping.i18n import _
from sample_plugins.wrapping.models import Paper, Wish

PAPERS = ("Brown", "Gold")


def make(session: Session, customer_id: int, words: str) -> int:
    """Write a wish down and return its id. Raises ``InvalidInput``."""
    if not words.strip():
        raise InvalidInput(words=_("Say what the customer wants."))
    now = crm_of(session).clock.now()
    wish = Wish(customer_id=customer_id, words=words.strip(), folded=words.casefold(), made_at=now)
    session.add(wish)
    session.flush()
    emit(session, WishMade(customer_id=customer_id, wish_id=wish.id, on=now.date()))
    return wish.id


def listed(session: Session, viewer: Viewer, limit: int = 50) -> Sequence[Any]:
    """Wishes of customers the viewer may see, newest first."""
    seen = crm_of(session).customers.ids_seen_by(session, viewer)
    query = sa.select(Wish.words, Wish.customer_id, customers.c.display_name, Paper.name.label("paper"))
    query = query.join(customers, customers.c.id == Wish.customer_id).outerjoin(Paper, Paper.id == Wish.paper_id)
    return session.execute(query.where(Wish.customer_id.in_(seen)).order_by(Wish.id.desc()).limit(limit)).all()


def of_customer(session: Session, customer: CustomerView, viewer: Viewer) -> Mapping[str, Any]:
    """What the panel shows."""
    found = session.scalars(sa.select(Wish.words).where(Wish.customer_id == customer.id).order_by(Wish.id.desc()).limit(5))
    return {"wishes": list(found)}


def numbers(session: Session, ids: Sequence[int], viewer: Viewer) -> Mapping[int, int]:
    """How many wishes each of these customers has."""
    query = sa.select(Wish.customer_id, sa.func.count().label("wishes")).where(Wish.customer_id.in_(ids)).group_by(Wish.customer_id)
    return {one.customer_id: one.wishes for one in session.execute(query)}


def has_many(customer_id: sa.ColumnElement[int], op: str, value: Any) -> sa.ColumnElement[bool]:
    """Whether a customer has more, fewer or as many wishes."""
    count: sa.ScalarSelect[int] = sa.select(sa.func.count()).select_from(Wish).where(Wish.customer_id == customer_id).scalar_subquery()
    return {"eq": count == int(value), "gt": count > int(value), "lt": count < int(value)}[op]


def number(session: Session, customer_id: int) -> int:
    """How many wishes one customer has."""
    return session.scalar(sa.select(sa.func.count()).select_from(Wish).where(Wish.customer_id == customer_id)) or 0


def happenings(viewer: Viewer) -> sa.Select[*tuple[Any, ...]]:
    """Wishes as happenings."""
    nothing = sa.cast(sa.null(), sa.Text).label("channel"), sa.cast(sa.null(), sa.BigInteger).label("store_id")
    return sa.select(Wish.customer_id, Wish.made_at.label("at"), sa.literal("wish").label("kind"), *nothing, Wish.id.label("ref"))


def told(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
    """Wishes in words."""
    found = session.execute(sa.select(Wish.id, Wish.words).where(Wish.id.in_(refs)))
    return {wish_id: TimelineEntry(_("A wish"), quote=words) for wish_id, words in found}


def search(session: Session, text: str, limit: int, viewer: Viewer) -> Sequence[SearchHit]:
    """Wishes with this text."""
    seen = crm_of(session).customers.ids_seen_by(session, viewer)
    query = sa.select(Wish.words, Wish.customer_id).where(Wish.folded.contains(text.casefold(), autoescape=True))
    found = session.execute(query.where(Wish.customer_id.in_(seen)).limit(limit))
    return [SearchHit(words, f"/customers/{customer_id}") for words, customer_id in found]


def seed(session: Session) -> None:
    """The papers every shop has."""
    session.add_all(Paper(name=name) for name in PAPERS)
