"""Connections for migrations: their own rules, apart from those of the running application."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

LOCK_KEY = 7_231_145
PATIENCE = 30
"""Seconds a step waits for a lock that somebody else holds."""


def migration_engine(url: sa.URL) -> sa.Engine:
    """An engine whose transactions cover DDL and, on SQLite, whose foreign keys are off while tables are rebuilt."""
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(url, poolclass=NullPool)

        @sa.event.listens_for(engine, "connect")
        def give_up(connection: Any, _record: Any) -> None:
            # Behind a step that waits, everybody who wants the table waits as well.
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{PATIENCE}s'")
            connection.commit()

        return engine
    engine = sa.create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None, "timeout": PATIENCE})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # Inside a transaction SQLite ignores this pragma; with keys on, rebuilding a table cascades its children away.
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA journal_mode=WAL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def only_one_runner(url: sa.URL, engine: sa.Engine) -> Iterator[None]:
    """Hold everybody else's migrations off this database."""
    if url.get_backend_name() == "sqlite":
        with _file_lock(Path(f"{url.database}.migrating")):
            yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Another runner may take long; it is waited for.
        connection.execute(sa.text("SET lock_timeout = 0"))
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
