"""``regulars plugins check``: the checks outside pytest, as a document, in words, and as an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sample_plugins.samples import sample

from regulars_testkit import conformance
from regulars_testkit.conformance import Subject, running
from regulars_testkit.conformance.databases import NoPostgres, PostgresDatabases, some_postgres
from regulars_testkit.postgres import PostgresServer
from regulars_web import cli

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Check:
    """``check(subject, …)``: exit code, standard output and standard error of the command on a plugin."""
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "no-home"))

    def command(subject: Subject, *options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(conformance, "find", lambda name: subject)
        monkeypatch.setattr(sys, "argv", ["regulars", "plugins", "check", subject.name, *options])
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        out, err = capsys.readouterr()
        return int(leaving.value.code or 0), out, err

    return command


@contextmanager
def no_postgres() -> Iterator[PostgresDatabases]:
    raise NoPostgres("there is none here")
    yield


def test_a_good_plugin_is_told_so_without_a_home(check: Check, tmp_path: Path) -> None:
    with sample(tmp_path) as subject:
        code, out, err = check(subject, "--tier", "bronze", "--json")
    told = json.loads(out)
    assert (code, told["plugin"], told["wanted"], told["reached"]) == (0, subject.name, "bronze", "bronze")
    assert (told["passed"], told["findings"], told["left_out"]) == (True, [], [])
    assert {"package.loads", "access.strangers_stay_out", "switched_off.addresses_are_gone"} <= set(told["run"])
    assert "personal_data.mapped" not in told["run"]
    assert not (tmp_path / "no-home").exists()
    assert "finding" not in err


def test_what_was_found_is_told_with_a_hint(check: Check, tmp_path: Path) -> None:
    with sample(tmp_path, {"views.py": ('@access("wrapping.edit")\n', "")}) as subject:
        code, out, _err = check(subject, "--tier", "bronze")
    assert code == 1
    first, hint, *_rest, last = out.splitlines()
    assert first == f"[bronze] access.declared: POST /{subject.name}/customers/1 ({subject.name}.make) has no access rule."
    assert hint == '    Put @access("<plugin>.<verb>") below the route, or @access(PUBLIC).'
    assert last.endswith("1 findings, tier reached: none")


def test_without_the_option_the_tier_is_the_one_claimed(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "all_checks", lambda: [one for one in conformance.all_checks() if one.id.startswith("documentation.")])
    with sample(tmp_path, {"plugin.py": ('docs="https://docs.example.com/wrapping"', 'docs=""')}) as subject:
        code, out, _err = check(subject, "--json")
    assert (code, json.loads(out)["wanted"], json.loads(out)["reached"]) == (1, "gold", "silver")


def test_without_postgresql_silver_is_not_given(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ("migrations.in_step", "package.loads", "translations.swedish")
    monkeypatch.setattr(running, "some_postgres", no_postgres)
    monkeypatch.setattr(running, "all_checks", lambda: [one for one in conformance.all_checks() if one.id in wanted])
    with sample(tmp_path) as subject:
        code, out, err = check(subject, "--tier", "silver", "--json")
    told = json.loads(out)
    assert (code, told["reached"], told["findings"]) == (1, "bronze", [])
    assert told["run"] == ["package.loads", "migrations.in_step[sqlite]", "translations.swedish"]
    assert told["left_out"] == ["migrations.in_step[postgres]: there is none here"]
    assert "Not run: migrations.in_step[postgres]: there is none here" in err


def test_what_does_not_load_is_examined_no_further(check: Check, tmp_path: Path) -> None:
    with sample(tmp_path, {"plugin.py": ('api="1.0"', 'api="9.0"')}) as subject:
        code, out, _err = check(subject, "--json")
    told = json.loads(out)
    assert (code, told["reached"], told["run"], len(told["findings"])) == (1, None, ["package.loads"], 1)


def test_a_plugin_nobody_installed_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["regulars", "plugins", "check", "nowhere", "--json"])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert (leaving.value.code, json.loads(capsys.readouterr().out)["error"]) == (1, "There is no plugin named nowhere.")


@pytest.mark.postgres
def test_a_server_that_is_named_is_used_and_left_as_it_was(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_TEST_POSTGRES", postgres_server.url())
    before = _databases(postgres_server)
    with some_postgres() as databases:
        url = databases.new()
        assert len(_databases(postgres_server) - before) == 2
        databases.drop(url)
    assert _databases(postgres_server) - before == set()


def _databases(server: PostgresServer) -> set[Any]:
    import psycopg

    with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'conformance%'")}
