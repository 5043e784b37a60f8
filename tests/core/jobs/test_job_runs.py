"""Job runs: once per period and key, tried again, cancelled between batches."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sample_plugins import open_with, rolled_back
from sample_plugins.wonder import NOON, MovingClock, Wonder, move, periods, regions, soon, worker

from regulars_core.crm import Crm
from regulars_core.jobs.leases import claim
from regulars_core.jobs.models import JobSlot
from regulars_core.jobs.progress import Progress
from regulars_core.plugins import switching
from regulars_core.stores.models import Region
from regulars_plugin_api.contributions import JobRun
from regulars_plugin_api.errors import JobCancelled
from regulars_web import job_desk


def test_a_periodic_job_runs_once_per_period_on_two_hosts(database_url: str, tmp_path: Path, wonder: Wonder) -> None:
    crms = [open_with(database_url, tmp_path, wonder.module(every=dt.timedelta(hours=1))) for _host in range(2)]
    clock = MovingClock()
    for crm in crms:
        crm.clock = clock
    switching.enable(crms[0], "toy")
    with worker(*crms):
        assert soon(lambda: periods(crms[0]) == ["done"])
        clock.time += dt.timedelta(minutes=59)
        time.sleep(0.6)
        clock.time += dt.timedelta(minutes=1)
        assert soon(lambda: periods(crms[0]) == ["done", "done"])
        time.sleep(0.6)
    assert wonder.calls == [JobRun("toy.tidy", f"2026-03-01T{hour}:00:00+00:00", {}, 1) for hour in (12, 13)]


def test_a_job_is_started_by_key_once_with_the_transaction(crm: Crm, wonder: Wonder) -> None:
    with rolled_back(crm.transaction()) as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with crm.transaction() as session:
        asked = [crm.jobs.start(session, "toy.tidy", key, {"shelf": 3}) for key in ("tuesday", "tuesday")]
        crm.jobs.start(session, "toy.tidy", "wednesday", due_at=NOON + dt.timedelta(days=1))
    assert asked == [True, False]
    with worker(crm):
        assert soon(lambda: len(wonder.calls) == 1)
        time.sleep(0.5)
    assert wonder.calls == [JobRun("toy.tidy", "tuesday", {"shelf": 3}, 1)]


def test_a_job_that_fails_is_tried_again(crm: Crm, wonder: Wonder) -> None:
    def fail(job_run: JobRun) -> None:
        wonder.calls.append(job_run.attempt)
        if job_run.attempt == 1:
            raise OSError("disk full")

    wonder.job = fail
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with worker(crm):
        assert soon(lambda: wonder.calls == [1])
        assert soon(lambda: _slot(crm).error == "OSError: disk full")
        move(crm, seconds=4)
        assert soon(lambda: _slot(crm).state == "done")
    assert wonder.calls == [1, 2]


def test_a_job_says_how_far_it_is_and_ends_between_batches_when_it_is_cancelled(
    crm: Crm, wonder: Wonder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulars_core.jobs.progress.EVERY", 0.0)
    begun, go_on, numbers = threading.Event(), threading.Event(), itertools.count(1)

    def in_batches(job_run: JobRun) -> None:
        for done in range(1, 5):
            with crm.transaction() as session:
                session.add(Region(name=f"batch {next(numbers)}"))
            job_run.progress(done, 4)
            if done == 2:
                begun.set()
                assert go_on.wait(60)

    wonder.job = in_batches
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with worker(crm):
        assert begun.wait(60)
        assert (_slot(crm).done, _slot(crm).total) == (2, 4)
        with crm.transaction() as session:
            assert job_desk.cancel(session, _slot(crm).id) is False, "it runs, and ends when it next reports"
        go_on.set()
        assert soon(lambda: _slot(crm).state == "dead")
    assert (_slot(crm).error, regions(crm)) == ("cancelled", ["batch 1", "batch 2", "batch 3"])
    with crm.transaction() as session:
        job_desk.retry(session, _slot(crm).id)
    with worker(crm):
        assert soon(lambda: _slot(crm).state == "done")
    assert (_slot(crm).done, _slot(crm).total, _slot(crm).stopping, _slot(crm).attempts) == (4, 4, False, 0)


def test_a_cancelled_run_whose_worker_died_is_not_begun_again(crm: Crm, wonder: Wonder) -> None:
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with crm.database.transaction() as session:
        assert claim(session, JobSlot, "toy.tidy", crm.clock.now(), crm.jobs.limits) is not None
    with crm.transaction() as session:
        job_desk.cancel(session, _slot(crm).id)
    move(crm, seconds=61)
    with worker(crm):
        assert soon(lambda: _slot(crm).state == "dead")
    assert (wonder.calls, _slot(crm).error) == ([], "cancelled")


def test_a_run_that_another_worker_has_taken_over_ends(crm: Crm) -> None:
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.tidy", "monday")
    with pytest.raises(JobCancelled):
        Progress(crm, _slot(crm).id, "a fence of long ago")(1)


def _slot(crm: Crm) -> JobSlot:
    with crm.read() as session:
        return session.scalars(sa.select(JobSlot)).one()


def test_long_work_of_core_runs_beside_in_slices(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars_core.jobs.worker.TROUBLED", 0.1)
    left, seen = [3, 2, 1], []

    def runner(given: Crm) -> bool:
        if not left:
            return False
        seen.append(left.pop(0))
        if seen == [3]:
            raise ConnectionError("try again")
        return True

    with worker(crm, runners=[runner]):
        assert soon(lambda: seen == [3, 2, 1])
