"""Who may be the same person: customers who share an e-mail, a phone, or a name together with birthday or postal code."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from regulars_core.customers import drafting
from regulars_core.customers.merges import CustomerDistinct
from regulars_core.customers.models import Customer, CustomerAddress, CustomerEmail, CustomerPhone
from regulars_plugin_api.db import read_rows
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.values import fold
from regulars_plugin_api.views import CustomerView, Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

REASONS: Mapping[str, Text] = {
    "email": _("Same e-mail"),
    "phone": _("Same phone"),
    "birthday": _("Same name and birthday"),
    "postal_code": _("Same name and postal code"),
    "name": _("Same name"),
}
# A family shares a contact; what more people share than this is a shop's or a switchboard's.
SHARED_BY = 10
# Customers looked at in one statement, at first and at most; seconds until a page shows what was found so far.
WINDOW, WIDEST = 50, 3200
PATIENCE = 0.7
LIKELY = 5


@dataclass(frozen=True)
class Pair:
    """Two customers who may be one, and why."""

    one: CustomerView
    other: CustomerView
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """Some pairs, and from where to look on; None when everybody was looked at."""

    pairs: list[Pair]
    after: tuple[int, int] | None


def listed(
    crm: Crm, session: Session, viewer: Viewer, *, after: tuple[int, int] = (0, 0), limit: int = 50, seconds: float = PATIENCE
) -> Found:
    """Pairs both of whom the viewer may see, by id. Looks on for about ``seconds``: how many share a common name nobody knows before."""
    last = session.scalar(sa.select(sa.func.max(Customer.id))) or 0
    found: dict[tuple[int, int], set[str]] = {}
    start, window, ends = after, WINDOW, time.monotonic() + seconds
    while True:
        until = start[0] + window
        pairs = _shared(crm, viewer, partial(_beyond, start, until))
        for low, high, reason in session.execute(pairs.order_by("low", "high").limit((limit + 1) * len(REASONS))):
            found.setdefault((low, high), set()).add(reason)
        if len(found) > limit:
            shown = sorted(found)[:limit]
            return Found(_viewed(crm, session, {pair: found[pair] for pair in shown}), shown[-1])
        if until >= last:
            return Found(_viewed(crm, session, found), None)
        start, window = (until, last), min(window * 2, WIDEST)
        if time.monotonic() > ends:
            return Found(_viewed(crm, session, found), start)


def of(crm: Crm, session: Session, viewer: Viewer, customer_id: int) -> list[Pair]:
    """Who may be the same person as one customer."""
    pairs = _shared(crm, viewer, lambda low, high: sa.and_(low.id == customer_id, high.id != customer_id)).order_by("low", "high")
    found: dict[tuple[int, int], set[str]] = {}
    for low, high, reason in session.execute(pairs.limit(LIKELY * len(REASONS))):
        found.setdefault((low, high), set()).add(reason)
    return _viewed(crm, session, found)


def like(crm: Crm, session: Session, viewer: Viewer, typed: Mapping[str, Any]) -> list[tuple[CustomerView, tuple[str, ...]]]:
    """Customers the viewer may see who share an e-mail, a phone or the full name with what was typed. Raises ``InvalidInput``."""
    draft = drafting.read(typed, session, crm.config.country)
    emails, phones = [one.match for one in draft.emails or ()], [one.e164 for one in draft.phones or ()]
    said = {"email": emails, "phone": phones, "name": [fold(draft.fields["display_name"])]}
    asked, found = {reason: texts for reason, texts in said.items() if texts}, dict[int, list[str]]()
    query = _alike_anywhere(*asked) if viewer.store_ids is None else _alike(*asked, seen=crm.customers.visible_to(viewer))
    for reason, customer_id in read_rows(session, query, asked):
        found.setdefault(customer_id, []).append(reason)
    views = crm.customers.get_many(list(found), session=session)
    return [(views[number], tuple(reasons)) for number, reasons in found.items() if number in views][:LIKELY]


def not_the_same(session: Session, one_id: int, other_id: int) -> None:
    """Remember that two customers are two; safe to repeat."""
    pair = sorted((one_id, other_id))
    known = sa.select(CustomerDistinct.id).where(CustomerDistinct.one_id == pair[0], CustomerDistinct.other_id == pair[1])
    if session.scalar(known) is None:
        session.add(CustomerDistinct(one_id=pair[0], other_id=pair[1]))
        session.flush()


def _beyond(start: tuple[int, int], until: int, low: Any, high: Any) -> sa.ColumnElement[bool]:
    further = sa.or_(low.id > start[0], sa.and_(low.id == start[0], high.id > start[1]))
    return sa.and_(low.id >= start[0], low.id <= until, further, high.id > low.id)


def _shared(crm: Crm, viewer: Viewer, which: Any) -> sa.Select[Any]:
    """``(low, high, reason)`` for every way in which two customers that ``which`` admits agree."""
    low, high = aliased(Customer, name="low"), aliased(Customer, name="high")
    ways: list[Any] = []
    contacts: tuple[tuple[str, Any, str], ...] = (("email", CustomerEmail, "match"), ("phone", CustomerPhone, "e164"))
    for reason, model, key in contacts:
        mine, theirs, crowd = aliased(model), aliased(model), aliased(model)
        value = getattr(mine, key)
        crowded = sa.exists(sa.select(crowd.id).where(getattr(crowd, key) == value).limit(1).offset(SHARED_BY))
        joined = sa.select(low.id.label("low"), high.id.label("high"), sa.literal(reason).label("reason")).select_from(low)
        joined = joined.join(mine, mine.customer_id == low.id).join(theirs, getattr(theirs, key) == value)
        ways.append(joined.join(high, high.id == theirs.customer_id).where(~crowded))
    named = sa.select(low.id, high.id, sa.literal("birthday")).select_from(low).join(high, high.fold_name == low.fold_name)
    ways.append(named.where(high.birthday == low.birthday))
    mine_at, theirs_at = aliased(CustomerAddress), aliased(CustomerAddress)
    near = sa.select(low.id, high.id, sa.literal("postal_code")).select_from(low).join(high, high.fold_name == low.fold_name)
    near = near.join(mine_at, mine_at.customer_id == low.id).join(theirs_at, theirs_at.customer_id == high.id)
    ways.append(near.where(theirs_at.postal_code == mine_at.postal_code))
    two = sa.exists().where(
        sa.or_(
            sa.and_(CustomerDistinct.one_id == low.id, CustomerDistinct.other_id == high.id),
            sa.and_(CustomerDistinct.one_id == high.id, CustomerDistinct.other_id == low.id),
        )
    )
    seen = [sa.select(Customer.id).where(crm.customers.visible_to(viewer))] if viewer.store_ids is not None else []
    both = [one.id.in_(ids) for one in (low, high) for ids in seen]
    fits = [_living(low), _living(high), low.kind == high.kind, which(low, high), ~two, *both]
    return sa.union(*(way.where(*fits) for way in ways)).subquery().select()


def _living(customer: Any) -> sa.ColumnElement[bool]:
    return sa.and_(customer.deleted_at.is_(None), customer.merged_into_id.is_(None))


def _viewed(crm: Crm, session: Session, found: Mapping[tuple[int, int], set[str]]) -> list[Pair]:
    views = crm.customers.get_many(sorted({number for pair in found for number in pair}), session=session)
    order: Sequence[str] = list(REASONS)
    return [Pair(views[low], views[high], tuple(sorted(found[low, high], key=order.index))) for low, high in sorted(found)]


_SHARED: Mapping[str, tuple[Any, Any]] = {
    "email": (CustomerEmail.customer_id, CustomerEmail.match),
    "phone": (CustomerPhone.customer_id, CustomerPhone.e164),
    "name": (Customer.id, Customer.fold_name),
}
"""Whose it is and what is shared, by reason."""


def _alike(*reasons: str, seen: sa.ColumnElement[bool] | None = None) -> sa.Select[Any]:
    """Reasons and ids of the first living customers who share what is said for each reason."""
    parts = []
    for place, reason in enumerate(reasons):
        owner, value = _SHARED[reason]
        ids = sa.select(owner).where(value.in_(sa.bindparam(reason, expanding=True)))
        wanted = sa.select(sa.literal(place).label("place"), sa.literal(reason).label("reason"), Customer.id)
        wanted = wanted.where(Customer.id.in_(ids), _living(Customer), *([] if seen is None else [seen]))
        parts.append(sa.select(wanted.order_by(Customer.id).limit(LIKELY).subquery()))
    every = sa.union_all(*parts).subquery()
    return sa.select(every.c.reason, every.c.id).order_by(every.c.place, every.c.id)


_alike_anywhere = lru_cache(maxsize=16)(_alike)
