"""Deliveries on Celery over a real Redis: the log stays the truth, whatever becomes of a message, a worker or the broker."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as Client

from regulars_core.bus.models import Delivery
from regulars_core.config import WrongSetting
from regulars_core.jobs.leases import Limits, claim
from regulars_core.plugins import switching
from regulars_executor_celery.broker import batch_of, message_of
from regulars_plugin_api.i18n import Text
from regulars_testkit.counting.proof import BUILT_IN, Proof, wait
from regulars_web.health import examine

CELERY = (str(Path(__file__).parent / "celery_worker.py"),)
ROUNDS = int(os.environ.get("REGULARS_SOAK_ROUNDS", "20"))

Opener = Callable[[str], Proof]


@pytest.fixture
def on_celery(tmp_path: Path, redis: Any) -> Opener:
    """The plugin that counts, and Celery as the executor."""

    def open_on(url: str) -> Proof:
        proof = Proof(url, tmp_path, REGULARS_EXECUTOR="celery", REGULARS__EXECUTOR_CELERY__BROKER_URL=redis.url)
        switching.enable(proof.crm, "executor_celery")
        return proof

    return open_on


def survive_kill(proof: Proof, events: int, kill_at: int) -> None:
    """Two Celery workers, one killed once so many deliveries are done; the rest finishes, and ends when told to."""
    proof.tell(events)
    with proof.workers(BUILT_IN, CELERY, CELERY) as (dispatcher, victim, survivor):
        wait(lambda: proof.done() >= kill_at)
        victim.send_signal(signal.SIGKILL)
        wait(lambda: proof.done() == events)
        for one in (dispatcher, survivor):
            one.send_signal(signal.SIGTERM)
        assert [one.wait(60) for one in (dispatcher, survivor)] == [0, 0]
    # On a busy machine a lease of a few seconds may end while its batch is at work.
    proof.check(told_again=4 * proof.crm.jobs.limits.batch)
    proof.crm.close()


def broker_health(proof: Proof) -> Text | None:
    """What the doctor says of the broker."""
    return next(one.problem for one in examine(proof.crm) if one.name == "executor_celery.broker")


def test_every_event_takes_effect_once_though_a_worker_is_killed(postgres_url: str, on_celery: Opener) -> None:
    survive_kill(on_celery(postgres_url), 600, 150)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, ROUNDS + 1))
def test_3000_events_take_effect_once_though_a_worker_is_killed(database_url: str, on_celery: Opener, part: int) -> None:
    survive_kill(on_celery(database_url), 3000, 3000 * part // (ROUNDS + 3))


def test_what_the_broker_loses_is_leased_again_and_it_gets_no_more_than_may_wait(sqlite_url: str, on_celery: Opener, redis: Any) -> None:
    proof, client = on_celery(sqlite_url), Client.from_url(redis.url)
    proof.tell(600)
    with proof.workers(BUILT_IN) as (dispatcher,):
        wait(lambda: client.llen("regulars") == 8)
        message = json.loads(client.lindex("regulars", -1) or "{}")
        ids, fence = json.loads(base64.b64decode(message["body"]))[0]
        assert (message["content-type"], len(ids), isinstance(fence, str)) == ("application/json", 50, True)
        assert proof.leased() == 400, "the rest waits in the database"
        client.flushall()
        with proof.workers(CELERY):
            wait(lambda: proof.done() == 600)
        dispatcher.send_signal(signal.SIGTERM)
        assert dispatcher.wait(60) == 0
    # A lease of a few seconds may end while its batch is at work.
    proof.check(told_again=100)


def test_a_message_that_arrives_twice_or_late_takes_effect_once(
    database_url: str, on_celery: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = on_celery(database_url)
    monkeypatch.setenv("REGULARS_HOME", str(proof.home))
    proof.tell(100)
    now = proof.crm.clock.now()
    with proof.crm.database.transaction() as session:
        late = claim(session, Delivery, "counting.count", now, Limits(lease=dt.timedelta(seconds=-1)))
        batches = [claim(session, Delivery, "counting.count", now, proof.crm.jobs.limits) for _half in range(2)]
    assert late is not None
    messages = [json.dumps(message_of(batch)) for batch in (late, *batches, *batches, late) if batch is not None]
    assert len(messages) == 6
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda message: proof.crm.jobs.deliver(batch_of(*json.loads(message))), messages))
    assert proof.check(told_again=100)["events"] == 100


def test_while_the_broker_is_down_work_waits_and_goes_on_by_itself(sqlite_url: str, on_celery: Opener, redis: Any) -> None:
    proof = on_celery(sqlite_url)
    with proof.workers(BUILT_IN, CELERY) as running:
        redis.kill()
        proof.tell(100)
        assert str(broker_health(proof)).startswith("The broker is not to be reached: ")
        assert (proof.leased(), proof.done()) == (0, 0), "nothing is held by a lease that nobody keeps"
        redis.start()
        wait(lambda: proof.done() == 100)
        assert broker_health(proof) is None
        for one in running:
            one.send_signal(signal.SIGTERM)
        assert [one.wait(60) for one in running] == [0, 0]
    proof.check(told_again=100)


def test_the_command_works_until_told_to_stop(sqlite_url: str, on_celery: Opener) -> None:
    proof = on_celery(sqlite_url)
    command = [sys.executable, "-m", "regulars_web", "celery", "worker", "--concurrency", "1"]
    worker = subprocess.Popen(command, env=proof.environment, stderr=subprocess.PIPE, text=True)
    assert worker.stderr is not None
    assert any("waiting for batches" in line for line in worker.stderr)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    worker.stderr.close()


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("REGULARS__EXECUTOR_CELERY__BROKER_URL", "sqla+sqlite:///queue.db", "Give an address such as redis://HOST:6379/0"),
        ("REGULARS__EXECUTOR_CELERY__QUEUE", "two words", "Use letters, digits, dots, dashes and underscores."),
        ("REGULARS__EXECUTOR_CELERY__WAITING", "none", "Not a valid integer"),
    ],
)
def test_a_wrong_setting_stops_the_start(sqlite_url: str, tmp_path: Path, variable: str, value: str, why: str) -> None:
    with pytest.raises(WrongSetting, match=why) as refused:
        Proof(sqlite_url, tmp_path, **{variable: value})
    assert refused.value.name == variable
