"""Executors of plugins: batches handed over, those they cannot take, work under a wrong name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sample_plugins import open_with, toy
from sample_plugins.wonder import Wonder, regions, soon, states, tell, work_off, worker

from regulars_core.config import WrongSetting
from regulars_core.crm import Crm
from regulars_core.jobs.worker import run_worker
from regulars_core.plugins import switching
from regulars_plugin_api.contributions import Executor, Job, LeasedBatch


def by_post(wonder: Wonder, executors: Callable[[], Iterable[Executor]], url: str, home: Path) -> Crm:
    """A running system whose toy plugin brings these executors as well, of which ``post`` is chosen."""
    module = wonder.module()
    vars(module)["executors"] = vars(toy("toy", executors))["executors"]
    crm = open_with(url, home, module, executor="post")
    switching.enable(crm, "toy")
    return crm


def test_another_executor_takes_the_batches(database_url: str, tmp_path: Path, wonder: Wonder) -> None:
    taken: list[LeasedBatch] = []

    def executors() -> Iterable[Executor]:
        yield Executor("post", "By post", lambda _crm, batch: taken.append(batch))

    crm = by_post(wonder, executors, database_url, tmp_path)
    tell(crm, "N")
    with worker(crm):
        assert soon(lambda: len(taken) == 1)
    assert regions(crm) == []
    crm.jobs.deliver(taken[0])
    assert regions(crm) == ["N"]
    unknown = open_with(database_url, tmp_path, wonder.module(), executor="pigeon")
    with pytest.raises(WrongSetting, match=r"REGULARS_EXECUTOR: expected one of"):
        run_worker(unknown, threading.Event())


def test_what_an_executor_cannot_take_now_stays_for_others(database_url: str, tmp_path: Path, wonder: Wonder) -> None:
    has_room = threading.Event()
    refused: list[LeasedBatch] = []

    def submit(crm: Any, batch: LeasedBatch) -> None:
        refused.append(batch)
        raise ConnectionError("the post office is closed")

    def executors() -> Iterable[Executor]:
        yield Executor("post", "By post", submit, lambda crm: has_room.is_set())

    crm = by_post(wonder, executors, database_url, tmp_path)
    tell(crm, "N")
    with worker(crm):
        time.sleep(0.6)
        assert refused == [], "nothing is leased without room"
        has_room.set()
        assert soon(lambda: len(refused) > 1), "what could not be passed on is given back at once"
    work_off(crm)
    assert (regions(crm), states(crm)) == (["N"], [("done", 0, None)])


def test_work_under_another_plugins_name_is_left_out(sqlite_url: str, tmp_path: Path) -> None:
    def jobs() -> Iterable[Job]:
        yield Job("other.tidy", lambda crm, job_run: None)

    crm = open_with(sqlite_url, tmp_path, toy("toy", jobs))
    switching.enable(crm, "toy")
    assert crm.jobs.jobs() == {}
