"""Two workers, one killed without warning in the middle: every effect in the database exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sample_plugins import open_with
from sample_plugins.counting import plugin

from regulars_core.bus.models import Delivery, Event
from regulars_core.crm import Crm
from regulars_core.plugins import switching
from regulars_plugin_api.events import StoreCreated, emit

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("count", [600, pytest.param(3000, marks=pytest.mark.soak)])
def test_every_event_takes_effect_once_though_a_worker_is_killed(database_url: str, tmp_path: Path, count: int) -> None:
    crm = open_with(database_url, tmp_path, plugin)
    switching.enable(crm, "counting")
    for start in range(0, count, 100):
        with crm.transaction() as session:
            for number in range(start, start + 100):
                emit(session, StoreCreated(store_id=number, code=str(number)))
    workers = [_worker(database_url, tmp_path) for _worker_number in range(2)]
    try:
        _wait(lambda: _done(crm) >= count // 4)
        workers[0].send_signal(signal.SIGKILL)
        _wait(lambda: _done(crm) == count)
        workers[1].send_signal(signal.SIGTERM)
        assert workers[1].wait(20) == 0
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    with crm.read() as session:
        uids = session.scalars(sa.select(Event.uid).where(Event.type == StoreCreated.type)).all()
        effects = session.scalars(sa.select(plugin.effects.c.event_uid)).all()
    assert Counter(effects) == Counter(uids)
    told = Counter((tmp_path / "told").read_text().split())
    assert told.keys() == {f"{uid}:counting.count" for uid in uids}, "calls to the outside are at least once"
    assert told.total() - len(told) <= 2 * crm.jobs.limits.batch, "and again only for what the killed one held"
    crm.close()


def _worker(url: str, home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "REGULARS_HOME": str(home)}
    return subprocess.Popen([sys.executable, "-m", "sample_plugins.counting.worker", url, str(home)], env=environment)


def _done(crm: Crm) -> int:
    with crm.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(Delivery.state == "done")) or 0


def _wait(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < until, "the workers did not get on"
        time.sleep(0.02)
