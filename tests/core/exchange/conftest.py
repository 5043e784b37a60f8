"""The command line on the system under test, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from regulars_testkit.crm import CrmHarness
from regulars_web import cli as command_line


class Reply(NamedTuple):
    """Exit code, the JSON document on standard output, and what was said on standard error."""

    code: int
    document: Any
    said: str


Cli = Callable[..., Reply]


@pytest.fixture
def cli(crm: CrmHarness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """``cli("imports", "show", 3)``, with ``--json``, on the database and home of ``crm``."""
    monkeypatch.setenv("REGULARS_HOME", str(crm.config.home))
    monkeypatch.setenv("REGULARS_DATABASE_URL", crm.config.database_url)

    def run(*words: object) -> Reply:
        monkeypatch.setattr(sys, "argv", ["regulars", *map(str, words), "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            command_line.main()
        out, said = capsys.readouterr()
        return Reply(int(leaving.value.code or 0), json.loads(out), said)

    return run
