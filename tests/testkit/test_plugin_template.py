"""A plugin just written by ``regulars plugins new`` passes its own tests and the check, untouched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regulars_web.commands.new_plugin import write

pytestmark = [pytest.mark.xdist_group("plugin folders"), pytest.mark.timeout(600)]


class Folder:
    """A plugin's folder, installed beside the platform but outside of its environment."""

    def __init__(self, folder: Path, away: Path) -> None:
        self.folder, self.site, self.home = folder, away / "site", away / "home"
        self.python("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(self.site), str(folder))

    def python(self, *arguments: str) -> str:
        """Run Python there and return what it says."""
        away = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "REGULARS_"))}
        environment = {**away, "PYTHONPATH": str(self.site), "REGULARS_HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def regulars(self, *words: str) -> Any:
        """Run a command of ``regulars`` and return its JSON document."""
        return json.loads(self.python("-c", "from regulars_web.cli import main; main()", *words, "--json"))


def test_a_new_plugin_passes_its_tests_and_the_check_untouched(tmp_path: Path) -> None:
    write("gift_notes", "Gift notes", tmp_path / "new")
    folder = Folder(tmp_path / "new", tmp_path)
    assert " passed" in folder.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_entries.py")
    report = folder.regulars("plugins", "check", "gift_notes", "--tier", "silver")
    assert (report["findings"], report["reached"]) == ([], "silver")
