"""An upgrade is tried on a copy: what would break is named, the database itself is as it was, and no copy is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import sqlalchemy as sa

import regulars_core.models  # noqa: F401 - every core table
from regulars_core.plugins.loader import installed, load_all
from regulars_migrations.engine import migration_engine
from regulars_migrations.owners import CORE, Owner
from regulars_migrations.rehearsal import rehearse
from regulars_migrations.runner import upgrade
from regulars_migrations.standing import status

STEP = """
    '''{about}'''
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "toy_{number:04}", {before!r}

    def upgrade():
        {upgrade}

    def downgrade():
        pass
"""
TABLE = 'op.create_table("toy_thing", sa.Column("id", sa.Integer, primary_key=True), sa.Column("what", sa.Text))'


def step(folder: Path, number: int, upgrade: str, about: str = "A step.") -> None:
    before = f"toy_{number - 1:04}" if number > 1 else None
    (folder / f"toy_{number:04}_step.py").write_text(dedent(STEP.format(about=about, number=number, before=before, upgrade=upgrade)))


@pytest.fixture
def toy(tmp_path: Path, blank_database_url: str) -> Owner:
    """A plugin's schema, upgraded once, with three rows; a second step makes another table."""
    folder = tmp_path / "toy"
    folder.mkdir()
    step(folder, 1, TABLE)
    owner = Owner("toy", folder)
    upgrade(blank_database_url, [CORE, owner])
    with migration_engine(sa.make_url(blank_database_url)).begin() as connection:
        connection.exec_driver_sql("INSERT INTO toy_thing VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    return owner


@pytest.fixture
def known(toy: Owner) -> list[Owner]:
    """Every owner the code of this process may know."""
    return [CORE, toy, *(plugin.owner for plugin in load_all(installed())[0] if plugin.owner)]


@pytest.fixture(autouse=True)
def untouched(blank_database_url: str, toy: Owner, tmp_path: Path) -> Iterator[None]:
    """Whatever is tried: the database is as it was, and no copy is left."""
    yield
    with migration_engine(sa.make_url(blank_database_url)).connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM toy_thing").scalar_one() == 3
        assert {one for one in sa.inspect(connection).get_table_names() if one.startswith("toy_")} == {"toy_thing"}
        if connection.dialect.name == "postgresql":
            # Other tests use this server at the same time.
            names = connection.exec_driver_sql("SELECT datname FROM pg_database WHERE datname LIKE current_database() || '_%%'").all()
            assert names == []
    assert status(blank_database_url, [toy])[0].current == "toy_0001"
    assert list(tmp_path.glob("rehearsal-*")) == []


def test_an_upgrade_that_can_be_done(blank_database_url: str, toy: Owner, known: list[Owner]) -> None:
    step(toy.versions, 2, "op.execute(\"UPDATE toy_thing SET what = 'z'\")")
    found = rehearse(blank_database_url, [CORE, toy], known)
    assert [(one.owner, one.before == one.after) for one in found.steps] == [("core", True), ("toy", False)]
    assert found.steps[1].after == "toy_0002"
    # The code of this test has no model of the plugin's table: the comparison says so, and nothing else.
    assert [(one.owner, "toy_thing" in str(one.what)) for one in found.problems] == [("toy", True)]


def test_a_step_that_fails_is_named(blank_database_url: str, toy: Owner, known: list[Owner]) -> None:
    step(toy.versions, 2, 'raise RuntimeError("out of toys")')
    found = rehearse(blank_database_url, [CORE, toy], known)
    assert [(one.owner, str(one.what)) for one in found.problems] == [("toy", "RuntimeError: out of toys")]
    assert [one.owner for one in found.steps] == ["core"]


def test_rows_that_would_be_lost_are_counted(blank_database_url: str, toy: Owner, known: list[Owner]) -> None:
    step(toy.versions, 2, 'op.execute("DELETE FROM toy_thing WHERE id > 1")')
    found = rehearse(blank_database_url, [CORE, toy], known)
    assert ("toy", "toy_thing has 1 rows, and had 3.") in [(one.owner, str(one.what)) for one in found.problems]
