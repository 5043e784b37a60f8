"""A client book read page by page: all clients, those lapsing, those with a star, those with a key date soon."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking.models import Client, Detail, DetailKind, FollowUp, Interaction, Rank
from regulars_plugin_api.db import customers
from regulars_plugin_api.rest import Place

LAPSING_AFTER = dt.timedelta(days=90)
SOON = 30
"""Days ahead that a key date counts as near."""
LEAP_DAY = dt.date(2000, 2, 29)
PLACE = Place(int, str, int)
Condition = sa.ColumnElement[bool]
Number = sa.ColumnElement[int]


class Which(enum.Enum):
    """Whom of a book to show."""

    ALL = "all"
    LAPSING = "lapsing"
    STARRED = "starred"
    DATES = "dates"


@dataclass(frozen=True)
class Purchases:
    """What somebody knows of clients' last purchases: the day of each, and whether one was after a day."""

    last_of: Callable[[Sequence[int]], Mapping[int, dt.date]]
    after: Callable[[Number, dt.date], Condition]


@dataclass(frozen=True)
class ClientView:
    """A customer in somebody's book."""

    customer_id: int
    name: str
    rank: Rank
    star: bool
    last_contact: dt.date | None
    last_purchase: dt.date | None
    next_step: dt.date | None
    near: tuple[tuple[str, dt.date], ...]
    """Key dates of the next weeks: what, and the day; the birthday is called by no name."""

    @property
    def last_seen(self) -> dt.date | None:
        """The last day of either a contact or a purchase."""
        return max((day for day in (self.last_contact, self.last_purchase) if day is not None), default=None)

    def is_lapsing(self, today: dt.date) -> bool:
        """Whether nothing was heard for long."""
        return self.last_seen is None or self.last_seen < today - LAPSING_AFTER


def page(
    session: Session, user_id: int, today: dt.date, which: Which, purchases: Purchases | None, *, after: str | None, limit: int
) -> tuple[Sequence[ClientView], str | None]:
    """Clients of ``user_id`` after the place ``after``, and the place of the next page. Raises ``InvalidInput`` for what is no place.

    All and those with a star: the star first, then by name. Lapsing: the longest without a contact first. Key dates: the soonest first.
    """
    order, condition = _order(which, today, purchases)
    key = (order, customers.c.display_name, Client.customer_id)
    query = (
        sa.select(Client.customer_id, Client.rank, Client.star, customers.c.display_name, customers.c.birthday, order.label("place"))
        .join(customers, customers.c.id == Client.customer_id)
        .where(Client.user_id == user_id, customers.c.deleted_at.is_(None), customers.c.merged_into_id.is_(None), condition)
        .order_by(*key)
        .limit(limit + 1)
    )
    if (place := PLACE.read(after)) is not None:
        query = query.where(sa.tuple_(*key) > sa.tuple_(*(sa.literal(value) for value in place)))
    found = session.execute(query).all()
    rows = found[:limit]
    following = PLACE.cursor(rows[-1].place, rows[-1].display_name, rows[-1].customer_id) if len(found) > limit else None
    return _views(session, rows, today, purchases), following


def is_empty(session: Session, user_id: int) -> bool:
    """Whether nobody is in the book."""
    return not session.scalar(sa.select(sa.exists().where(Client.user_id == user_id)))


def near(days: Sequence[tuple[str, dt.date]], today: dt.date) -> list[tuple[str, dt.date]]:
    """Those key dates whose next anniversary is near, soonest first."""
    coming = sorted((_next(day, today), title) for title, day in days)
    return [(title, day) for day, title in coming if (day - today).days <= SOON]


def _order(which: Which, today: dt.date, purchases: Purchases | None) -> tuple[Number, Condition]:
    """What comes before the name in the order, and who is shown."""
    if which is Which.LAPSING:
        last = sa.select(sa.func.max(Interaction.business_date)).where(Interaction.customer_id == Client.customer_id).scalar_subquery()
        since = today - LAPSING_AFTER
        bought = purchases.after(customers.c.id, since - dt.timedelta(days=1)) if purchases else sa.false()
        unheard = sa.or_(last.is_(None), last < since)
        number = sa.extract("year", last) * 10_000 + sa.extract("month", last) * 100 + sa.extract("day", last)
        return sa.cast(sa.func.coalesce(number, 0), sa.Integer), sa.and_(unheard, sa.not_(sa.func.coalesce(bought, sa.false())))
    if which is Which.DATES:
        soonest = _days_until_the_next(today)
        return soonest, soonest.is_not(None)
    return sa.case((Client.star, 0), else_=1), sa.or_(sa.true() if which is Which.ALL else sa.false(), Client.star)


def _days_until_the_next(today: dt.date) -> Number:
    """Days until a client's next key date, NULL if none is near."""
    details = sa.select(sa.func.min(days_until(Detail.day, today)))
    of_details = details.where(Detail.customer_id == Client.customer_id, Detail.kind == DetailKind.DAY).scalar_subquery()
    birthday = days_until(customers.c.birthday, today)
    # LEAST and MIN of two differ between databases in what they make of NULL.
    return sa.case((sa.func.coalesce(of_details, SOON + 1) < sa.func.coalesce(birthday, SOON + 1), of_details), else_=birthday)


def days_until(day: Any, today: dt.date) -> Number:
    """Days from ``today`` until the next anniversary of ``day``, NULL if it is not near."""
    days = {}
    for ahead in range(SOON + 1):
        coming = today + dt.timedelta(days=ahead)
        days[_month_and_day(coming)] = ahead
        if coming == _in_year(LEAP_DAY, coming.year):
            days[_month_and_day(LEAP_DAY)] = ahead
    return sa.case(days, value=sa.cast(sa.extract("month", day) * 100 + sa.extract("day", day), sa.Integer))


def _month_and_day(day: dt.date) -> int:
    return day.month * 100 + day.day


def _views(session: Session, rows: Sequence[Any], today: dt.date, purchases: Purchases | None) -> Sequence[ClientView]:
    ids = [row.customer_id for row in rows]
    bought = purchases.last_of(ids) if purchases else {}
    contacts = _of_each(session, Interaction.customer_id, sa.func.max(Interaction.business_date), Interaction.customer_id.in_(ids))
    steps = _of_each(session, FollowUp.customer_id, sa.func.min(FollowUp.due_on), FollowUp.customer_id.in_(ids), FollowUp.done_at.is_(None))
    days: dict[int, list[tuple[str, dt.date]]] = {row.customer_id: [("", row.birthday)] if row.birthday else [] for row in rows}
    for detail in session.scalars(sa.select(Detail).where(Detail.customer_id.in_(ids), Detail.kind == DetailKind.DAY)):
        if detail.day is not None:
            days[detail.customer_id].append((detail.title, detail.day))
    return [
        ClientView(
            customer_id=row.customer_id,
            name=row.display_name,
            rank=row.rank,
            star=row.star,
            last_contact=contacts.get(row.customer_id),
            last_purchase=bought.get(row.customer_id),
            next_step=steps.get(row.customer_id),
            near=tuple(near(days[row.customer_id], today)),
        )
        for row in rows
    ]


def _next(day: dt.date, today: dt.date) -> dt.date:
    this_year = _in_year(day, today.year)
    return this_year if this_year >= today else _in_year(day, today.year + 1)


def _in_year(day: dt.date, year: int) -> dt.date:
    try:
        return day.replace(year=year)
    except ValueError:
        # Born on a leap day: kept on the last of February in other years.
        return dt.date(year, 2, 28)


def _of_each(session: Session, customer_id: Any, value: Any, *conditions: Condition) -> dict[int, dt.date]:
    query = sa.select(customer_id, value).where(*conditions).group_by(customer_id)
    return {row[0]: row[1] for row in session.execute(query)}
