"""The running system as a fixture, imported only by the tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from regulars_testkit.crm import CrmHarness


@pytest.fixture
def crm(database_url: str, tmp_path: Path) -> Iterator[CrmHarness]:
    """The running system without plugins switched on, once on SQLite and once on PostgreSQL."""
    from regulars_testkit.crm import open_harness

    harness = open_harness(database_url, tmp_path / "home")
    yield harness
    harness.close()
