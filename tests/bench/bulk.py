"""Putting millions of ready-made rows into either database, faster than anything that checks them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
import sqlalchemy as sa


class Target(Protocol):
    """A database to fill."""

    search_key: str

    def put(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert ``rows``."""

    def instant(self, day: str, second: int) -> str:
        """A moment of a day in UTC, as this database keeps it."""

    def boolean(self, value: bool) -> Any:
        """A truth, as this database keeps it."""

    def run(self, *statements: str) -> None:
        """Run statements."""

    def without_indexes(self, tables: Sequence[str]) -> Any:
        """Take the indexes of ``tables`` away for the block; they are made anew at its end."""

    def analyze(self) -> None:
        """Let the planner know."""

    def close(self) -> None:
        """Keep everything and let go."""


class SqliteTarget:
    """An SQLite file that nobody else has open."""

    search_key = "rowid"

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self.run("PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-500000", "PRAGMA temp_store=MEMORY")

    def put(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        self.run("BEGIN")
        self._connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
        self.run("COMMIT")

    def instant(self, day: str, second: int) -> str:
        return f"{day} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000000"

    def boolean(self, value: bool) -> Any:
        return int(value)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement)

    @contextmanager
    def without_indexes(self, tables: Sequence[str]) -> Iterator[None]:
        marks = ", ".join("?" * len(tables))
        query = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})"
        found = self._connection.execute(query, tables).fetchall()
        self.run(*(f'DROP INDEX "{name}"' for name, _sql in found))
        yield
        self.run(*(sql for _name, sql in found))

    def analyze(self) -> None:
        self.run("PRAGMA analysis_limit=1000", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._connection.close()


class PostgresTarget:
    """A PostgreSQL database."""

    search_key = "customer_id"

    def __init__(self, url: str) -> None:
        dsn = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(dsn, autocommit=True)
        self.run("SET maintenance_work_mem = '1GB'", "SET session_replication_role = replica")

    def put(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        with self._connection.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN'.encode()) as copy:
            for row in rows:
                copy.write_row(row)
        if columns[0] == "id":
            self.run(f"SELECT setval(s, (SELECT max(id) FROM {table})) FROM pg_get_serial_sequence('{table}', 'id') s WHERE s IS NOT NULL")

    def instant(self, day: str, second: int) -> str:
        return f"{day} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}+00"

    def boolean(self, value: bool) -> Any:
        return value

    def run(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement.encode())

    @contextmanager
    def without_indexes(self, tables: Sequence[str]) -> Iterator[None]:
        found = self._connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [list(tables)],
        ).fetchall()
        self.run(*(f'DROP INDEX "{name}"' for name, _sql in found))
        yield
        self.run(*(sql for _name, sql in found))

    def analyze(self) -> None:
        # Written out now, and not while something else is timed.
        self.run("VACUUM ANALYZE", "CHECKPOINT")

    def close(self) -> None:
        self._connection.close()


def target(url: str) -> Target:
    """The database behind an SQLAlchemy URL."""
    parsed = sa.make_url(url)
    return SqliteTarget(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else PostgresTarget(url)
