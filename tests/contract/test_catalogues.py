"""Everything the platform says is translated, and what is compiled is what was written."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = sorted([*ROOT.glob("web/*/translations/*/LC_MESSAGES/*.po"), *ROOT.glob("plugins/*/src/*/translations/*/LC_MESSAGES/*.po")])

PLUGINS = sorted(ROOT.glob("plugins/*/src/*/translations"))


@pytest.fixture(scope="module")
def catalogues() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogues", ROOT / "tools" / "catalogues.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_message_of_code_and_templates_is_translated(catalogues: Any) -> None:
    lacking = {locale: catalogues.missing(catalogues.updated(locale)) for locale in catalogues.LOCALES}
    assert lacking == {locale: [] for locale in catalogues.LOCALES}, "run make catalogues and translate what is new"


def test_no_message_hides_inside_an_f_string() -> None:
    """There the extraction of messages does not see it before Python 3.12."""
    sources = [path for folder in ("core", "web", "plugin_api", "plugins") for path in (ROOT / folder).rglob("*.py")]
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sources
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("_", "_n")
    ]
    assert hidden == []


def test_no_message_that_nobody_says_is_left(catalogues: Any) -> None:
    said = {message.id for message in catalogues.extracted() if message.id}
    for locale in catalogues.LOCALES:
        path = catalogues.HOME / locale / "LC_MESSAGES" / "regulars.po"
        with path.open("rb") as file:
            kept = {message.id for message in catalogues.read_po(file) if message.id}
        assert kept == said


@pytest.mark.parametrize("written", WRITTEN, ids=lambda path: path.stem)
def test_what_is_compiled_is_what_was_translated(written: Path) -> None:
    with written.open("rb") as po, written.with_suffix(".mo").open("rb") as mo:
        compiled, source = ([(str(one.id), str(one.string)) for one in texts if one.id] for texts in (read_mo(mo), read_po(po)))
    # Plurals are lists in one and tuples in the other.
    assert sorted(_plain(compiled)) == sorted(_plain(source))


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.parent.name)
def test_plugins_here_speak_every_language_of_the_platform(catalogues: Any, folder: Path) -> None:
    said = {}
    for locale in catalogues.LOCALES:
        with (folder / locale / "LC_MESSAGES" / f"{folder.parent.name}.po").open("rb") as file:
            catalogue = read_po(file)
        assert catalogues.missing(catalogue) == []
        said[locale] = {message.id for message in catalogue if message.id}
    # That none is missing in Swedish is for each plugin's own tests.
    assert said == dict.fromkeys(said, said["sv"])


def _plain(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(message.strip("()[]"), text.strip("()[]")) for message, text in pairs]
