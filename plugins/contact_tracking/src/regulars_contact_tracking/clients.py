"""Client books: whose client a customer is, what an associate keeps in mind of them, and who has not been seen for long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Client, Detail, DetailKind, FollowUp, Interaction, Rank
from regulars_plugin_api.db import customers, users
from regulars_plugin_api.errors import NotFound

LARGEST_BOOK = 500
LAPSING_AFTER = dt.timedelta(days=90)
SOON = 30
"""Days ahead that a key date counts as near."""


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


def take(session: Session, customer_id: int, user_id: int, rank: Rank = Rank.PRIMARY) -> None:
    """Put a customer into somebody's book. A new first associate makes the old one a second."""
    row = _entry(session, customer_id, user_id)
    if rank is Rank.PRIMARY:
        for other in session.scalars(sa.select(Client).where(Client.customer_id == customer_id, Client.rank == Rank.PRIMARY)):
            other.rank = Rank.SECONDARY
    if row is None:
        session.add(Client(customer_id=customer_id, user_id=user_id, rank=rank, star=False))
    else:
        row.rank = rank
    session.flush()


def release(session: Session, customer_id: int, user_id: int) -> None:
    """Take a customer out of somebody's book."""
    row = _entry(session, customer_id, user_id)
    if row is not None:
        session.delete(row)
        session.flush()


def star(session: Session, customer_id: int, user_id: int) -> None:
    """Mark a client of one's own, or take the mark off again. Raises ``NotFound``."""
    row = _entry(session, customer_id, user_id)
    if row is None:
        raise NotFound(_("This customer is not in your client book."))
    row.star = not row.star
    session.flush()


def associates(session: Session, customer_id: int) -> Sequence[tuple[int, str, Rank, bool]]:
    """Whose client a customer is, in the first place first: user id, name, rank, star."""
    query = (
        sa.select(users.c.id, users.c.name, Client.rank, Client.star)
        .join(users, users.c.id == Client.user_id)
        .where(Client.customer_id == customer_id)
        .order_by(Client.rank, users.c.name, users.c.id)
    )
    return [(row.id, row.name, row.rank, row.star) for row in session.execute(query)]


def details(session: Session, customer_id: int) -> Mapping[DetailKind, Sequence[Detail]]:
    """Sizes, wishes and key dates of a customer."""
    rows = session.scalars(sa.select(Detail).where(Detail.customer_id == customer_id).order_by(Detail.kind, Detail.title, Detail.id)).all()
    return {kind: [row for row in rows if row.kind is kind] for kind in DetailKind}


def add_detail(session: Session, customer_id: int, fields: Mapping[str, Any]) -> int:
    """Keep a size, wish or key date in mind; its id."""
    row = Detail(customer_id=customer_id, **fields)
    session.add(row)
    session.flush()
    return row.id


def remove_detail(session: Session, customer_id: int, detail_id: int) -> None:
    """Forget one. Raises ``NotFound``."""
    row = session.scalar(sa.select(Detail).where(Detail.id == detail_id, Detail.customer_id == customer_id))
    if row is None:
        raise NotFound
    session.delete(row)
    session.flush()


def book(session: Session, user_id: int, today: dt.date, bought: Mapping[int, dt.date]) -> Sequence[ClientView]:
    """Somebody's clients, those with a star first, then by name; at most ``LARGEST_BOOK``.

    ``bought`` is the last purchase of each client, if anybody knows.
    """
    rows = session.execute(_clients(user_id).order_by(Client.star.desc(), customers.c.display_name, Client.customer_id)).all()
    ids = [row.customer_id for row in rows]
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


def ids_of(session: Session, user_id: int) -> Sequence[int]:
    """The customers in somebody's book."""
    return [row.customer_id for row in session.execute(_clients(user_id))]


def near(days: Sequence[tuple[str, dt.date]], today: dt.date) -> list[tuple[str, dt.date]]:
    """Those key dates whose next anniversary is near, soonest first."""
    coming = sorted((_next(day, today), title) for title, day in days)
    return [(title, day) for day, title in coming if (day - today).days <= SOON]


def _next(day: dt.date, today: dt.date) -> dt.date:
    this_year = _in_year(day, today.year)
    return this_year if this_year >= today else _in_year(day, today.year + 1)


def _in_year(day: dt.date, year: int) -> dt.date:
    try:
        return day.replace(year=year)
    except ValueError:
        # Born on a leap day: kept on the last of February in other years.
        return dt.date(year, 2, 28)


def _entry(session: Session, customer_id: int, user_id: int) -> Client | None:
    return session.scalar(sa.select(Client).where(Client.customer_id == customer_id, Client.user_id == user_id).with_for_update())


def _clients(user_id: int) -> sa.Select[Any]:
    return (
        sa.select(Client.customer_id, Client.rank, Client.star, customers.c.display_name, customers.c.birthday)
        .join(customers, customers.c.id == Client.customer_id)
        .where(Client.user_id == user_id, customers.c.deleted_at.is_(None), customers.c.merged_into_id.is_(None))
        .limit(LARGEST_BOOK)
    )


def _of_each(session: Session, customer_id: Any, value: Any, *conditions: sa.ColumnElement[bool]) -> dict[int, dt.date]:
    query = sa.select(customer_id, value).where(*conditions).group_by(customer_id)
    return {row[0]: row[1] for row in session.execute(query)}
