"""Pages of customers in the order of a list, read by key, however few or many of a million the list lets through."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar, Unpack
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql import operators, visitors

from regulars_core.customers.models import Customer
from regulars_plugin_api.db import PLANNED_ANEW, read_rows

COUNTED_AT_MOST = 1000
FOUND_AT_MOST = 250
"""How many of a search are put in order: a trigram index finds the first few at once and reads itself from end to end for all."""
BELIEVED = 60.0
"""Seconds for which a list goes on saying "more than" without counting again."""
WALKED = 10_000
"""How many customers are passed in the order of a list before those it lets through are put in order themselves."""
LIVING = sa.and_(Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None))

Position = tuple[str, int]
R = TypeVar("R")
S = TypeVar("S")
_NAMES = ("fold_name", "fold_first", "fold_last")
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Page(Generic[R]):
    """A page of a list. ``before`` and ``after`` are where the neighbouring pages begin, None where there is none.

    ``count`` is how many the whole list has, counted no further than ``COUNTED_AT_MOST`` + 1, or ``FOUND_AT_MOST`` + 1 of a search.
    """

    rows: list[R]
    before: Position | None
    after: Position | None
    count: int

    def holding(self, rows: list[S]) -> Page[S]:
        """The same page with its rows in another shape."""
        return Page(rows, self.before, self.after, self.count)


class Place(TypedDict, total=False):
    """Where a page of a list begins or ends, and how long it is; by name, or with ``newest`` those added last first."""

    after: Position | None
    before: Position | None
    limit: int
    newest: bool


class Order(NamedTuple):
    """By name, or by id: ids are given in the order of creation."""

    by_name: bool = True
    falling: bool = False

    def keys(self, table: Any) -> tuple[Any, ...]:
        """What rows of ``table`` are put in order by."""
        return (table.fold_name, table.id) if self.by_name else (table.id,)

    def of(self, statement: sa.Select[Any], table: Any, *, placed: bool = False, limit: str | int | None = None) -> sa.Select[Any]:
        """``statement`` over ``table`` in this order: from a place on if it is ``placed``, and so many at most."""
        keys = self.keys(table)
        if placed:
            places = (sa.bindparam("place_name", type_=sa.String), sa.bindparam("place_id", type_=Customer.id.type))[-len(keys) :]
            here, there = sa.tuple_(*keys), sa.tuple_(*places)
            statement = statement.where(here < there if self.falling else here > there)
        # Written out: PostgreSQL keeps no plan of a statement that may want any number of rows.
        most = sa.bindparam(limit, type_=sa.Integer, literal_execute=True) if isinstance(limit, str) else limit
        return statement.order_by(*(key.desc() if self.falling else key for key in keys)).limit(most)


class Asked(NamedTuple):
    """Conditions on ``Customer``, and the values of what is open in them."""

    conditions: tuple[Condition, ...]
    values: Mapping[str, Any] = {}


class Gathered(NamedTuple):
    """How many customers were found, counted to ``COUNTED_AT_MOST`` + 1, and conditions that find them, with their values.

    ``walk`` is whether they are to be looked for on the way through the order of a list; if not, they are put in order themselves.
    ``some`` is whether those found first are meant, ``FOUND_AT_MOST`` + 1; their ``amount`` then stands beside each.
    """

    amount: int
    conditions: tuple[Condition, ...]
    values: Mapping[str, Any]
    walk: bool = False
    some: bool = False


def gathered(session: Session, asked: Asked) -> Gathered:
    """Look for the customers that are asked for.

    Few are remembered by their ids. Of many the first ones are most often met soon on the way through the order itself, and gathering all
    of them would take long.
    """
    # Nearly all there are: met at once, so that nobody's id is needed.
    if _is_whole(asked.conditions):
        return Gathered(read_rows(session, _HOW_MANY)[0][0], *asked, walk=True)
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    count, ids = read_rows(session, _gathering(asked.conditions, on_sqlite=on_sqlite), asked.values, PLANNED_ANEW)[0]
    if count > COUNTED_AT_MOST:
        return Gathered(count, *asked, walk=True)
    return Gathered(count, (_AMONG[on_sqlite],), {"gathered": ids or []})


def first(
    session: Session, columns: Sequence[Any], found: Gathered, order: Order, place: Sequence[Any] | None, most: int
) -> list[sa.Row[Any]]:
    """So many of the customers gathered, in order, after a place: name and id, or the id where that is the order."""
    values = {**found.values, "most": most, **dict(zip(("place_id", "place_name"), reversed(place or ()), strict=False))}
    asked, placed = (tuple(columns), found.conditions, order), place is not None
    planned = None if _is_whole(found.conditions) or "gathered" in found.values else PLANNED_ANEW
    if found.walk:
        rows = read_rows(session, _walked(*asked, placed=placed), values, planned)
        if len(rows) == most or _is_whole(found.conditions):
            return list(rows)
    statement = _sorted(*asked, placed=placed, some_on=session.get_bind().dialect.name if found.some else None)
    return list(read_rows(session, statement, values, planned))


def read(session: Session, columns: Sequence[Any], asked: Asked, *, first_found: bool = False, **place: Unpack[Place]) -> Page[sa.Row[Any]]:
    """The page after or before a position. With ``first_found`` the list has the ``FOUND_AT_MOST`` + 1 found first, and no others."""
    before, limit, newest = place.get("before"), place.get("limit", 50), place.get("newest", False)
    backwards, position = before is not None, before or place.get("after")
    is_whole, order = _is_whole(asked.conditions), Order(not newest, backwards != newest)
    at_once = Gathered(0, *asked, walk=is_whole, some=not is_whole) if is_whole or first_found else None
    found = at_once or gathered(session, asked)
    beside = [_MORE if time.monotonic() < _many.get(session.get_bind(), 0) else _AMOUNT] if is_whole else []
    rows = first(session, (*columns, *beside), found, order, position, limit + 1)
    # How many there are stands beside each: one statement for the pages that are opened most.
    amount = rows[0].amount if at_once and rows else gathered(session, asked).amount if at_once and position else found.amount
    amount = min(amount, FOUND_AT_MOST + 1) if found.some else amount
    more, rows = len(rows) > limit, rows[:limit]
    if beside and beside[0] is _AMOUNT and amount > COUNTED_AT_MOST:
        _many[session.get_bind()] = time.monotonic() + BELIEVED
    if backwards:
        rows.reverse()
    begin, end = ((row.fold_name, row.id) for row in (rows[0], rows[-1])) if rows else (None, None)
    has_before, has_after = (more, True) if backwards else (position is not None, more)
    return Page(rows, begin if has_before else None, end if has_after else None, amount if more or position else len(rows))


def _is_whole(conditions: Sequence[Condition]) -> bool:
    return len(conditions) == 1 and conditions[0] is LIVING


_HOW_MANY = sa.select(sa.func.count()).select_from(sa.select(Customer.id).where(LIVING).limit(COUNTED_AT_MOST + 1).subquery())
_AMOUNT = _HOW_MANY.scalar_subquery().label("amount")
_MORE: sa.ColumnElement[int] = sa.literal_column(str(COUNTED_AT_MOST + 1), sa.Integer).label("amount")
# Databases that had more customers than are counted, and until when that is believed.
_many: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
_ids = sa.bindparam("gathered", type_=sa.ARRAY(sa.BigInteger))
_each_id = sa.func.json_each(sa.bindparam("gathered", type_=sa.Text)).table_valued("value")
# Whether a customer is one of those gathered: first as PostgreSQL is asked, then as SQLite is.
_AMONG: tuple[Condition, Condition] = (Customer.id == sa.func.any(_ids), Customer.id.in_(sa.select(_each_id.c.value)))


# The conditions of the whole list are the same each time: to put its statements together takes as long as to ask them.
@lru_cache(maxsize=64)
def _gathering(conditions: tuple[Condition, ...], *, on_sqlite: bool) -> sa.Select[tuple[int, Any]]:
    some = _some(conditions, COUNTED_AT_MOST + 1, Customer.id, on_sqlite=on_sqlite).subquery()
    ids = sa.func.json_group_array(some.c.id) if on_sqlite else sa.func.array_agg(some.c.id)
    return sa.select(sa.func.count(), ids).select_from(some)


def _some(conditions: Sequence[Condition], most: int, *columns: Any, on_sqlite: bool) -> sa.Select[Any]:
    """Those found first."""
    if not on_sqlite:
        # PostgreSQL reads all that an OR lets through; each of its ranges alone is read from an index, and no further than needed.
        parts, ranges = _ranges(conditions)
        each = [sa.select(*columns).where(*parts, one).limit(most) for one in ranges]
        return sa.select(sa.union(*each).subquery()).limit(most) if each else sa.select(*columns).where(*parts).limit(most)
    source, others = _source(conditions)
    wanted = sa.select(*columns).where(*others)
    if source is not None:
        # SQLite makes a list of all that stand in an IN (SELECT …) before it looks at the first; joined, it stops when it has enough.
        wanted = wanted.join_from(members := source.subquery(), Customer, Customer.id == members.c[0]).distinct()
    return wanted.limit(most)


def _ranges(conditions: Sequence[Condition]) -> tuple[list[Condition], list[Condition]]:
    """The first of ``conditions`` that says between what the names of a customer lie, as its alternatives; and before them the others."""
    parts = [part for one in conditions for part in _conjuncts(one)]
    for place, part in enumerate(parts):
        ranges = list(part.clauses) if isinstance(part, sa.BooleanClauseList) and part.operator is operators.or_ else []
        if ranges and all(getattr(getattr(bound, "left", None), "key", None) in _NAMES for one in ranges for bound in _conjuncts(one)):
            return parts[:place] + parts[place + 1 :], ranges
    return parts, []


def _source(conditions: Sequence[Condition]) -> tuple[sa.Select[Any] | None, list[Condition]]:
    """A SELECT that ``conditions`` want the id to be among, and the other conditions."""
    parts = [part for one in conditions for part in _conjuncts(one)]
    place = next((place for place, one in enumerate(parts) if _members(one) is not None), None)
    return (None, parts) if place is None else (_members(parts[place]), parts[:place] + parts[place + 1 :])


def _members(one: Condition) -> sa.Select[Any] | None:
    """The SELECT in ``customer.id IN (SELECT …)``."""
    if isinstance(one, sa.BinaryExpression) and one.operator is operators.in_op and one.left.shares_lineage(Customer.__table__.c.id):
        found = getattr(one.right, "element", None)
        # One that speaks of customers itself may mean the customer that is asked about: it stays where it is.
        return found if isinstance(found, sa.Select) and "customer" not in _tables(found) else None
    return None


def _tables(statement: sa.Select[Any]) -> set[str]:
    return {one.name for one in visitors.iterate(statement) if isinstance(one, sa.TableClause)}


def _probed(one: Condition) -> Condition:
    """The same, asked of each customer that is met: where many are members, to list all of them takes longer."""
    found = _members(one)
    if found is None or found._limit_clause is not None:
        return one
    # Whatever else the id is read from, as a full-text table, is quicker at finding all than at finding one.
    key = found.selected_columns[0]
    return found.where(key == Customer.id).correlate(Customer).exists() if isinstance(key, sa.Column) else one


def _conjuncts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, sa.BooleanClauseList) and condition.operator is operators.and_:
        for one in condition.clauses:
            yield from _conjuncts(one)
    else:
        yield condition


@lru_cache(maxsize=64)
def _walked(columns: tuple[Any, ...], conditions: tuple[Condition, ...], order: Order, *, placed: bool) -> sa.Select[Any]:
    if _is_whole(conditions):
        return order.of(sa.select(*columns).where(*conditions), Customer, placed=placed, limit="most")
    # No index can serve what stands inside a function; each stands in one of its own, for the dear ones to be asked last.
    parts = (_probed(part) for one in conditions for part in _conjuncts(one))
    statement = sa.select(*columns).where(*(sa.func.coalesce(part, sa.false()) for part in parts))
    key = order.keys(Customer)[0]
    passed = order.of(sa.select(key.label("key")), Customer, placed=placed, limit=WALKED).subquery()
    edge = sa.select(sa.func.min(passed.c.key) if order.falling else sa.func.max(passed.c.key)).scalar_subquery()
    statement = statement.where(key >= edge if order.falling else key <= edge)
    return order.of(statement, Customer, placed=placed, limit="most")


@lru_cache(maxsize=64)
def _sorted(
    columns: tuple[Any, ...], conditions: tuple[Condition, ...], order: Order, *, placed: bool, some_on: str | None
) -> sa.Select[Any]:
    keys = (Customer.id, Customer.fold_name)
    some = _some(conditions, FOUND_AT_MOST + 1, *keys, on_sqlite=some_on == "sqlite") if some_on else None
    meant: Any = sa.select(*keys).where(*conditions) if some is None else some
    # Materialized, for no planner to look for them on the way; and columns are found out for those of the page alone.
    found = meant.cte("found").prefix_with("MATERIALIZED")
    ids = order.of(sa.select(found.c.id), found.c, placed=placed, limit="most")
    amount = sa.select(sa.func.count()).select_from(found).scalar_subquery().label("amount")
    return order.of(sa.select(*columns, *([amount] if some_on else [])).where(Customer.id.in_(ids)), Customer)
