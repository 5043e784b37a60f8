"""Several workers, one killed or frozen in the middle: every effect in the database exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


EVENTS = 3000


@pytest.mark.parametrize("part", [1, *(pytest.param(part, marks=pytest.mark.soak) for part in range(2, 6))])
def test_every_event_takes_effect_once_though_a_worker_is_killed(database_url: str, tmp_path: Path, part: int) -> None:
    crm = _told(database_url, tmp_path, EVENTS)
    with _workers(database_url, tmp_path, 2) as workers:
        _wait(lambda: _done(crm) >= part * EVENTS // 7)
        workers[0].send_signal(signal.SIGKILL)
        _wait(lambda: _done(crm) == EVENTS)
        workers[1].send_signal(signal.SIGTERM)
        assert workers[1].wait(20) == 0
    _check(crm, tmp_path, losing=1)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, 6))
def test_every_event_takes_effect_once_though_a_worker_freezes_for_longer_than_its_lease(
    database_url: str, tmp_path: Path, part: int
) -> None:
    crm = _told(database_url, tmp_path, 1000)
    with _workers(database_url, tmp_path, 3) as workers:
        _wait(lambda: _done(crm) >= part * 150)
        workers[0].send_signal(signal.SIGSTOP)
        time.sleep(4)
        workers[0].send_signal(signal.SIGCONT)
        _wait(lambda: _done(crm) == 1000)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(20) for worker in workers] == [0, 0, 0]
    # One that freezes with SQLite's write lock in its hand keeps the others from renewing theirs.
    _check(crm, tmp_path, losing=3)


def _told(url: str, home: Path, count: int) -> Crm:
    crm = open_with(url, home, plugin)
    switching.enable(crm, "counting")
    for start in range(0, count, 100):
        with crm.transaction() as session:
            for number in range(start, start + 100):
                emit(session, StoreCreated(store_id=number, code=str(number)))
    return crm


def _check(crm: Crm, home: Path, *, losing: int) -> None:
    """``losing`` workers may have lost their leases, two batches each."""
    with crm.read() as session:
        uids = session.scalars(sa.select(Event.uid).where(Event.type == StoreCreated.type)).all()
        effects = session.scalars(sa.select(plugin.effects.c.event_uid)).all()
    assert Counter(effects) == Counter(uids)
    told = Counter((home / "told").read_text().split())
    assert told.keys() == {f"{uid}:counting.count" for uid in uids}, "calls to the outside are at least once"
    assert told.total() - len(told) <= losing * 2 * crm.jobs.limits.batch, "and again only for what was lost"
    crm.close()


@contextmanager
def _workers(url: str, home: Path, number: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    workers = [_worker(url, home) for _number in range(number)]
    try:
        _wait(lambda: len(list(home.glob("worker-*"))) == number)
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


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
