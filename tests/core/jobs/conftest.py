"""What tests of deliveries, job runs and executors share."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_plugins import open_with
from sample_plugins.wonder import MovingClock, Wonder

from regulars_core.crm import Crm
from regulars_core.plugins import switching


@pytest.fixture
def wonder() -> Wonder:
    return Wonder()


@pytest.fixture
def crm(database_url: str, tmp_path: Path, wonder: Wonder) -> Crm:
    crm = open_with(database_url, tmp_path, wonder.module())
    crm.clock = MovingClock()
    switching.enable(crm, "toy")
    return crm
