"""Deliveries on Celery over a real Redis."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from regulars_core.plugins import switching
from regulars_testkit.counting.proof import BUILT_IN, Proof, wait

CELERY = (str(Path(__file__).parent / "celery_worker.py"),)


def on_celery(url: str, home: Path, redis: Any) -> Proof:
    """The plugin that counts, and Celery as the executor."""
    proof = Proof(url, home, REGULARS_EXECUTOR="celery", REGULARS__EXECUTOR_CELERY__BROKER_URL=redis.url)
    switching.enable(proof.crm, "executor_celery")
    return proof


def test_celery_does_the_work_and_drains(database_url: str, tmp_path: Path, redis: Any) -> None:
    proof = on_celery(database_url, tmp_path, redis)
    proof.tell(600)
    with proof.workers(BUILT_IN, CELERY) as (dispatcher, worker):
        wait(lambda: proof.done() == 600)
        for one in (dispatcher, worker):
            one.send_signal(signal.SIGTERM)
        assert [one.wait(20) for one in (dispatcher, worker)] == [0, 0]
    assert proof.check(told_again=0) == {"events": 600, "effects": 600, "calls": 600, "again": 0}
