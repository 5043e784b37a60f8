"""The command line: one JSON document on standard output, words on standard error, the exit codes of the contract."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from regulars_web import cli

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(blank_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run("users", "list")``: exit code, the JSON document, what was said. ``stdin`` is given as text."""
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REGULARS_DATABASE_URL", blank_database_url)

    def command(*words: str, stdin: str = "") -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["regulars", *words, "--json"])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        out, err = capsys.readouterr()
        return int(leaving.value.code or 0), json.loads(out) if out else None, err

    return command


@pytest.fixture
def home(run: Run, tmp_path: Path) -> Path:
    """A home with an administrator."""
    code, document, _said = run("init", "--admin-email", "admin@example.com", "--admin-password-stdin", stdin="korrekt häst batteri\n")
    assert (code, document["administrator"], document["password"]) == (0, "admin@example.com", None)
    return tmp_path / "home"


def test_init_makes_a_private_home_and_can_be_repeated(run: Run, home: Path) -> None:
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600
    key = (home / "secret.key").read_text()
    assert run("init")[0] == 0
    assert (home / "secret.key").read_text() == key
    code, rows, _said = run("db", "status")
    assert code == 0
    assert [(row["owner"], row["behind"]) for row in rows] == [("core", False)]
    assert run("db", "check")[:2] == (0, {"differences": {}})


def test_without_init_every_command_says_what_to_do(run: Run) -> None:
    code, document, said = run("stores", "list")
    if code == 0:
        pytest.fail("a command worked on a database that is not there")
    assert "regulars" in said
    assert document["error"] in said


def test_a_weak_password_is_refused_and_nobody_is_added(run: Run) -> None:
    code, document, said = run("init", "--admin-email", "admin@example.com", "--admin-password-stdin", stdin="password123\n")
    assert code == 2
    assert "easy to guess" in document["fields"]["password"]
    assert "easy to guess" in said
    assert run("users", "list")[1] == []


def test_users_come_and_go(run: Run, home: Path) -> None:
    code, added, _said = run("users", "add", "clerk@example.com", "--role", "clerk", "--name", "Cleo")
    assert code == 0
    assert len(added["password"]) == 23
    assert run("users", "grant", "clerk@example.com", "--role", "manager")[1] == {"email": "clerk@example.com", "roles": ["manager"]}
    assert run("users", "disable", "clerk@example.com")[1] == {"email": "clerk@example.com", "active": False}
    rows = {row["email"]: (row["name"], row["active"], row["roles"]) for row in run("users", "list")[1]}
    assert rows == {"admin@example.com": ("admin", True, ["administrator"]), "clerk@example.com": ("Cleo", False, ["manager"])}
    assert run("users", "disable", "nobody@example.com")[0] == 1
    assert run("users", "disable", "admin@example.com")[0] == 2


def test_a_record_goes_in_is_shown_and_comes_out(run: Run, home: Path, tmp_path: Path) -> None:
    assert run("stores", "add", "MALMO", "--name", "Malmö Triangeln", "--country", "SE")[0] == 0
    assert [store["code"] for store in run("stores", "list")[1]] == ["MALMO"]
    file, out, rejects = tmp_path / "people.csv", tmp_path / "out.jsonl", tmp_path / "rejects.csv"
    file.write_text("external_id,first_name,email,store\nC1,Åsa,asa@example.com,MALMO\nC2,Nils,nonsense,MALMO\n")
    code, tried, _said = run("import", "customer", str(file), "--dry-run")
    assert (code, tried["verdict"], tried["created"], len(tried["rejected"])) == (3, "partial", 1, 1)
    code, report, _said = run("import", "customer", str(file), "--rejects", str(rejects))
    assert (code, report["verdict"], report["records"], report["created"]) == (3, "partial", 2, 1)
    assert rejects.read_text("utf-8-sig").splitlines()[1].startswith("2,email,")
    assert run("imports", "show", str(report["run"]))[1] == report
    # PostgreSQL gives the numbers that a trial run drew to nobody else.
    number = next(str(one) for one in range(1, 9) if run("customers", "show", str(one))[0] == 0)
    assert run("customers", "show", number)[1]["display_name"] == "Åsa"
    assert run("export", "customer", "--format", "jsonl", "--out", str(out))[1]["records"] == 1
    assert json.loads(out.read_text())["external_id"] == "C1"
    code, undone, _said = run("imports", "undo", str(report["run"]))
    assert (code, undone["kept"]) == (0, [])
    assert run("customers", "show", number)[0] == 1
    assert [one["state"] for one in run("imports", "list")[1]] == ["undone", "done"]


def test_a_question_and_a_refusal_have_codes_of_their_own(run: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("external_id,first_name,birthday\nC1,Åsa,03/04/1984\n")
    code, report, _said = run("import", "customer", str(file))
    assert (code, report["verdict"], [one["option"] for one in report["questions"]]) == (4, "ask", ["date_order"])
    assert run("import", "customer", str(file), "--date-order", "dmy")[0] == 0
    file.write_bytes(b"")
    code, report, _said = run("import", "customer", str(file))
    assert (code, report["verdict"]) == (5, "reject")


@pytest.mark.parametrize(
    "words",
    [("bogus",), ("users", "add"), ("import", "customer"), ("import", "customer", "x", "--date-order", "ydm"), ("web", "--port", "x")],
)
def test_wrong_use_is_code_2(run: Run, home: Path, words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2


def test_a_wrong_setting_stops_the_start_with_its_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_TIMEZONE", "Malmö")
    code, _document, said = run("stores", "list")
    assert code == 1
    assert "REGULARS_TIMEZONE" in said


def test_the_sample_chain_is_the_same_each_time_and_goes_into_an_empty_system_only(run: Run, home: Path, tmp_path: Path) -> None:
    code, counts, _said = run("demo")
    assert (code, counts) == (0, {"stores": 12, "customers": 3000})
    code, _document, said = run("demo")
    assert code == 1
    assert "empty system only" in said
    assert run("doctor")[0] == 0


def test_a_database_that_is_gone_is_missed(tmp_path: Path, run: Run, home: Path, request: pytest.FixtureRequest) -> None:
    database = tmp_path / "blank.db"
    if not database.exists():
        return
    database.unlink()
    code, _document, said = run("init")
    assert code == 1
    assert "was used before and is gone" in said
    assert not database.exists()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``regulars run --bootstrap`` on an empty home, ready, and its address."""
    address = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "REGULARS_HOME": str(tmp_path / "home")}
    environment.pop("REGULARS_DATABASE_URL", None)
    command = [sys.executable, "-m", "regulars_web", "run", "--bootstrap", "--port", address.partition(":")[2]]
    with (tmp_path / "said").open("w") as said, subprocess.Popen(command, env=environment, stderr=said, text=True) as process:
        try:
            assert answers(f"http://{address}/readyz", within=90) == {"missing": [], "status": "ready"}
            yield process, address
        finally:
            process.kill()


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return list(psutil.Process(process.pid).children(recursive=True))


def test_run_starts_web_and_worker_on_an_empty_home_and_both_end_together(
    running: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, address = running
    parts = children(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert psutil.wait_procs(parts, timeout=5)[1] == []
    said = (tmp_path / "said").read_text()
    assert f"http://{address}" in said
    users = json.loads((tmp_path / "home" / "sample-users.json").read_text())
    assert sorted(users) == [f"{role}@example.com" for role in ("administrator", "analyst", "clerk", "manager", "marketer")]
    assert all(password in said for password in users.values())
    assert (tmp_path / "home" / "sample-users.json").stat().st_mode & 0o777 == 0o600


def test_nothing_stays_behind_when_run_is_killed(running: tuple[subprocess.Popen[str], str]) -> None:
    process, _address = running
    parts = children(process)
    process.kill()
    assert psutil.wait_procs(parts, timeout=30)[1] == []


def test_when_the_worker_dies_web_ends_too_and_says_so_by_its_code(running: tuple[subprocess.Popen[str], str]) -> None:
    process, _address = running
    next(part for part in children(process) if "worker" in part.cmdline()).kill()
    assert process.wait(60) == 1


def answers(address: str, within: float) -> Any:
    until = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:  # noqa: S310 - our own server
                return json.load(reply)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_an_upgrade_is_rehearsed_on_a_copy(run: Run, home: Path) -> None:
    code, document, _said = run("plugins", "rehearse-upgrade")
    assert (code, document["ok"], document["problems"]) == (0, True, [])
    assert [(step["owner"], step["before"] == step["after"]) for step in document["steps"]] == [("core", True)]
    assert run("plugins", "rehearse-upgrade", "nobody")[0] == 1
    assert list(home.glob("rehearsal-*")) == []
