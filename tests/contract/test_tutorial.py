"""The tutorial works: its files are written and its commands run as they stand on the page, in order, away from the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "develop" / "tutorial.md"
BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(?P<language>[\w+]+)\n(?::caption: (?P<caption>[^\n]+)\n)?(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
# What `python3 -m venv` gives here: an environment in which the platform is installed already, so that pip has nothing to fetch.
VENV = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    {python} -m venv --without-pip "$3"
    echo "import site; site.addsitedir('{packages}')" > "$3"/lib/python{version}/site-packages/platform.pth
    for program in pip pybabel pytest regulars; do
        {{ echo "#!$PWD/$3/bin/python"; cat {scripts}/$program | tail -n +2; }} > "$3/bin/$program"
        chmod +x "$3/bin/$program"
    done
else
    exec {python} "$@"
fi
"""
pytestmark = [pytest.mark.xdist_group("plugin folders"), pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Block:
    """A file or a dialogue with the shell; ``line`` is where it stands on the page."""

    line: int
    language: str
    caption: str | None
    text: str


def blocks(page: str) -> Iterator[Block]:
    for found in BLOCK.finditer(page):
        yield Block(page.count("\n", 0, found.start()) + 1, found["language"], found["caption"], found["text"])


class Reader:
    """Does what the page says, in a shell that keeps its folder and variables from one block to the next."""

    def __init__(self, folder: Path) -> None:
        programs = folder / "programs"
        programs.mkdir()
        scripts = sysconfig.get_path("scripts")
        known = {"python": sys.executable, "packages": sysconfig.get_path("purelib"), "scripts": scripts}
        (programs / "python3").write_text(VENV.format(version=f"{sys.version_info[0]}.{sys.version_info[1]}", **known))
        (programs / "python3").chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "REGULARS_", "PYTHON"))}
        # pip finds everything installed, and builds with the setuptools that is there.
        no_network = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        self._environment = {**kept, **no_network, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        self._folder, self._state = folder, folder / "state"
        self.work = folder / "alterations"

    def do(self, block: Block) -> None:
        """Write the file, or run the commands and compare what they say."""
        if block.language == "console":
            for command, expected in dialogue(block.text):
                said = self._run(command)
                assert fits(said, expected), f"line {block.line}: {command}\n--- expected\n{expected}\n--- said\n{said}"
        else:
            assert block.caption is not None, f"line {block.line}: a file without a name"
            self._write(block)

    def _write(self, block: Block) -> None:
        name, _blank, how = (block.caption or "").partition(" ")
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if how else ""
        if how.startswith("(replaces "):
            before = without_hook(before, how[10:-1])
        path.write_text("\n\n".join(filter(None, (before, block.text))), encoding="utf-8")

    def _run(self, command: str) -> str:
        remember = f'status=$?; export -p > {self._state}; echo "cd \\"$PWD\\"" >> {self._state}; exit $status'
        script = f"[ -e {self._state} ] && . {self._state}\n{command}\n{remember}"
        outcome = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, f"{command}\n{outcome.stdout}"
        return outcome.stdout


def dialogue(text: str) -> Iterator[tuple[str, str]]:
    """Commands with the answers shown below them."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _newline, answer = part.partition("\n")
        yield command, answer


def fits(said: str, expected: str) -> bool:
    """Whether what was said is what is shown, ``…`` standing for anything; columns may be wider."""
    pattern = ".*".join(r"\s+".join(map(re.escape, part.split())) for part in expected.split("…"))
    return re.search(pattern, said, re.DOTALL) is not None


def without_hook(source: str, name: str) -> str:
    """The source of a module without one of its hooks."""
    left, count = re.subn(rf"^@hookimpl\ndef {name}\(.*?(?=^@|^def |\Z)", "", source, flags=re.MULTILINE | re.DOTALL)
    assert count == 1, f"{name} is not in the file"
    return left


def test_the_tutorial_works_as_it_stands(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        reader.do(block)
    shutil.rmtree(tmp_path)
