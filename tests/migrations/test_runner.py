"""The facts the migration runner is built on, each on both databases."""

import threading
from pathlib import Path
from textwrap import dedent

import pytest
import sqlalchemy as sa
from alembic.util import CommandError

import regulars_core.models  # noqa: F401 - every core table
from regulars_core.plugins.loader import installed, load_all
from regulars_migrations.engine import migration_engine
from regulars_migrations.owners import CORE, Owner
from regulars_migrations.runner import differences, downgrade, upgrade
from regulars_migrations.standing import SchemaRefused, status

FIRST = """
    '''A toy per customer.'''
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "toy_0001", None

    def upgrade():
        op.create_table(
            "toy_thing",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("store_id", sa.BigInteger, sa.ForeignKey("store.id", ondelete="CASCADE")),
        )

    def downgrade():
        op.drop_table("toy_thing")
"""
BREAKS_HALF_WAY = """
    '''Fails after its first step.'''
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "toy_0002", "toy_0001"

    def upgrade():
        op.create_table("toy_other", sa.Column("id", sa.Integer, primary_key=True))
        op.execute("INSERT INTO there_is_no_such_table VALUES (1)")

    def downgrade():
        op.drop_table("toy_other")
"""
REBUILDS_STORE = """
    '''Rebuild the table of stores, as batch mode does on SQLite.'''
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "core_9999", "{head}"

    def upgrade():
        with op.batch_alter_table("store", recreate="{recreate}") as table:
            table.add_column(sa.Column("motto", sa.Text))

    def downgrade():
        with op.batch_alter_table("store") as table:
            table.drop_column("motto")
"""


@pytest.fixture
def toy(tmp_path: Path) -> Owner:
    return Owner("toy", _versions(tmp_path / "toy", toy_0001_first=FIRST))


def test_core_goes_up_down_and_up_and_matches_its_models(blank_database_url: str) -> None:
    upgrade(blank_database_url)
    before = _schema(blank_database_url)
    # Another test of this process may have imported a plugin and with it its tables.
    plugins = [plugin.owner for plugin in load_all(installed())[0] if plugin.owner]
    assert differences(blank_database_url, CORE, [CORE, *plugins]) == []
    downgrade(blank_database_url, CORE)
    assert _tables(blank_database_url) == set()
    upgrade(blank_database_url)
    assert _schema(blank_database_url) == before
    assert [one.behind for one in status(blank_database_url)] == [False]


def test_each_owner_has_its_own_version_table(blank_database_url: str, toy: Owner) -> None:
    upgrade(blank_database_url, [CORE, toy])
    assert {"alembic_version", "alembic_version_toy", "toy_thing"} <= _tables(blank_database_url)
    assert [one.current for one in status(blank_database_url, [CORE, toy])] == [one.head for one in status(blank_database_url, [CORE, toy])]


def test_core_upgrades_when_a_plugins_package_is_gone(blank_database_url: str, toy: Owner) -> None:
    upgrade(blank_database_url, [CORE, toy])
    upgrade(blank_database_url, [CORE])
    assert "toy_thing" in _tables(blank_database_url), "its data is kept"


def test_purge_takes_one_owners_tables_and_its_version_table(blank_database_url: str, toy: Owner) -> None:
    upgrade(blank_database_url)
    before = _tables(blank_database_url)
    upgrade(blank_database_url, [CORE, toy])
    downgrade(blank_database_url, toy)
    assert _tables(blank_database_url) == before
    upgrade(blank_database_url, [CORE, toy])
    assert "toy_thing" in _tables(blank_database_url), "and it can be installed again"


def test_rebuilding_a_core_table_leaves_plugin_rows_and_indexes_alone(blank_database_url: str, toy: Owner, tmp_path: Path) -> None:
    upgrade(blank_database_url, [CORE, toy])
    _execute(
        blank_database_url,
        "INSERT INTO store (id, code, name, timezone, currency) VALUES (1, 'A', 'A', 'UTC', 'EUR')",
        "INSERT INTO toy_thing (id, store_id) VALUES (1, 1)",
    )
    indexes = _schema(blank_database_url)
    rebuilding = _core_and(tmp_path, REBUILDS_STORE.format(head=_head(), recreate=_recreate(blank_database_url)))
    upgrade(blank_database_url, [rebuilding, toy])
    assert _count(blank_database_url, "toy_thing") == 1
    assert {name: found for name, found in _schema(blank_database_url).items() if name != "store"} == {
        name: found for name, found in indexes.items() if name != "store"
    }


def test_a_migration_that_fails_half_way_leaves_nothing(blank_database_url: str, toy: Owner) -> None:
    upgrade(blank_database_url, [CORE, toy])
    _versions(toy.versions, toy_0002_breaks=BREAKS_HALF_WAY)
    with pytest.raises(sa.exc.DBAPIError):
        upgrade(blank_database_url, [CORE, toy])
    assert "toy_other" not in _tables(blank_database_url)
    assert [one.current for one in status(blank_database_url, [toy])] == ["toy_0001"]
    _versions(toy.versions, toy_0002_breaks=BREAKS_HALF_WAY.replace('op.execute("INSERT INTO there_is_no_such_table VALUES (1)")', ""))
    upgrade(blank_database_url, [CORE, toy])
    assert "toy_other" in _tables(blank_database_url), "mended, it goes on"


def test_a_migration_that_leaves_rows_pointing_at_nothing_is_rolled_back(blank_sqlite_url: str, toy: Owner) -> None:
    upgrade(blank_sqlite_url, [CORE, toy])
    orphan = BREAKS_HALF_WAY.replace("INSERT INTO there_is_no_such_table VALUES (1)", "INSERT INTO toy_thing VALUES (1, 77)")
    _versions(toy.versions, toy_0002_orphan=orphan)
    with pytest.raises(SchemaRefused, match="point at nothing"):
        upgrade(blank_sqlite_url, [CORE, toy])
    assert _count(blank_sqlite_url, "toy_thing") == 0


def test_somebody_elses_database_is_not_touched(blank_database_url: str) -> None:
    _execute(blank_database_url, "CREATE TABLE wp_posts (id INTEGER)")
    with pytest.raises(SchemaRefused, match="another product"):
        upgrade(blank_database_url)
    assert _tables(blank_database_url) == {"wp_posts"}


def test_somebody_elses_database_with_alembic_is_not_touched(blank_database_url: str) -> None:
    _execute(
        blank_database_url,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('a1b2c3d4e5f6')",
        "CREATE TABLE superset_dashboards (id INTEGER)",
    )
    with pytest.raises(SchemaRefused, match="newer, or another product"):
        upgrade(blank_database_url)
    assert _tables(blank_database_url) == {"alembic_version", "superset_dashboards"}


def test_two_runners_at_once_upgrade_once(blank_database_url: str) -> None:
    failures: list[Exception] = []

    def run() -> None:
        try:
            upgrade(blank_database_url)
        except (sa.exc.SQLAlchemyError, CommandError, SchemaRefused) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [one.behind for one in status(blank_database_url)] == [False]


def _versions(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(dedent(text))
    return folder


def _core_and(tmp_path: Path, migration: str) -> Owner:
    folder = tmp_path / "core"
    folder.mkdir()
    for file in CORE.versions.glob("*.py"):
        (folder / file.name).write_text(file.read_text())
    _versions(folder, core_9999_more=migration)
    return Owner("core", folder, is_core=True, indexes=CORE.indexes)


def _head() -> str:
    return max(file.name[:9] for file in CORE.versions.glob("core_*.py"))


def _recreate(url: str) -> str:
    return "always" if url.startswith("sqlite") else "never"


def _execute(url: str, *statements: str) -> None:
    with migration_engine(sa.make_url(url)).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _tables(url: str) -> set[str]:
    return set(sa.inspect(migration_engine(sa.make_url(url))).get_table_names())


def _count(url: str, table: str) -> int:
    with migration_engine(sa.make_url(url)).connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def _schema(url: str) -> dict[str, list[str]]:
    """Columns and indexes of every table, in words."""
    inspector = sa.inspect(migration_engine(sa.make_url(url)))
    return {
        table: sorted(
            [str(column["name"]) for column in inspector.get_columns(table)]
            + [str(index["name"]) for index in inspector.get_indexes(table)]
        )
        for table in inspector.get_table_names()
    }
