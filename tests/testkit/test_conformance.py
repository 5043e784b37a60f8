"""The kit lets a good plugin through, and each of its checks catches a plugin that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sample_plugins.samples import sample
from sample_plugins.spoiled import SPOILED, Spoiled

from regulars_testkit.conformance import Subject, all_checks
from regulars_testkit.conformance.databases import SqliteDatabases
from regulars_testkit.conformance.house import Houses
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
