"""Client books: whose client a customer is, and what an associate keeps in mind of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Client, Detail, DetailKind, Rank
from regulars_plugin_api.db import customers, users
from regulars_plugin_api.errors import NotFound


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
    """Keep a size, wish or key date in mind; its id. What is known already is not kept twice."""
    # Locked: the same form sent twice at once finds what the first made of it.
    session.execute(sa.select(customers.c.id).where(customers.c.id == customer_id).with_for_update())
    same = [getattr(Detail, name).is_not_distinct_from(value) for name, value in fields.items()]
    known = session.scalar(sa.select(Detail.id).where(Detail.customer_id == customer_id, *same).limit(1))
    if known is not None:
        return known
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


def _entry(session: Session, customer_id: int, user_id: int) -> Client | None:
    return session.scalar(sa.select(Client).where(Client.customer_id == customer_id, Client.user_id == user_id).with_for_update())
