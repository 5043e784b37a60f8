"""The sample chain, served without plugins to a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from regulars_testkit.browser import Site, browser_type_launch_args, complaints, served
from regulars_web import demo

__all__ = ["browser_type_launch_args", "complaints"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    """The running system."""
    home = tmp_path_factory.mktemp("home")
    database = shutil.copyfile(sqlite_template, home / "regulars.db")
    with served(home, f"sqlite:///{database}", plugins=[]) as running:
        demo.fill(running.crm, "small")
        yield running
