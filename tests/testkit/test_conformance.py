"""The kit lets a good plugin through, and each of its checks catches a plugin that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sample_plugins.samples import sample
from sample_plugins.spoiled import SPOILED, Spoiled

from regulars_migrations import runner
from regulars_migrations.owners import CORE
from regulars_testkit.conformance import Subject, all_checks
from regulars_testkit.conformance.databases import SqliteDatabases
from regulars_testkit.conformance.house import House, Houses
from regulars_testkit.conformance.running import run

CHECKS = {one.id: one for one in all_checks()}


@contextmanager
def houses_of(subject: Subject, folder: Path) -> Iterator[Houses]:
    houses = Houses(subject, folder)
    yield houses
    houses.close()


def test_a_good_plugin_passes(tmp_path: Path, conformance_sqlite: SqliteDatabases) -> None:
    with sample(tmp_path) as subject, houses_of(subject, tmp_path) as houses:
        found = [str(one) for check in all_checks() for one in run(check, houses, conformance_sqlite)]
    assert found == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_its_second_version_passes(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    with sample(tmp_path, version=2) as subject, houses_of(subject, tmp_path) as houses:
        databases = request.getfixturevalue(f"conformance_{kind}")
        found = [str(one) for name, check in CHECKS.items() if "migrations" in name for one in run(check, houses, databases)]
    assert found == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_rows_of_the_first_version_are_there_in_the_second(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    with sample(tmp_path, version=2) as subject, houses_of(subject, tmp_path) as houses:
        house = houses.house(request.getfixturevalue(f"conformance_{kind}"))
        house.plant(house.people[0])
        owner = subject.plugin.owner
        assert owner is not None
        runner.downgrade(house.url, owner, f"{subject.name}_0001")
        columns = [_columns(house, f"{subject.name}_wish")]
        runner.upgrade(house.url, [CORE, owner])
        columns.append(_columns(house, f"{subject.name}_wish"))
        with house.on.read() as session:
            rows = session.execute(sa.text(f"SELECT customer_id, ribbon FROM {subject.name}_wish")).all()
    assert columns[1] - columns[0] == {"ribbon"}
    assert [tuple(row) for row in rows] == [(house.people[0], "red")]


def _columns(house: House, table: str) -> set[str]:
    with house.crm.read() as session:
        return {one["name"] for one in sa.inspect(session.connection()).get_columns(table)}


def test_each_check_has_a_plugin_that_breaks_it() -> None:
    assert sorted({one.check for one in SPOILED}) == sorted(CHECKS)


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda one: f"{one.check}-{one.says[:24]}")
def test_a_spoiled_plugin_is_caught(tmp_path: Path, conformance_sqlite: SqliteDatabases, spoiled: Spoiled) -> None:
    with (
        sample(tmp_path, spoiled.edits, files=spoiled.files, version=spoiled.version) as subject,
        houses_of(subject, tmp_path) as houses,
    ):
        found = run(CHECKS[spoiled.check], houses, conformance_sqlite)
    assert any(spoiled.says in one.words for one in found), "\n".join(map(str, found)) or "nothing was found"
    assert {(one.plugin, one.check, one.tier) for one in found} == {(subject.name, spoiled.check, CHECKS[spoiled.check].tier)}
    assert all(one.hint for one in found)
