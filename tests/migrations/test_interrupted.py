"""A step that raises, is killed or waits for a lock (F11): schema and version table agree, core starts, and the rerun works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest
import sqlalchemy as sa
from sample_plugins import open_with

from regulars_migrations import engine as engines
from regulars_migrations.engine import migration_engine
from regulars_migrations.owners import CORE, Owner
from regulars_migrations.runner import upgrade
from regulars_migrations.standing import SchemaRefused, status

FIRST = """
    '''A table.'''
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "toy_0001", None

    def upgrade():
        op.create_table("toy_thing", sa.Column("id", sa.Integer, primary_key=True))

    def downgrade():
        op.drop_table("toy_thing")
"""
SECOND = """
    '''Half of it is done when it stops.'''
    import time
    from pathlib import Path
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "toy_0002", "toy_0001"

    def upgrade():
        op.create_table("toy_other", sa.Column("id", sa.Integer, primary_key=True))
        op.execute("INSERT INTO toy_thing VALUES (1)")
        {stop}
        with op.batch_alter_table("toy_thing") as table:
            table.add_column(sa.Column("what", sa.Text))

    def downgrade():
        op.drop_table("toy_other")
"""
UPGRADES = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from regulars_migrations.owners import CORE, Owner
from regulars_migrations.runner import upgrade
upgrade({url!r}, [CORE, Owner("toy", Path({versions!r}))])
"""


@pytest.fixture
def toy(tmp_path: Path, blank_database_url: str) -> Owner:
    """A plugin's schema at its first step."""
    owner = Owner("toy", tmp_path / "toy")
    owner.versions.mkdir()
    (owner.versions / "toy_0001.py").write_text(dedent(FIRST))
    upgrade(blank_database_url, [CORE, owner])
    return owner


def second(toy: Owner, stop: str) -> None:
    (toy.versions / "toy_0002.py").write_text(dedent(SECOND.format(stop=stop)))


def agrees_and_goes_on(url: str, toy: Owner, home: Path) -> None:
    """Nothing of the second step is there; core starts; mended, the step is done."""
    tables = sa.inspect(migration_engine(sa.make_url(url))).get_table_names()
    assert {one for one in tables if one.startswith("toy")} == {"toy_thing"}
    with migration_engine(sa.make_url(url)).connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM toy_thing").scalar_one() == 0
    assert status(url, [toy])[0].current == "toy_0001"
    crm = open_with(url, home)
    assert crm.customers.create({"display_name": "Åsa Holm"}) == 1
    crm.close()
    second(toy, "pass")
    upgrade(url, [CORE, toy])
    assert status(url, [toy])[0].current == "toy_0002"
    columns = {one["name"] for one in sa.inspect(migration_engine(sa.make_url(url))).get_columns("toy_thing")}
    assert columns == {"id", "what"}


def test_one_that_raises(blank_database_url: str, toy: Owner, tmp_path: Path) -> None:
    second(toy, 'raise RuntimeError("out of toys")')
    with pytest.raises(RuntimeError, match="out of toys"):
        upgrade(blank_database_url, [CORE, toy])
    agrees_and_goes_on(blank_database_url, toy, tmp_path / "home")


def test_one_that_is_killed(blank_database_url: str, toy: Owner, tmp_path: Path) -> None:
    half = tmp_path / "half"
    second(toy, f"Path({str(half)!r}).touch(); time.sleep(60)")
    program = UPGRADES.format(path=sys.path, url=blank_database_url, versions=str(toy.versions))
    runner = subprocess.Popen([sys.executable, "-c", program])
    until = time.monotonic() + 60
    while not half.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert half.exists()
    os.kill(runner.pid, signal.SIGKILL)
    assert runner.wait(60) == -signal.SIGKILL
    agrees_and_goes_on(blank_database_url, toy, tmp_path / "home")


def test_one_that_waits_for_a_lock(blank_database_url: str, toy: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 1)
    second(toy, "pass")
    lock = "BEGIN IMMEDIATE" if blank_database_url.startswith("sqlite") else "LOCK TABLE toy_thing IN ACCESS EXCLUSIVE MODE"
    holder = sa.create_engine(blank_database_url)
    with holder.connect() as connection:
        connection.exec_driver_sql(lock)
        with pytest.raises(SchemaRefused, match="The schema could not be upgraded: somebody else held a lock for 1 seconds"):
            upgrade(blank_database_url, [toy])
        connection.exec_driver_sql("ROLLBACK")
    holder.dispose()
    agrees_and_goes_on(blank_database_url, toy, tmp_path / "home")
