"""Database fixtures: every test gets its own migrated database, on SQLite and on a real PostgreSQL.

A test that takes `database_url` runs once on each. Schemas are migrated once per run and copied per test.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from regulars_testkit.conformance.databases import PostgresDatabases, SqliteDatabases
    from regulars_testkit.conformance.house import Houses
    from regulars_testkit.conformance.subject import Subject
    from regulars_testkit.postgres import PostgresServer

TEMPLATE = "regulars_template"
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], None]:
    """Bring the database behind a URL to the newest schema of the platform and of every installed plugin."""
    from regulars_core.plugins.loader import installed, load_all
    from regulars_migrations.owners import CORE
    from regulars_migrations.runner import upgrade

    plugins, _broken = load_all(installed())
    owners = [CORE, *(plugin.owner for plugin in plugins if plugin.owner)]
    return lambda url: upgrade(url, owners)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this run."""
    from regulars_testkit.postgres import running_server

    with running_server(os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer, migrate: Callable[[str], None]) -> str:
    """Name of the migrated database that tests get copies of."""
    from regulars_testkit.postgres import run_lock

    with run_lock():
        if not postgres_server.exists(TEMPLATE):
            migrate(postgres_server.create("unfinished"))
            postgres_server.execute(f"ALTER DATABASE unfinished RENAME TO {TEMPLATE}")
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, migrate: Callable[[str], None]) -> Path:
    """The migrated SQLite file that tests get copies of."""
    path = tmp_path_factory.mktemp("template") / "regulars.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a migrated SQLite database of this test's own."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'regulars.db')}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """URL of a migrated PostgreSQL database of this test's own."""
    yield from _own_database(postgres_server, postgres_template)


@pytest.fixture
def blank_sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite database that is not there yet."""
    return f"sqlite:///{tmp_path / 'blank.db'}"


@pytest.fixture
def blank_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this test's own."""
    yield from _own_database(postgres_server, None)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated database of this test's own; the test runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=BOTH)
def blank_database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database of this test's own; the test runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"blank_{request.param}_url")
    return url


@pytest.fixture(scope="session")
def conformance_sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Where plugins are examined on SQLite."""
    from regulars_testkit.conformance.databases import SqliteDatabases

    return SqliteDatabases(tmp_path_factory.mktemp("conformance"))


@pytest.fixture(scope="session")
def conformance_postgres(postgres_server: PostgresServer) -> Iterator[PostgresDatabases]:
    """Where plugins are examined on PostgreSQL."""
    from regulars_testkit.conformance.databases import postgres_of

    with postgres_of(postgres_server.url()) as databases:
        yield databases


@pytest.fixture(scope="module")
def conformance_houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Subject], Houses]]:
    """The systems in which plugins are examined, shared by the tests of a module."""
    from regulars_testkit.conformance.house import Houses

    made: dict[str, Houses] = {}
    yield lambda subject: made.setdefault(subject.name, Houses(subject, tmp_path_factory.mktemp(subject.name)))
    for houses in made.values():
        houses.close()


def _own_database(server: PostgresServer, template: str | None) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    yield server.create(name, template)
    server.drop(name)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent to any database inside the block, apart from what a process asks only now and then."""
    import sqlalchemy as sa

    from regulars_web import gate

    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN")):
            statements.append(statement)

    usual, gate.SEES_SWITCHES_AFTER = gate.SEES_SWITCHES_AFTER, 3600.0
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
        gate.SEES_SWITCHES_AFTER = usual
