"""Pages of customers in the order of a list, read by key, however few or many of a million the list lets through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.models import Customer

COUNTED_AT_MOST = 1000

Position = tuple[str, int]
R = TypeVar("R")
S = TypeVar("S")
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Page(Generic[R]):
    """A page of a list. ``before`` and ``after`` are where the neighbouring pages begin, None where there is none.

    ``count`` is how many the whole list has, counted no further than ``COUNTED_AT_MOST`` + 1.
    """

    rows: list[R]
    before: Position | None
    after: Position | None
    count: int

    def holding(self, rows: list[S]) -> Page[S]:
        """The same page with its rows in another shape."""
        return Page(rows, self.before, self.after, self.count)


def counted(session: Session, conditions: Sequence[Condition]) -> tuple[int, Condition]:
    """How many customers fulfil ``conditions``, counted to ``COUNTED_AT_MOST`` + 1, and a condition that finds so many fast, in order.

    Few are gathered first and then put in order. Of many the first ones are met soon on the way through the order itself, and gathering
    all of them would take long. No planner knows beforehand which of the two it is.
    """
    some = sa.select(Customer.id).where(*conditions).limit(COUNTED_AT_MOST + 1)
    count = session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0
    if count <= COUNTED_AT_MOST:
        return count, Customer.id.in_(some.correlate(None))
    # No index can serve what stands inside a function; each stands in one of its own, for the dear ones to be asked last.
    return count, sa.and_(*(sa.func.coalesce(one, sa.false()) for one in conditions))


def read(
    session: Session,
    columns: Sequence[Any],
    conditions: Sequence[Condition],
    *,
    after: Position | None = None,
    before: Position | None = None,
    limit: int,
    newest: bool = False,
) -> Page[sa.Row[Any]]:
    """The page after or before a position: by name, or with ``newest`` those added last first."""
    count, condition = counted(session, conditions)
    # Ids are given in the order of creation.
    keys = (Customer.id,) if newest else (Customer.fold_name, Customer.id)
    backwards = before is not None
    falling = backwards != newest
    statement = sa.select(*columns).where(condition)
    if position := before or after:
        place, bound = sa.tuple_(*keys), sa.tuple_(*map(sa.literal, position[-len(keys) :]))
        statement = statement.where(place < bound if falling else place > bound)
    order = [key.desc() if falling else key for key in keys]
    rows = list(session.execute(statement.order_by(*order).limit(limit + 1)).all())
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    first, last = ((row.fold_name, row.id) for row in (rows[0], rows[-1])) if rows else (None, None)
    has_before, has_after = (more, True) if backwards else (position is not None, more)
    return Page(rows, first if has_before else None, last if has_after else None, count)
