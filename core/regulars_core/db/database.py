"""One database: its engine, writing transactions and read-only sessions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SavepointClause

from regulars_plugin_api.db import PLANNED_ANEW

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    # What is deleted is overwritten: an erasure must leave nothing in the file.
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
    # Each thread of the web keeps connections; what they do not hold themselves, the system's cache does.
    "PRAGMA cache_size=-2048",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA wal_autocheckpoint=12000",
)

RESTED = 1.0
"""Seconds after which a connection to PostgreSQL is asked whether it still stands before it is used."""


class OwnedSession(Session):
    """A session whose transaction ends with its owner's block. Whoever was only handed it, such as a plugin, can't end it."""

    def commit(self) -> NoReturn:
        """Refused."""
        raise RuntimeError("this transaction is its owner's to end: neither commit, roll back nor close a session you were given")

    rollback = close = reset = invalidate = commit

    def __exit__(self, *error: object) -> None:
        super().close()


class Database:
    """The database behind a URL. Cheap to make: nothing is opened before the first transaction."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        # Readers have connections of their own, which cannot write.
        self.readers = _sqlite_engine(self.url, read_only=True) if self.is_sqlite else _postgres_readers(self.url)
        self._repeatable = self.engine.execution_options(repeatable=True)
        self._optimistic = self.engine.execution_options(repeatable=True, optimistic=True)

    @contextmanager
    def transaction(self, *, repeatable: bool = False, optimistic: bool = False) -> Iterator[Session]:
        """A session in a writing transaction: committed at the end of the block, rolled back if it raises.

        ``repeatable`` is for work that is done again from its last durable step after a power cut: SQLite then waits for no disk.
        If it is ``optimistic`` too, SQLite's write lock is taken at the first write; somebody else's write before that makes the first
        write fail as locked, and the whole is to be done again.
        """
        engine = (self._optimistic if optimistic else self._repeatable) if repeatable else self.engine
        with OwnedSession(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that cannot write. On SQLite it sees one moment, on PostgreSQL each statement sees its own."""
        with OwnedSession(self.readers, expire_on_commit=False, autoflush=False) as session:
            yield session

    def cut_log(self) -> bool:
        """Bring SQLite's log into its file and cut it off, old pages and all. False if a reader was in the way for too long."""
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            return not cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            connection.close()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        self.readers.dispose()


def _sqlite_engine(url: sa.URL, *, read_only: bool = False) -> sa.Engine:
    # The driver's own transaction control is off: it starts transactions late and with the wrong kind of BEGIN.
    engine = sa.create_engine(
        url, connect_args={"isolation_level": None, "check_same_thread": False}, pool_size=10, max_overflow=20, pool_use_lifo=True
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)
        if read_only:
            connection.execute("PRAGMA cache_size=-8192")
            connection.execute("PRAGMA query_only=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if read_only:
            # It waits for nothing and can't fail; each page begins with it.
            connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]
            return
        options = connection.get_execution_options()
        synchronous = "NORMAL" if options.get("repeatable") else "FULL"
        if connection.info.get("synchronous", "FULL") != synchronous:
            connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
            connection.info["synchronous"] = synchronous
        if options.get("repeatable") and not connection.info.get("has_room"):
            connection.exec_driver_sql("PRAGMA cache_size=-65536")
            connection.info["has_room"] = True
        # A transaction that starts as a reader and then writes is refused at once as locked when another wrote meanwhile.
        connection.exec_driver_sql("BEGIN" if options.get("optimistic") else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=10, pool_use_lifo=True)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # Whoever asks for the first of many gets the same ones again, and not those where somebody else's reading has come to.
        connection.execute("SET synchronize_seqscans = off")
        connection.commit()

    @sa.event.listens_for(engine, "checkin")
    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _proxy: Any) -> None:
        """Nothing but a rest lets a connection be closed unseen, by the server or on the way there."""
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) > RESTED:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.OperationalError as gone:
                raise sa.exc.DisconnectionError from gone

    @sa.event.listens_for(engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        """Statements are prepared, and may then be planned for values of the usual kind, unless they ask for a plan for their own."""
        anew = bool(PLANNED_ANEW.items() <= context.execution_options.items())
        if anew:
            cursor.execute(statement, parameters, prepare=False)
        return anew

    return engine


def _postgres_readers(url: sa.URL) -> sa.Engine:
    """Connections that are in no transaction, since to begin and to end one is two journeys to the server for every page."""
    engine = _postgres_engine(url)

    @sa.event.listens_for(engine, "connect")
    def read_only(connection: Any, _record: Any) -> None:
        connection.execute("SET default_transaction_read_only = on")
        # What pages read lies in memory: the server's own figure is a turning disk's, for which it would rather read a whole table.
        connection.execute("SET random_page_cost = 1.1")
        connection.commit()
        connection.autocommit = True

    @sa.event.listens_for(engine, "before_execute")
    def begin(connection: sa.Connection, statement: Any, _values: Any, _one: Any, options: Any) -> None:
        """What holds for a transaction only, such as a savepoint or a cursor that stays in the server, makes one begin."""
        if options.get("stream_results") or options.get("yield_per") or isinstance(statement, SavepointClause):
            driver: Any = connection.connection.driver_connection
            if driver.autocommit:
                driver.autocommit = False

    @sa.event.listens_for(engine, "rollback")
    def end(connection: sa.Connection) -> None:
        """By COMMIT: the driver forgets what it has prepared with each rollback, and there is nothing to take back."""
        driver: Any = None if connection.invalidated else connection.connection.driver_connection
        if driver and not driver.autocommit:
            driver.commit() if driver.info.transaction_status.name == "INTRANS" else driver.rollback()
            driver.autocommit = True

    @sa.event.listens_for(engine, "handle_error")
    def forget(context: sa.engine.ExceptionContext) -> None:
        """What failed may have been prepared for a table that has changed meanwhile; a rollback makes the driver forget it."""
        driver: Any = context.connection and context.connection.connection.driver_connection
        if driver and driver.autocommit and not driver.closed:
            with driver.transaction(force_rollback=True):
                pass

    return engine


def analyze(database: Database) -> None:
    """Refresh the planner's figures after a bulk load; without them both databases read whole tables where a few rows would do."""
    with database.engine.begin() as connection:
        if database.is_sqlite:
            # A thousand entries of each index tell enough; reading all of them would take as long as the import.
            connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        connection.exec_driver_sql("ANALYZE")
