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
LIVING = sa.and_(Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None))

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


class Gathered(NamedTuple):
    """How many customers were found, counted to ``COUNTED_AT_MOST`` + 1, and a condition that finds them fast, with its values."""

    amount: int
    condition: Condition
    values: dict[str, Any]


def gathered(session: Session, conditions: Sequence[Condition]) -> Gathered:
    """Look for the customers that fulfil ``conditions``.

    Few are remembered by their ids, and put in order afterwards. Of many the first ones are met soon on the way through the order itself,
    and gathering all of them would take long. No planner knows beforehand which of the two it is.
    """
    if session.autoflush:
        session.flush()
    connection, asked = session.connection(), tuple(conditions)
    # Nearly all there are: met at once on the way through the order, so that nobody's id is needed.
    if len(asked) == 1 and asked[0] is LIVING:
        return Gathered(connection.execute(_HOW_MANY).scalar_one(), LIVING, {})
    on_sqlite = connection.dialect.name == "sqlite"
    count, ids = connection.execute(_gathering(asked, on_sqlite=on_sqlite)).one()
    if count > COUNTED_AT_MOST:
        return Gathered(count, _many(asked), {})
    return Gathered(count, _AMONG[on_sqlite], {"gathered": ids or []})


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
    count, condition, values = gathered(session, conditions)
    backwards, position = before is not None, before or after
    statement = _page(tuple(columns), condition, newest=newest, falling=backwards != newest, placed=position is not None)
    values["most"] = limit + 1
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


_HOW_MANY = sa.select(sa.func.count()).select_from(sa.select(Customer.id).where(LIVING).limit(COUNTED_AT_MOST + 1).subquery())


# The conditions of the whole list are the same each time: to put its statements together takes as long as to ask them.
@lru_cache(maxsize=64)
def _gathering(conditions: tuple[Condition, ...], *, on_sqlite: bool) -> sa.Select[tuple[int, Any]]:
    some = sa.select(Customer.id).where(*conditions).limit(COUNTED_AT_MOST + 1).subquery()
    ids = sa.func.json_group_array(some.c.id) if on_sqlite else sa.func.array_agg(some.c.id)
    return sa.select(sa.func.count(), ids).select_from(some)


@lru_cache(maxsize=64)
def _many(conditions: tuple[Condition, ...]) -> Condition:
    # No index can serve what stands inside a function; each stands in one of its own, for the dear ones to be asked last.
    return sa.and_(*(sa.func.coalesce(one, sa.false()) for one in conditions))


_ids = sa.bindparam("gathered", type_=sa.ARRAY(sa.BigInteger))
_each_id = sa.func.json_each(sa.bindparam("gathered", type_=sa.Text)).table_valued("value")
# Whether a customer is one of those gathered: first as PostgreSQL is asked, then as SQLite is.
_AMONG: tuple[Condition, Condition] = (Customer.id == sa.func.any(_ids), Customer.id.in_(sa.select(_each_id.c.value)))


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
