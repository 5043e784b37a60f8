"""Telling events, workers to kill, and the count in the end. For tests of whatever runs deliveries."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
import structlog

from regulars_core.bus.models import Delivery, Event
from regulars_core.config import Config
from regulars_core.crm import Crm, open_crm
from regulars_core.jobs.leases import Limits
from regulars_core.plugins import switching
from regulars_core.plugins.loader import Candidate, installed
from regulars_plugin_api.events import StoreCreated, emit
from regulars_testkit.counting import plugin

log = structlog.get_logger(__name__)
BUILT_IN = ("-m", "regulars_testkit.counting.worker")
"""What Python runs for a worker of the platform."""
LEASE = dt.timedelta(seconds=4)
PATIENCE = 120.0


def opened() -> Crm:
    """The running system of the environment, with ``counting`` beside what is installed, and leases that end soon."""
    crm = open_crm(Config.from_environment(), plugins=[*installed(), Candidate("counting", "1.0", lambda: plugin, ())])
    crm.jobs.limits = Limits(lease=LEASE)
    return crm


def here(crm: Crm) -> None:
    """Say that this process works, by the file ``worker-<pid>`` in the home."""
    (crm.config.home / f"worker-{os.getpid()}").touch()


class Proof:
    """One database and home, and the processes that work on it. ``settings`` are variables of the environment."""

    def __init__(self, url: str, home: Path, **settings: str) -> None:
        about = {"REGULARS_HOME": str(home), "REGULARS_DATABASE_URL": url, "REGULARS_SECRET_KEY": "k" * 40, **settings}
        self.home, self.environment = home, {**os.environ, **about, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        own = Config.from_environment(self.environment)
        self.crm = open_crm(own, plugins=[*installed(), Candidate("counting", "1.0", lambda: plugin, ())])
        self.crm.jobs.limits = Limits(lease=LEASE)
        switching.enable(self.crm, "counting")

    def tell(self, count: int) -> None:
        """Emit events, a hundred in a transaction."""
        for start in range(0, count, 100):
            with self.crm.transaction() as session:
                for number in range(start, min(start + 100, count)):
                    emit(session, StoreCreated(store_id=number, code=str(number)))

    @contextmanager
    def workers(self, *programs: Sequence[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Processes of Python with these arguments, all of them at work; killed in the end."""
        processes = [subprocess.Popen([sys.executable, *program], env=self.environment) for program in programs]
        try:
            wait(lambda: all((self.home / f"worker-{one.pid}").exists() for one in processes))
            yield processes
        finally:
            for one in processes:
                one.kill()
                one.wait()

    def done(self) -> int:
        """How many deliveries are done."""
        with self.crm.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(Delivery.state == "done")) or 0

    def leased(self) -> int:
        """How many deliveries somebody holds."""
        with self.crm.read() as session:
            return session.scalar(sa.select(sa.func.count()).where(Delivery.leased_until > self.crm.clock.now())) or 0

    def told(self) -> Counter[str]:
        """How often the outside was told, by key."""
        file = self.home / "told"
        return Counter(file.read_text().split() if file.exists() else ())

    def check(self, *, told_again: int) -> Mapping[str, int]:
        """Every effect in the database exactly once; every call to the outside at least once with the same key, few of them again.

        Returns the number of events, effects, calls, and calls that were made again.
        """
        with self.crm.read() as session:
            uids = session.scalars(sa.select(Event.uid).where(Event.type == StoreCreated.type)).all()
            effects = session.scalars(sa.select(plugin.effects.c.event_uid)).all()
        assert Counter(effects) == Counter(uids)
        told = self.told()
        assert told.keys() == {f"{uid}:counting.count" for uid in uids}, "calls to the outside are at least once"
        again = told.total() - len(told)
        assert again <= told_again, "and again only for what was lost"
        counts = {"events": len(uids), "effects": len(effects), "calls": told.total(), "again": again}
        log.info("every effect exactly once", **counts)
        return counts


def wait(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Until it holds."""
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until, "the workers did not get on"
        time.sleep(0.02)
