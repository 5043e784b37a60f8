"""P6: an import beside its floor in the same run, which is the same rows put by COPY or ``executemany`` into the same tables."""

import csv
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bench.people import write_customers

from regulars_core.customers import search
from regulars_core.db import Database
from regulars_plugin_api.bulk import insert_rows
from regulars_plugin_api.db import Base
from regulars_testkit.crm import CrmHarness

pytestmark = pytest.mark.bench

SHARE_OF_THE_FLOOR = 0.35
CUSTOMERS, LINES = 100_000, 200_000
# What a run writes about itself and tells others is not part of what it brings in.
ABOUT_THE_RUN = frozenset({"import_run", "import_batch", "import_reject", "event", "delivery", "subscription", "setting", "plugin"})


def test_customers(crm: CrmHarness, other_database: Callable[[CrmHarness], Database], tmp_path: Path) -> None:
    floor = other_database(crm)
    _compare(crm, floor, "customer", write_customers(tmp_path / "customers.csv", CUSTOMERS))


def test_receipt_lines(crm: CrmHarness, other_database: Callable[[CrmHarness], Database], tmp_path: Path) -> None:
    crm.enable("purchases")
    for kind in ("store", "product", "customer"):
        crm.import_file(kind, _chain(tmp_path, kind))
    floor = other_database(crm)
    _compare(crm, floor, "sale", _chain(tmp_path, "sale"))


@pytest.fixture
def other_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[CrmHarness], Database]]:
    """A copy of a system's database as it is now."""
    made: list[Database] = []

    def copy(crm: CrmHarness) -> Database:
        crm.database.dispose()
        if crm.database.is_sqlite:
            with sqlite3.connect(str(crm.database.url.database)) as source, sqlite3.connect(tmp_path / "floor.db") as target:
                source.backup(target)
            made.append(Database(f"sqlite:///{tmp_path / 'floor.db'}"))
        else:
            server = request.getfixturevalue("postgres_server")
            made.append(Database(server.create("floor", crm.database.url.database)))
        return made[-1]

    yield copy
    for database in made:
        database.dispose()
        if not database.is_sqlite:
            request.getfixturevalue("postgres_server").drop("floor")


def _compare(crm: CrmHarness, floor_database: Database, kind: str, path: Path) -> None:
    last = _last_ids(crm.database)
    started = time.perf_counter()
    records = crm.import_file(kind, path)["records"]
    product = time.perf_counter() - started
    floor, rows = _floor(crm.database, floor_database, last)
    share = floor / product
    print(  # noqa: T201 - the figures are what it is run for
        f"\n{crm.database.engine.dialect.name}: {records:,} {kind} records in {product:.1f} s ({records / product:,.0f}/s);"
        f" their {rows:,} rows by bulk insert alone in {floor:.1f} s; {share:.0%} of the floor"
    )
    assert share >= SHARE_OF_THE_FLOOR


def _floor(source: Database, target: Database, last: dict[str, int | None]) -> tuple[float, int]:
    seconds, amount = 0.0, 0
    with source.read() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in last:
                key, before = next(iter(table.primary_key.columns)), last[table.name]
                new = sa.select(table).where(sa.true() if before is None else key > before).order_by(key)
                rows = [tuple(row) for row in session.execute(new)]
                seconds += _timed(target, insert_rows, table, list(table.c.keys()), rows)
                amount += len(rows)
        words = [row for row in _search_rows(session) if row[0] > (last["customer"] or 0)]
    return seconds + _timed(target, search.index, words), amount + len(words)


def _timed(database: Database, write: Callable[..., None], *rows: Any) -> float:
    started = time.perf_counter()
    with database.transaction() as session:
        write(session, *rows)
    return time.perf_counter() - started


def _search_rows(session: Any) -> list[tuple[int, str]]:
    key = "rowid" if session.get_bind().dialect.name == "sqlite" else "customer_id"
    return [tuple(row) for row in session.execute(sa.text(f"SELECT {key}, words FROM customer_search"))]


def _last_ids(database: Database) -> dict[str, int | None]:
    """The highest id of each table; None for one that has no ids and is empty, whose rows will all be new."""
    with database.read() as session:
        present = set(sa.inspect(session.connection()).get_table_names())
        tables = [one for one in Base.metadata.sorted_tables if one.name in present - ABOUT_THE_RUN - {"customer_search"}]
        last: dict[str, int | None] = {
            table.name: session.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))) or 0 for table in tables if "id" in table.c
        }
        others = [table for table in tables if "id" not in table.c]
        return last | {table.name: None for table in others if session.execute(sa.select(table).limit(1)).first() is None}


def _chain(folder: Path, kind: str) -> Path:
    """A chain's files: receipts of two lines, one customer in five a guest."""
    path = folder / f"{kind}.csv"
    rows: dict[str, tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]] = {
        "store": (("code", "name", "timezone", "currency"), ((f"S{n}", f"Store {n}", "America/New_York", "USD") for n in range(40))),
        "product": (
            ("sku", "name", "category", "price"),
            ((f"P{n:05d}", f"Article {n}", f"Group {n % 30}", f"{n % 90}.50") for n in range(5000)),
        ),
        "customer": (("external_id", "last_name"), ((f"C{n:06d}", f"Holm {n}") for n in range(20_000))),
        "sale": (
            ("receipt_no", "sold_at", "store", "customer_external_id", "sku", "quantity", "amount", "discount"),
            (
                (
                    f"R{n // 2:07d}",
                    f"2025-{1 + n // 2 % 12:02d}-{1 + n // 24 % 28:02d}T{9 + n // 2 % 10:02d}:15:00Z",
                    f"S{n // 2 % 40}",
                    f"C{n // 2 * 7919 % 20_000:06d}" if n // 2 % 5 else "",
                    f"P{n * 31 % 5000:05d}",
                    1 + n % 3,
                    f"{n % 90 + 1}.25",
                    "0",
                )
                for n in range(LINES)
            ),
        ),
    }
    header, lines = rows[kind]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(lines)
    return path
