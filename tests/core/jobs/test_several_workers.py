"""Several workers on one database: told to stop, frozen beyond their leases, with clocks that differ."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from regulars_testkit.counting.proof import BUILT_IN, Proof, wait


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.soak)])
def test_workers_share_the_work_and_drain_when_told_to_stop(postgres_url: str, tmp_path: Path, count: int) -> None:
    proof = Proof(postgres_url, tmp_path, COUNTING_DELAY="0.02")
    proof.tell(1000)
    with proof.workers(*[BUILT_IN] * count) as workers:
        wait(lambda: proof.done() > 0)
        began = time.monotonic()
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(60) for worker in workers] == [0] * count
    assert time.monotonic() - began < 10, "what a batch had not begun was left"
    assert proof.leased() == 0, "and given back at once"
    assert 0 < proof.done() == proof.told().total() < 1000, "what was begun was finished"


def test_work_that_hangs_is_given_back_after_a_while(database_url: str, tmp_path: Path) -> None:
    proof = Proof(database_url, tmp_path, COUNTING_DELAY="60", COUNTING_DRAIN="0.5")
    proof.tell(150)
    with proof.workers(BUILT_IN) as (worker,):
        wait(lambda: proof.leased() == 100)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert (proof.leased(), proof.done()) == (0, 0)


def test_a_worker_that_was_frozen_beyond_its_lease_writes_nothing(postgres_url: str, tmp_path: Path) -> None:
    frozen = Proof(postgres_url, tmp_path, COUNTING_DELAY="0.05")
    frozen.tell(200)
    with frozen.workers(BUILT_IN) as (worker,):
        wait(lambda: frozen.told().total() > 0)
        worker.send_signal(signal.SIGSTOP)
        begun, done = frozen.told().total(), frozen.done()
        frozen.environment["COUNTING_DELAY"] = "0"
        with frozen.workers(BUILT_IN) as (other,):
            wait(lambda: frozen.done() == 200)
            worker.send_signal(signal.SIGCONT)
            wait(lambda: frozen.told().total() >= 200 + begun - done + 1)
            for one in (worker, other):
                one.send_signal(signal.SIGTERM)
            assert [one.wait(60) for one in (worker, other)] == [0, 0]
    frozen.check(told_again=100)
