"""Many rows at once: a constant number of statements per batch, whatever its size, on both databases.

Values are given as Python sees them (``Decimal``, ``datetime``); each column's type turns them into what the database keeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session

FIRST_WRITE = "first_write"


def reserve_ids(session: Session, table: sa.Table, amount: int) -> Sequence[int]:
    """``amount`` new ascending ids of ``table``, given to nobody else. Needs a writing transaction."""
    if amount == 0:
        return ()
    _note_first_write(session)
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        drawn = "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :amount)"
        return connection.execute(sa.text(drawn), {"name": table.name, "amount": amount}).scalars().all()
    # The writing transaction holds the only write lock, so nobody else can take these numbers.
    last = connection.execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}).scalar()
    bump = "UPDATE sqlite_sequence SET seq = :seq WHERE name = :name"
    if last is None:
        last, bump = 0, "INSERT INTO sqlite_sequence(name, seq) VALUES (:name, :seq)"
    connection.execute(sa.text(bump), {"name": table.name, "seq": last + amount})
    return range(last + 1, last + amount + 1)


def _note_first_write(session: Session) -> None:
    # From here on SQLite's write lock is held; the import engine sizes its batches by how long.
    session.info.setdefault(FIRST_WRITE, time.perf_counter())


def insert_rows(session: Session, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert ``rows`` (tuples in the order of ``columns``) by COPY or ``executemany``. Column defaults of the model are not applied."""
    _note_first_write(session)
    connection = session.connection()
    convert = _converter(connection.dialect, [table.c[name].type for name in columns])
    _load(connection, table.name, columns, convert(rows))


def update_rows(session: Session, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set ``columns`` of the rows named by the first value of each tuple: ``(id, value, …)``."""
    _note_first_write(session)
    connection = session.connection()
    convert = _converter(connection.dialect, [table.c.id.type, *(table.c[name].type for name in columns)])
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    assignments = ", ".join(f'"{name}" = {mark}' for name in columns)
    statement = f'UPDATE "{table.name}" SET {assignments} WHERE id = {mark}'  # noqa: S608 - names come from the model
    moved = [(*values[1:], values[0]) for values in convert(rows)]
    if moved:
        _cursor(connection).executemany(statement, moved)


def delete_rows(session: Session, table: sa.Table, ids: Iterable[int]) -> None:
    """Delete the rows of ``table`` with these ids."""
    with staged(session, {"id": table.c.id.type}, ((one,) for one in ids)) as doomed:
        session.execute(sa.delete(table).where(table.c.id.in_(sa.select(doomed.c.id))))


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
    _load(connection, name, list(columns), _converter(dialect, list(columns.values()))(rows))
    if is_new:
        # Without figures the planner takes a new table for large and scans what it is joined with.
        connection.exec_driver_sql(f'ANALYZE "{name}"')
    session.info["staging_depth"] = depth
    try:
        yield sa.table(name, *(sa.column(column, kind) for column, kind in columns.items()))
    finally:
        session.info["staging_depth"] = depth - 1
        if connection.in_transaction() and not connection.invalidated and session.is_active:
            connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{name}"' if dialect.name == "postgresql" else f'DELETE FROM "{name}"')  # noqa: S608


def _made(connection: sa.Connection, name: str, definitions: str) -> bool:
    """Make the staging table, unless this connection has it: on SQLite each change of the schema has every statement planned anew."""
    if connection.dialect.name == "sqlite":
        known = connection.exec_driver_sql("SELECT 1 FROM sqlite_temp_master WHERE name = ?", (name,)).first()
        if known:
            return False
    connection.exec_driver_sql(f'CREATE TEMPORARY TABLE "{name}" ({definitions})')
    return True


def _load(connection: sa.Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    cursor = _cursor(connection)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608 - names come from the model
        return
    with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def _cursor(connection: sa.Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()


def _converter(
    dialect: sa.Dialect, kinds: Sequence[sa.types.TypeEngine[Any]]
) -> Callable[[Iterable[Sequence[Any]]], Iterable[Sequence[Any]]]:
    """Rows as the driver wants them; the rows themselves where no column needs a change."""
    steps = [(index, step) for index, kind in enumerate(kinds) if (step := kind.dialect_impl(dialect).bind_processor(dialect)) is not None]
    if not steps:
        return lambda rows: rows

    def converted(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        # Bulk rows share their instants and often their days: the last value of a column is likely to come again.
        last: list[Any] = [None] * len(steps)
        last_converted: list[Any] = [None] * len(steps)
        for row in rows:
            values = list(row)
            for place, (index, step) in enumerate(steps):
                value = values[index]
                if value is not None:
                    if value is not last[place]:
                        last[place], last_converted[place] = value, step(value)
                    values[index] = last_converted[place]
            yield values

    return converted
