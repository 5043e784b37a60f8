"""Pages of customers in the order of a list, read by key, however few or many of a million the list lets through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

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
    asked = _ways(tuple(conditions))
    if session.autoflush:
        session.flush()
    count: int = session.connection().execute(asked.counting).scalar_one()
    return count, asked.few if count <= COUNTED_AT_MOST else asked.many


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
    backwards, position = before is not None, before or after
    statement = _page(tuple(columns), condition, newest=newest, falling=backwards != newest, placed=position is not None)
    values: dict[str, Any] = {"most": limit + 1}
    if position:
        values |= zip(("place_name", "place_id"), position, strict=True)
    # Past the ORM: these are plain columns, and its way of loading them takes longer than reading them.
    rows = list(session.connection().execute(statement, values).all())
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    first, last = ((row.fold_name, row.id) for row in (rows[0], rows[-1])) if rows else (None, None)
    has_before, has_after = (more, True) if backwards else (position is not None, more)
    return Page(rows, first if has_before else None, last if has_after else None, count)


class _Ways(NamedTuple):
    counting: sa.Select[Any]
    few: Condition
    many: Condition


# The conditions of the whole list are the same each time: to put its statements together takes as long as to ask them.
@lru_cache(maxsize=64)
def _ways(conditions: tuple[Condition, ...]) -> _Ways:
    some = sa.select(Customer.id).where(*conditions).limit(COUNTED_AT_MOST + 1)
    # No index can serve what stands inside a function; each stands in one of its own, for the dear ones to be asked last.
    many = sa.and_(*(sa.func.coalesce(one, sa.false()) for one in conditions))
    return _Ways(sa.select(sa.func.count()).select_from(some.subquery()), Customer.id.in_(some.correlate(None)), many)


@lru_cache(maxsize=64)
def _page(columns: tuple[Any, ...], condition: Condition, *, newest: bool, falling: bool, placed: bool) -> sa.Select[Any]:
    # Ids are given in the order of creation.
    keys = (Customer.id,) if newest else (Customer.fold_name, Customer.id)
    places = (sa.bindparam("place_name", type_=sa.String), sa.bindparam("place_id", type_=Customer.id.type))[-len(keys) :]
    statement = sa.select(*columns).where(condition)
    if placed:
        place, bound = sa.tuple_(*keys), sa.tuple_(*places)
        statement = statement.where(place < bound if falling else place > bound)
    return statement.order_by(*(key.desc() if falling else key for key in keys)).limit(sa.bindparam("most", type_=sa.Integer))
