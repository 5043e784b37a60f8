"""Many rows at once: a constant number of statements per batch, whatever its size, on both databases.

Values are given as Python sees them (``Decimal``, ``datetime``); each column's type turns them into what the database keeps.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, lru_cache, partial
from itertools import chain, islice
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api import _prepared
from regulars_plugin_api.db import UtcDateTime
from regulars_plugin_api.exchange import Journal

FIRST_WRITE = "first_write"
_CONVERTED_AT_ONCE = 2000
_FEW = 20
_Conversion = Callable[[Iterable[Sequence[Any]]], Iterable[Sequence[Any]]]


def reserve_ids(session: Session, table: sa.Table, amount: int) -> Sequence[int]:
    """``amount`` new ascending ids of ``table``, given to nobody else.

    This transaction inserts rows under them, before any rows of ``table`` that get their ids from the database.
    """
    return reserve_ids_of(session, (table, amount))[0]


def reserve_ids_of(session: Session, *wanted: tuple[sa.Table, int]) -> list[Sequence[int]]:
    """``reserve_ids`` for several tables at once, in their order."""
    if not any(amount for _table, amount in wanted):
        return [()] * len(wanted)
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        found: list[list[int]] = [[] for _table in wanted]
        asked: dict[str, Any] = {}
        for place, (table, amount) in enumerate(wanted):
            asked |= {f"name{place}": table.name, f"amount{place}": amount}
        for place, number in _prepared.rows(connection, _next_ids(len(wanted)), asked):
            found[place].append(number)
        return list(found)
    # SQLite counts on from the highest id that is inserted, and who writes before an optimistic transaction does has it start again:
    # nothing is to be written here, and the write lock not yet taken.
    reserved: dict[str, int] = session.info.setdefault("reserved_ids", {})
    # All of them: there is one for each table, and to look for some would read as many.
    last: dict[str, int] = dict(_prepared.rows(connection, _LAST_IDS))
    ranges: list[Sequence[int]] = []
    for table, amount in wanted:
        first = max(last.get(table.name) or 0, reserved.get(table.name, 0)) + 1
        reserved[table.name] = first + amount - 1
        ranges.append(range(first, first + amount))
    return ranges


@cache
def _next_ids(tables: int) -> sa.TextualSelect:
    # A sequence is looked up once, not for every number.
    each = (
        f"SELECT {place}, nextval(sequence.name) FROM (SELECT pg_get_serial_sequence(:name{place}, 'id')::regclass AS name OFFSET 0)"  # noqa: S608
        f" AS sequence, generate_series(1, :amount{place})"
        for place in range(tables)
    )
    return sa.text(" UNION ALL ".join(each)).columns(sa.column("place"), sa.column("number"))


_LAST_IDS = sa.text("SELECT name, seq FROM sqlite_sequence").columns(sa.column("name"), sa.column("seq"))


def _note_first_write(session: Session) -> None:
    # From here on SQLite's write lock is held; the import engine sizes its batches by how long.
    session.info.setdefault(FIRST_WRITE, time.perf_counter())


def insert_rows(session: Session, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert ``rows`` (tuples in the order of ``columns``) by COPY or ``executemany``. Column defaults of the model are not applied."""
    _note_first_write(session)
    connection = session.connection()
    _load(connection, table.name, columns, _inserted(connection, table, columns)(rows))


def update_rows(session: Session, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set ``columns`` of the rows named by the first value of each tuple: ``(id, value, …)``."""
    writes = PreparedWrites(session)
    writes.update(table, columns, rows)
    writes.write()


class PreparedWrites:
    """Rows made ready for the driver as they are given, and put in all at once by ``write``.

    Others wait for SQLite's write lock no longer than putting them in takes, and few rows are one journey to PostgreSQL.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._connection = session, session.connection()
        self._writes: list[Callable[[], None]] = []
        self._are_few = True

    def insert(self, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Like ``insert_rows``, later."""
        if ready := list(_inserted(self._connection, table, columns)(rows)):
            self._add(partial(_load, self._connection, table.name, columns, ready), len(ready))

    def update(self, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Like ``update_rows``, later."""
        convert = _converter(self._connection.dialect, table.c.id.type, *(table.c[name].type for name in columns))
        if ready := [(*values[1:], values[0]) for values in convert(rows)]:
            mark = "?" if self._connection.dialect.name == "sqlite" else "%s"
            assignments = ", ".join(f'"{name}" = {mark}' for name in columns)
            statement = f'UPDATE "{table.name}" SET {assignments} WHERE id = {mark}'  # noqa: S608 - names come from the model
            self._add(partial(_cursor(self._connection).executemany, statement, ready), len(ready))

    def write(self) -> None:
        """Put everything in, in the order it was given."""
        if self._writes:
            _note_first_write(self._session)
        with _one_journey(self._connection) if self._are_few and len(self._writes) > 1 else nullcontext():
            for write in self._writes:
                write()
        self._writes.clear()
        self._are_few = True

    def _add(self, write: Callable[[], None], rows: int) -> None:
        self._writes.append(write)
        self._are_few &= rows <= _FEW


def _inserted(connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> _Conversion:
    return _converter(connection.dialect, *(table.c[name].type for name in columns))


def delete_rows(session: Session, table: sa.Table, ids: Iterable[int]) -> None:
    """Delete the rows of ``table`` with these ids."""
    with staged(session, {"id": table.c.id.type}, ((one,) for one in ids)) as doomed:
        session.execute(sa.delete(table).where(table.c.id.in_(sa.select(doomed.c.id))))


@contextmanager
def journaling(session: Session) -> Iterator[Journal]:
    """The journal of changes, for bulk writers outside an import: what it is told of is written into it at the end of the block.

    What the ORM flushes is journaled without being told.
    """
    journal = session.info["journal"]()
    yield journal
    journal.write(session, actor_id=session.info["actor_id"], cause=session.info["cause"] or "system", at=session.info["at"])


@contextmanager
def staged(session: Session, columns: Mapping[str, sa.types.TypeEngine[Any]], rows: Iterable[Sequence[Any]]) -> Iterator[sa.TableClause]:
    """A staging table holding ``rows``, to be joined with; private to this connection and empty after the block.

    ``columns`` gives each column's name and type in the order of the tuples.
    """
    connection = session.connection()
    dialect = connection.dialect
    definitions = ", ".join(f'"{column}" {kind.compile(dialect)}' for column, kind in columns.items())
    # One name per shape and depth: a statement that joins with it is compiled and planned once, not for every batch.
    depth = session.info.get("staging_depth", 0) + 1
    name = f"staging_{depth}_{crc32(definitions.encode()):08x}"
    is_new = _made(connection, name, definitions)
    _load(connection, name, list(columns), _converter(dialect, *columns.values())(rows))
    if is_new:
        # Without figures the planner takes a new table for large and scans what it is joined with.
        connection.exec_driver_sql(f'ANALYZE "{name}"')
    session.info["staging_depth"] = depth
    try:
        yield sa.table(name, *(sa.column(column, kind) for column, kind in columns.items()))
    finally:
        session.info["staging_depth"] = depth - 1
        if connection.in_transaction() and not connection.invalidated and session.is_active and not _has_failed(connection):
            connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{name}"' if dialect.name == "postgresql" else f'DELETE FROM "{name}"')  # noqa: S608


def _has_failed(connection: sa.Connection) -> bool:
    """Whether PostgreSQL listens to nothing more in this transaction or savepoint; what was made in it goes with it."""
    driver: Any = connection.connection.driver_connection
    return connection.dialect.name == "postgresql" and driver.info.transaction_status.name == "INERROR"


def _made(connection: sa.Connection, name: str, definitions: str) -> bool:
    """Make the staging table, unless this connection has it: on SQLite each change of the schema has every statement planned anew."""
    if connection.dialect.name == "sqlite":
        known = connection.exec_driver_sql("SELECT 1 FROM sqlite_temp_master WHERE name = ?", (name,)).first()
        if known:
            return False
    connection.exec_driver_sql(f'CREATE TEMPORARY TABLE "{name}" ({definitions})')
    return True


def _load(connection: sa.Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    names, on_sqlite = ", ".join(f'"{name}"' for name in columns), connection.dialect.name == "sqlite"
    marks = ", ".join(["?" if on_sqlite else "%s"] * len(columns))
    insert = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names come from the model
    left = iter(rows)
    first = list(islice(left, _FEW + 1))
    if len(first) <= _FEW:
        _insert_few(connection, insert, first)
    elif on_sqlite:
        _cursor(connection).executemany(insert, chain(first, left))
    else:
        # Three journeys to the server, and never prepared: COPY pays for many rows.
        with _cursor(connection).copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in chain(first, left):
                copy.write_row(row)


def _insert_few(connection: sa.Connection, insert: str, rows: Sequence[Sequence[Any]]) -> None:
    if connection.dialect.name == "postgresql" and _driver(connection).pgconn.pipeline_status:
        for row in rows:
            _driver(connection).execute(insert, row)
    elif rows and connection.dispatch.before_cursor_execute:
        # Somebody listens to statements.
        connection.exec_driver_sql(insert, [tuple(row) for row in rows])
    elif rows:
        with _as_told(connection):
            _cursor(connection).executemany(insert, rows)


@contextmanager
def _one_journey(connection: sa.Connection) -> Iterator[None]:
    """On PostgreSQL, nothing in the block waits for its answer; the answers come at its end."""
    if connection.dialect.name == "sqlite":
        yield
        return
    with _as_told(connection), _driver(connection).pipeline():
        yield


@contextmanager
def _as_told(connection: sa.Connection) -> Iterator[None]:
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as failure:
        raise _prepared.told(connection, failure) from failure


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


def _cursor(connection: sa.Connection) -> Any:
    return _driver(connection).cursor()


@lru_cache(maxsize=512)
def _converter(dialect: sa.Dialect, *kinds: sa.types.TypeEngine[Any]) -> _Conversion:
    """Rows as the driver wants them; the rows themselves where no column needs a change."""
    steps = [(index, step) for index, kind in enumerate(kinds) if (step := _column_step(dialect, kind)) is not None]
    if not steps:
        return lambda rows: rows

    def converted(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        left = iter(rows)
        while chunk := list(islice(left, _CONVERTED_AT_ONCE)):
            columns: list[Iterable[Any]] = list(zip(*chunk, strict=True))
            for index, step in steps:
                columns[index] = step(columns[index])
            yield from zip(*columns, strict=True)

    return converted


def _column_step(dialect: sa.Dialect, kind: sa.types.TypeEngine[Any]) -> Callable[[Iterable[Any]], Iterable[Any]] | None:
    """Turns a column of values into what the driver wants; None if it takes them as they are."""
    on_sqlite = dialect.name == "sqlite"
    if isinstance(kind, UtcDateTime):
        step: Callable[[Any], Any] | None = _sqlite_instant if on_sqlite else _utc
    elif isinstance(kind, sa.Date) and on_sqlite:
        step = dt.date.isoformat
    else:
        step = kind.dialect_impl(dialect).bind_processor(dialect)
    if step is None:
        return None
    convert = step
    if isinstance(kind, sa.JSON):
        # JSON tells 1 from True, which are one key of a dictionary.
        return lambda column: [None if value is None else convert(value) for value in column]

    def each_value_once(column: Iterable[Any]) -> Iterable[Any]:
        made = {value: None if value is None else convert(value) for value in set(column)}
        return map(made.__getitem__, column)

    return each_value_once


def _utc(value: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: an instant needs its offset")
    return value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)


def _sqlite_instant(value: dt.datetime) -> str:
    return _utc(value).isoformat(" ", "microseconds")[:26]
