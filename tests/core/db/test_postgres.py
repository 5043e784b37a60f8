"""Connections to PostgreSQL: what they keep between transactions, and what becomes of one that the server closed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from regulars_core.db.database import RESTED, Database
from regulars_plugin_api.db import PLANNED_ANEW, read_rows

PREPARED = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 40 + %'")
SUM = sa.text("SELECT 40 + CAST(:more AS integer)")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.dispose()


def sums(database: Database, times: int = 7, **options: bool) -> int:
    """How many statements that add up are prepared after so many of them, each read in a session of its own."""
    for more in range(times):
        with database.read() as session:
            assert session.scalar(SUM.execution_options(**options), {"more": more}) == 40 + more
    with database.read() as session:
        return int(session.scalars(PREPARED).one())


def test_what_is_read_again_and_again_stays_prepared(database: Database) -> None:
    assert (sums(database), sums(database, times=1)) == (1, 1)


def test_what_wants_a_plan_of_its_own_is_not_prepared(database: Database) -> None:
    assert sums(database, **PLANNED_ANEW) == 0


def test_a_statement_that_failed_leaves_a_connection_that_reads(database: Database) -> None:
    for _again in range(7):
        with database.read() as session, pytest.raises(sa.exc.DataError):
            session.execute(sa.text("SELECT 1 / 0"))
    assert sums(database) == 1


def test_the_first_of_many_are_the_same_ones_again(database: Database) -> None:
    with database.read() as session:
        assert session.scalars(sa.text("SHOW synchronize_seqscans")).one() == "off"


def test_reading_cannot_write(database: Database) -> None:
    for _again in range(2):
        with database.read() as session, pytest.raises(sa.exc.InternalError, match="read-only"):
            session.execute(sa.text("CREATE TABLE kept (id integer)"))


def test_a_connection_closed_while_it_rested_is_made_anew(database: Database) -> None:
    with database.read() as session:
        mine = session.scalars(sa.text("SELECT pg_backend_pid()")).one()
    other = Database(database.url.render_as_string(hide_password=False))
    with other.transaction() as session:
        session.execute(sa.text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})
    other.dispose()
    time.sleep(RESTED * 1.2)
    with database.read() as session:
        assert session.scalars(sa.text("SELECT pg_backend_pid()")).one() != mine


def test_a_column_that_changed_its_type_spoils_one_statement_and_not_the_next(database: Database) -> None:
    with database.transaction() as session:
        session.execute(sa.text("CREATE TABLE kept AS SELECT 1 AS amount"))
    query = sa.text("SELECT amount FROM kept")
    for _again in range(7):
        with database.read() as session:
            assert session.scalars(query).one() == 1
    other = Database(database.url.render_as_string(hide_password=False))
    with other.transaction() as session:
        session.execute(sa.text("ALTER TABLE kept ALTER amount TYPE text"))
    other.dispose()
    with database.read() as session, pytest.raises(sa.exc.NotSupportedError, match="cached plan"):
        session.execute(query)
    with database.read() as session:
        assert session.scalars(query).one() == "1"


def test_what_needs_a_transaction_begins_one_and_leaves_none(database: Database) -> None:
    """A cursor that stays in the server, and a savepoint that what failed goes back to."""
    for _again in range(2):
        with database.read() as session:
            numbers = sa.select(sa.func.generate_series(1, 3)).execution_options(yield_per=2)
            assert list(session.scalars(numbers)) == [1, 2, 3]
            with pytest.raises(sa.exc.DataError), session.begin_nested():
                session.execute(sa.text("SELECT 1 / 0"))
            assert session.scalar(sa.text("SELECT 41 + 1")) == 42
        with database.read() as session:
            moments = [session.scalar(sa.text("SELECT now()")) for _twice in range(2)]
            assert moments[0] < moments[1], "each statement is its own transaction"


@pytest.mark.parametrize("options", [{}, {"yield_per": 2}], ids=["plain", "cursor in the server"])
def test_a_connection_that_breaks_while_it_reads_is_told_as_that_and_made_anew(database: Database, options: dict[str, int]) -> None:
    one = sa.text("SELECT 1").execution_options(**options)
    with pytest.raises(sa.exc.OperationalError):
        ask_while_it_breaks(database, one)
    assert database.readers.pool.checkedout() == 0  # type: ignore[attr-defined]
    with database.read() as session:
        assert session.scalars(one).all() == [1]


def ask_while_it_breaks(database: Database, one: sa.Executable) -> None:
    with database.read() as session:
        assert session.scalars(one).all() == [1]
        mine = session.scalar(sa.text("SELECT pg_backend_pid()"))
        with database.transaction() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})
        session.scalars(one).all()


PID = sa.select(sa.func.pg_backend_pid(), sa.literal(1))
KEPT = sa.table("kept", sa.column("id", sa.BigInteger), sa.column("name", sa.Text))
PUT = sa.insert(KEPT).values(name=sa.bindparam("new", type_=sa.Text)).returning(KEPT.c.id)


@pytest.fixture
def kept(database: Database) -> Database:
    """A database with a table of names that may stand there once, in which its statements have been asked before."""
    with database.transaction() as session:
        session.execute(sa.text("CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY, name text UNIQUE)"))
        for name in ("a", "b"):
            read_rows(session, PUT, {"new": name})
            read_rows(session, PID)
    return database


@pytest.mark.parametrize(("asked", "values"), [(PID, {}), (PUT, {"new": "c"})], ids=["read", "written"])
def test_a_connection_that_breaks_in_a_transaction_takes_it_back_and_is_made_anew(
    kept: Database, asked: sa.Executable, values: dict[str, str]
) -> None:
    with pytest.raises(sa.exc.OperationalError), kept.transaction() as session:  # noqa: PT012 - the block is what fails
        read_rows(session, PUT, {"new": "taken back"})
        ((mine, _one),) = read_rows(session, PID)
        with kept.read() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})
        read_rows(session, asked, values)
    assert kept.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    with kept.transaction() as session:
        assert session.scalars(sa.select(KEPT.c.name).order_by("name")).all() == ["a", "b"]


def test_a_row_that_is_refused_spoils_its_savepoint_alone(kept: Database) -> None:
    with kept.transaction() as session:
        with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
            read_rows(session, PUT, {"new": "a"})
        read_rows(session, PUT, {"new": "c"})
    with kept.read() as session:
        assert session.scalars(sa.select(KEPT.c.name).order_by("name")).all() == ["a", "b", "c"]
