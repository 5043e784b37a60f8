"""Copies of the plugin ``wrapping`` that are installed, and spoiled, one at a time."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from regulars_core.plugins.loader import Candidate
from regulars_plugin_api.db import Base
from regulars_testkit.conformance import Subject

HERE = Path(__file__).parent
ORIGINAL = "wrapping"
_numbers = itertools.count(1)


@contextmanager
def sample(
    folder: Path, edits: Mapping[str, tuple[str, str]] | None = None, *, files: Mapping[str, str] | None = None, version: int = 1
) -> Iterator[Subject]:
    """A copy under a name of its own: ``edits`` replaces ``(before, after)`` by path, ``files`` adds whole files.

    The platform's models are shared by the whole process, so its tables are taken out again at the end.
    """
    name = f"{ORIGINAL}{next(_numbers)}"
    package = folder / f"regulars_{name}"
    shutil.copytree(HERE / ORIGINAL, package, ignore=shutil.ignore_patterns("__pycache__"))
    if version == 2:
        shutil.copytree(HERE / f"{ORIGINAL}_two", package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "__init__.py"))
    for path, (before, after) in (edits or {}).items():
        text = (package / path).read_text(encoding="utf-8")
        assert before in text, f"{path} has nothing like {before!r}"
        (package / path).write_text(text.replace(before, after), encoding="utf-8")
    for path, text in (files or {}).items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text, encoding="utf-8")
    _rename(package, name)
    sys.path.insert(0, str(folder))
    known = set(Base.metadata.tables)
    try:
        readme = (package / "README.md").read_text(encoding="utf-8")
        yield Subject(Candidate(name, f"{version}.0", lambda: importlib.import_module(f"regulars_{name}.plugin")), readme=readme)
    finally:
        sys.path.remove(str(folder))
        for table in set(Base.metadata.tables) - known:
            Base.metadata.remove(Base.metadata.tables[table])
        for module in [one for one in sys.modules if one.partition(".")[0] == package.name]:
            del sys.modules[module]


def _rename(package: Path, name: str) -> None:
    for path in sorted(package.rglob("*"), reverse=True):
        if path.is_file() and path.suffix != ".mo":
            text = path.read_text(encoding="utf-8").replace("sample_plugins.", "regulars_")
            path.write_text(text.replace(ORIGINAL, name), encoding="utf-8")
        if ORIGINAL in path.name:
            path.rename(path.with_name(path.name.replace(ORIGINAL, name)))
