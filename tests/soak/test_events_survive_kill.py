"""Several workers, one killed or frozen in the middle: every effect in the database exactly once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from regulars_testkit.counting.proof import BUILT_IN, Proof, wait

ROUNDS = int(os.environ.get("REGULARS_SOAK_ROUNDS", "20"))


def survive_kill(proof: Proof, events: int, kill_at: int) -> None:
    """Two workers, one killed once so many deliveries are done; the other finishes, and ends when told to."""
    proof.tell(events)
    with proof.workers(BUILT_IN, BUILT_IN) as (victim, survivor):
        wait(lambda: proof.done() >= kill_at)
        victim.send_signal(signal.SIGKILL)
        wait(lambda: proof.done() == events)
        survivor.send_signal(signal.SIGTERM)
        assert survivor.wait(60) == 0
    proof.check(told_again=2 * proof.crm.jobs.limits.batch)
    proof.crm.close()


def test_every_event_takes_effect_once_though_a_worker_is_killed(database_url: str, tmp_path: Path) -> None:
    survive_kill(Proof(database_url, tmp_path), 600, 150)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, ROUNDS + 1))
def test_3000_events_take_effect_once_though_a_worker_is_killed(database_url: str, tmp_path: Path, part: int) -> None:
    survive_kill(Proof(database_url, tmp_path), 3000, 3000 * part // (ROUNDS + 3))


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, 6))
def test_every_event_takes_effect_once_though_a_worker_freezes_for_longer_than_its_lease(
    database_url: str, tmp_path: Path, part: int
) -> None:
    proof = Proof(database_url, tmp_path)
    proof.tell(1000)
    with proof.workers(BUILT_IN, BUILT_IN, BUILT_IN) as workers:
        wait(lambda: proof.done() >= part * 150)
        workers[0].send_signal(signal.SIGSTOP)
        time.sleep(6)
        workers[0].send_signal(signal.SIGCONT)
        wait(lambda: proof.done() == 1000)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    # One that freezes with SQLite's write lock in its hand keeps the others from renewing theirs.
    proof.check(told_again=3 * 2 * proof.crm.jobs.limits.batch)
    proof.crm.close()
