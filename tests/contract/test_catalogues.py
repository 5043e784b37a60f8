"""Everything the platform says is translated, and what is compiled is what was written."""

from __future__ import annotations

import gettext
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


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


def test_no_message_that_nobody_says_is_left(catalogues: Any) -> None:
    said = {message.id for message in catalogues.extracted() if message.id}
    for locale in catalogues.LOCALES:
        path = catalogues.HOME / locale / "LC_MESSAGES" / "regulars.po"
        with path.open("rb") as file:
            kept = {message.id for message in catalogues.read_po(file) if message.id}
        assert kept == said


def test_what_is_compiled_is_what_was_translated(catalogues: Any) -> None:
    for locale in catalogues.LOCALES:
        folder = catalogues.HOME / locale / "LC_MESSAGES"
        with (folder / "regulars.mo").open("rb") as compiled, (folder / "regulars.po").open("rb") as written:
            translations = gettext.GNUTranslations(compiled)
            for message in catalogues.read_po(written):
                if message.id and isinstance(message.id, str):
                    assert translations.gettext(message.id) == message.string
