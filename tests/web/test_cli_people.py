"""regulars customers …, regulars audit verify: one JSON document and an exit code each."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.crm import Crm
from regulars_web import cli as command_line

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(crm: Crm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run("customers", "merge", 1, 2)``, with ``--json``: exit code and answer."""
    monkeypatch.setenv("REGULARS_HOME", str(crm.config.home))
    monkeypatch.setenv("REGULARS_DATABASE_URL", crm.config.database_url)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def call(*words: object) -> tuple[int, Any]:
        monkeypatch.setattr(sys, "argv", ["regulars", *map(str, words), "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            command_line.main()
        return int(leaving.value.code or 0), json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def people(crm: Crm) -> tuple[int, int]:
    """Two records of one person."""
    one = crm.customers.create({"first_name": "Eva", "last_name": "Ek", "emails": "eva@example.com"})
    return one, crm.customers.create({"first_name": "Eva", "last_name": "Ek", "emails": "eva@example.com", "notes": "ringer"})


def test_merge_and_back(run: Run, people: tuple[int, int]) -> None:
    keep, drop = people
    assert run("customers", "merge", keep, drop) == (0, {"merge": 1, "customer": keep, "dropped": drop})
    assert run("customers", "show", drop)[1]["id"] == keep
    assert run("customers", "merge", keep, drop) == (1, {"error": "These are one customer already.", "fields": {}})
    assert run("customers", "unmerge", 1) == (0, {"merge": 1, "undone": True})
    assert run("customers", "show", drop)[1]["id"] == drop
    assert run("customers", "unmerge", 7) == (1, {"error": "There is no such merge.", "fields": {}})


def test_duplicates_are_listed(run: Run, people: tuple[int, int]) -> None:
    pair = {"keep": people[0], "drop": people[1], "names": ["Eva Ek", "Eva Ek"], "reasons": ["email"]}
    assert run("customers", "duplicates") == (0, {"pairs": [pair], "after": None})
    assert run("customers", "duplicates", "--after", f"{people[0]}:{people[1]}") == (0, {"pairs": [], "after": None})
    assert run("customers", "duplicates", "--after", "x")[0] == 2


def test_personal_data_go_into_a_private_file(run: Run, people: tuple[int, int], tmp_path: Path) -> None:
    out = tmp_path / "eva.zip"
    assert run("customers", "personal-data", people[0], "--out", out) == (0, {"customer": people[0], "out": str(out)})
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as archive:
        assert "eva@example.com" in archive.read("data.json").decode()
    missing = tmp_path / "nowhere" / "eva.zip"
    assert run("customers", "personal-data", people[0], "--out", missing)[0] == 2
    assert run("customers", "personal-data", 999, "--out", out)[0] == 1
    assert sorted(path.name for path in tmp_path.glob("eva*")) == ["eva.zip"]


def test_erasing_prints_a_receipt(run: Run, people: tuple[int, int]) -> None:
    code, receipt = run("customers", "erase", people[0], "--yes")
    assert (code, receipt["customer"], receipt["rows"]["customer_email"]) == (0, people[0], 1)
    assert receipt["scrubbed_at"] > receipt["at"]
    assert run("customers", "erase", people[0], "--yes") == (1, {"error": "This customer has been erased already.", "fields": {}})
    assert run("customers", "show", people[0])[0] == 1


def test_the_record_is_verified(run: Run, crm: Crm, people: tuple[int, int]) -> None:
    code, found = run("audit", "verify")
    assert (code, found["sound"], found["problems"]) == (0, True, [])
    assert run("audit", "verify", "--head", found["head"])[0] == 0
    with crm.database.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM change WHERE id = (SELECT max(id) FROM change)"))
    code, found = run("audit", "verify")
    assert (code, found["sound"], [one["problem"] for one in found["problems"]]) == (1, False, ["entries removed"])
