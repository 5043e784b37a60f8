"""Trying an upgrade on a copy of the database: what would break, and how long it takes. The database itself is only read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from regulars_migrations.engine import migration_engine
from regulars_migrations.owners import Owner
from regulars_migrations.runner import differences, upgrade
from regulars_migrations.standing import SchemaRefused, status
from regulars_plugin_api.i18n import Text, _


@dataclass(frozen=True)
class Step:
    """The upgrade of one owner's schema on the copy."""

    owner: str
    before: str | None
    after: str | None
    seconds: float


@dataclass(frozen=True)
class Problem:
    """What would break. ``owner`` is core or the plugin it concerns."""

    owner: str
    what: Text


@dataclass(frozen=True)
class Rehearsal:
    """What happened on the copy. Without problems the upgrade can be done."""

    copied_seconds: float
    steps: Sequence[Step]
    problems: Sequence[Problem]


def rehearse(url: sa.URL | str, owners: Sequence[Owner], known: Sequence[Owner]) -> Rehearsal:
    """Copy the database, upgrade ``owners`` there in order, and compare. ``known`` are all owners whose tables the code knows.

    Raises ``SchemaRefused`` where no copy can be made; the message says what is needed.
    """
    began = time.monotonic()
    with _copy(sa.make_url(url)) as copy:
        copied = time.monotonic() - began
        rows = _rows(copy)
        steps: list[Step] = []
        for place, owner in enumerate(owners):
            before, began = _revision(copy, owner), time.monotonic()
            try:
                upgrade(copy, owners[: place + 1])
            except Exception as error:
                # Whatever a migration raises is what was to be found out.
                return Rehearsal(copied, steps, [Problem(owner.name, f"{type(error).__name__}: {_first_line(error)}")])
            steps.append(Step(owner.name, before, _revision(copy, owner), time.monotonic() - began))
        return Rehearsal(
            copied, steps, [*_lost_rows(rows, _rows(copy), owners), *_pointing_at_nothing(copy), *_unlike(copy, owners, known)]
        )


def _lost_rows(before: dict[str, int], after: dict[str, int], owners: Sequence[Owner]) -> Iterator[Problem]:
    versions = {owner.version_table for owner in owners}
    for table, count in before.items():
        if after.get(table) != count and table not in versions:
            left = after.get(table, 0)
            yield Problem(
                _owner_of(table, owners), _("%(table)s has %(after)s rows, and had %(before)s.", table=table, after=left, before=count)
            )


def _pointing_at_nothing(copy: sa.URL) -> Iterator[Problem]:
    if copy.get_backend_name() != "sqlite":
        return
    with migration_engine(copy).connect() as connection:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    for table in sorted({row[0] for row in broken}):
        yield Problem(table, _("Rows of %(table)s point at nothing.", table=table))


def _unlike(copy: sa.URL, owners: Sequence[Owner], known: Sequence[Owner]) -> Iterator[Problem]:
    for owner in owners:
        for step in differences(copy, owner, known):
            yield Problem(owner.name, _("Tables and code do not agree: %(step)s", step=step))


def _owner_of(table: str, owners: Sequence[Owner]) -> str:
    return next((owner.name for owner in owners if not owner.is_core and owner.owns(table)), "core")


def _revision(url: sa.URL, owner: Owner) -> str | None:
    return status(url, [owner])[0].current


def _rows(url: sa.URL) -> dict[str, int]:
    with migration_engine(url).connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        return {name: connection.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one() for name in sorted(tables)}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


@contextmanager
def _copy(url: sa.URL) -> Iterator[sa.URL]:
    if url.get_backend_name() == "sqlite":
        with _sqlite_copy(Path(str(url.database))) as path:
            yield url.set(database=str(path))
        return
    with _postgres_copy(url) as name:
        yield url.set(database=name)


@contextmanager
def _sqlite_copy(source: Path) -> Iterator[Path]:
    # Beside the database: where there is room for one, there is most likely room for two.
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=source.parent) as folder:
        path = Path(folder) / "copy.db"
        reading, writing = sqlite3.connect(f"file:{source}?mode=ro", uri=True), sqlite3.connect(path)
        try:
            reading.backup(writing)
        except sqlite3.Error as error:
            raise SchemaRefused(_("The database could not be copied: %(why)s", why=error)) from error
        finally:
            reading.close()
            writing.close()
        yield path


@contextmanager
def _postgres_copy(url: sa.URL) -> Iterator[str]:
    # Names end at 63 characters; the beginning tells whose copy it is, should the server stop half way.
    name = f"{str(url.database)[:38]}_rehearsal_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(url.set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        try:
            with server.connect() as connection:
                _fill_copy(connection, url, name)
        except sa.exc.DBAPIError as error:
            raise SchemaRefused(_("The database could not be copied: %(why)s", why=_first_line(error))) from error
        yield name
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _fill_copy(connection: sa.Connection, url: sa.URL, name: str) -> None:
    try:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')
    except sa.exc.OperationalError as error:
        # Somebody is connected; then the copy is made through a dump.
        if getattr(error.orig, "sqlstate", None) != "55006":
            raise
        if shutil.which("pg_dump") is None or shutil.which("psql") is None:
            message = _("Others are connected to the database. Stop web and worker, or install the programs pg_dump and psql.")
            raise SchemaRefused(message) from error
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        _dump_into(url, name)


def _dump_into(url: sa.URL, name: str) -> None:
    reach: dict[str, Any] = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    reach |= {f"PG{key.upper()}": value for key, value in url.query.items() if key in ("host", "port", "sslmode")}
    env = {**os.environ, **{key: str(value) for key, value in reach.items() if value is not None}}
    with tempfile.TemporaryFile() as said:
        # Nothing but the address of the database is given to the programs, and that in their environment: others see what is on a line.
        load = ["psql", "--quiet", "--set", "ON_ERROR_STOP=1", name]
        with subprocess.Popen(["pg_dump", "--no-owner", str(url.database)], env=env, stdout=subprocess.PIPE, stderr=said) as dump:
            loaded = subprocess.run(load, env=env, stdin=dump.stdout, stdout=said, stderr=said)
        if dump.returncode or loaded.returncode:
            said.seek(0)
            raise SchemaRefused(_("The database could not be copied: %(why)s", why=said.read().decode(errors="replace").strip()))
