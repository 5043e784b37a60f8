"""``regulars plugins new``: what it can't write it refuses in words."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from regulars_core.plugins import loader
from regulars_web import cli

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run("gift_notes")``: exit code, the JSON document, what was said."""
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["regulars", "plugins", "new", *words, "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        out, err = capsys.readouterr()
        return int(leaving.value.code or 0), json.loads(out) if out else None, err

    return command


@pytest.mark.parametrize(
    "name",
    [
        *("Gift Notes", "gift-notes", "9lives", "_notes", "gift__notes", "x" * 31, "", "class", "match"),
        *("core", "web", "plugin_api", "customers", "import", "static", "doctor"),
        *("customer", "event", "tailoring", "tailoring_plus"),
    ],
)
def test_a_name_that_can_not_be_is_refused_in_words(run: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "installed", lambda: [loader.Candidate("tailoring", "1.0", lambda: ModuleType("tailoring"))])
    code, answer, said = run(name)
    assert (code, list(answer["fields"])) == (2, ["name"])
    assert answer["fields"]["name"] in said
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("title", ['"Gift"', "50% off", "a{b}", "<b>", "two\nlines", "x" * 61])
def test_a_title_that_would_break_the_code_is_refused(run: Run, title: str, tmp_path: Path) -> None:
    code, answer, _said = run("gift_notes", "--title", title)
    assert (code, list(answer["fields"]), list(tmp_path.iterdir())) == (2, ["title"], [])


def test_titles_in_any_script_are_fine(run: Run, tmp_path: Path) -> None:
    code, made, _said = run("gift_notes", "--title", "Présents & 礼物")
    assert (code, made["folder"]) == (0, str(tmp_path / "regulars-gift-notes"))
    text = "".join(Path(made["folder"], name).read_text(encoding="utf-8") for name in made["files"] if not name.endswith(".mo"))
    assert [mark for mark in ("[[", "[%", ".jinja") if mark in text] == []
    manifest = (tmp_path / "regulars-gift-notes" / "src" / "regulars_gift_notes" / "plugin.py").read_text(encoding="utf-8")
    assert 'title=_("Présents & 礼物")' in manifest


def test_a_filled_folder_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    code, answer, _said = run("gift_notes", "--out", "mine")
    assert (code, list(answer["fields"])) == (2, ["out"])
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_without_the_kit_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_copier(name: str, *rest: Any, **more: Any) -> Any:
        if name == "copier":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_copier)
    code, answer, _said = run("gift_notes")
    assert (code, "pip install 'regulars[kit]'" in answer["error"]) == (1, True)


def test_names_are_needed(run: Run) -> None:
    assert run()[0] == 2
