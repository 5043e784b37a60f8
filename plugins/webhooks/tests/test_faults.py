"""A receiver that is in trouble is nobody else's, and gets everything in order once it is well again."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Any

import pytest

from regulars_testkit.crm import CrmHarness
from regulars_webhooks.sending import queue, result, run

GIB = 2**30


class Trouble:
    """Paths that fail, hang, lead elsewhere, drip and never end, until ``over``."""

    def __init__(self, receiver: Any) -> None:
        self.receiver, self.over = receiver, threading.Event()
        self.sent, self.hanging, self.most_hanging = 0, 0, 0
        receiver.answers |= {"/fails": self.fail, "/hangs": self.hang, "/leads": self.lead, "/drips": self.drip, "/endless": self.pour}

    def fail(self, request: Any, got: Any) -> None:
        self.receiver.status(204 if self.over.is_set() else 500)(request, got)

    def hang(self, request: Any, got: Any) -> None:
        self.hanging += 1
        self.most_hanging = max(self.most_hanging, self.hanging)
        was_over = self.over.wait(30) if not self.over.is_set() else None
        self.hanging -= 1
        with suppress(OSError):
            self.receiver.status(503 if was_over else 204)(request, got)

    def lead(self, request: Any, got: Any) -> None:
        away = {} if self.over.is_set() else {"Location": self.receiver.url("/secret").replace("localhost", "127.0.0.1")}
        self.receiver.status(302 if away else 204, **away)(request, got)

    def drip(self, request: Any, got: Any) -> None:
        """Headers that come byte by byte and would never end."""
        if self.over.is_set():
            self.receiver.status(204)(request, got)
            return
        with suppress(OSError):
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not self.over.wait(0.2):
                request.wfile.write(b"x")

    def pour(self, request: Any, got: Any) -> None:
        """Ten gigabytes."""
        request.send_response(200)
        request.send_header("Content-Length", str(10 * GIB))
        request.end_headers()
        with suppress(OSError):
            while self.sent < 10 * GIB:
                self.sent += request.wfile.write(b"\0" * 65536)


def in_order(receiver: Any, path: str) -> dict[str, list[str]]:
    """What came, by object, each id where it came last: there it was taken in."""
    last = {got.headers["webhook-id"]: place for place, got in enumerate(receiver.got) if got.path == path}
    found = defaultdict(list)
    for place in sorted(last.values()):
        found[receiver.got[place].json["subject"]].append(receiver.got[place].json["body"]["code"])
    return dict(found)


def test_who_is_in_trouble_holds_up_nobody_else_and_gets_everything_in_order_afterwards(house: Any, receiver: Any) -> None:
    house.set(seconds=2)
    trouble = Trouble(receiver)
    sick = ["/fails", "/hangs", "/leads", "/drips"]
    for path in [*sick, "/endless", "/well"]:
        house.add(path)
    expected = {f"store:{store}": [str(number) for number in range(4)] for store in range(1, 4)}
    with house.worker():
        for number in range(4):
            for store in range(1, 4):
                house.tell(str(number), store=store)
        began = time.monotonic()
        assert house.soon(lambda: len(receiver.ids("/well")) == 12, 20)
        # Nobody waited for the two seconds that each call to a sick one takes, times the calls there are to make.
        assert time.monotonic() - began < 10
        assert in_order(receiver, "/well") == expected
        assert house.soon(lambda: len(receiver.ids("/endless")) == 12)
        assert not any(taken for path in sick for taken in house.taken(path))
        trouble.over.set()
        assert house.soon(lambda: all(len(house.taken(path)) == 12 for path in sick), 40), [house.taken(path) for path in sick]
    for path in [*sick, "/endless", "/well"]:
        assert in_order(receiver, path) == expected, path
    for path in ("/endless", "/well"):
        assert set(Counter(receiver.ids(path)).values()) == {1}, "what was taken in is sent once"
    assert trouble.most_hanging <= queue.AT_ONCE
    assert trouble.sent < 12 * 16 * 2**20
    assert receiver.ids("/secret") == []


def test_a_call_that_hangs_when_a_run_makes_way_holds_up_nobody(house: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LONGEST", 0.3)
    house.set(seconds=30)
    trouble = Trouble(receiver)
    house.add("/hangs")
    house.add("/well")
    with house.worker():
        house.tell("a")
        assert house.soon(lambda: trouble.hanging == 1)
        time.sleep(0.5)
        began = time.monotonic()
        house.tell("b", store=2)
        assert house.soon(lambda: len(receiver.ids("/well")) == 2)
        assert time.monotonic() - began < 25, "nobody waits for the call that hangs"
        trouble.over.set()
        assert house.soon(lambda: len(house.taken("/hangs")) == 2)
    assert trouble.most_hanging <= queue.AT_ONCE


def test_two_workers_keep_each_objects_order_though_every_third_call_fails(
    house: Any, receiver: Any, crm: CrmHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("/in")
    calls, taken = iter(range(10_000)), []

    def moody(request: Any, got: Any) -> None:
        good = next(calls) % 3 != 0
        if good:
            taken.append((got.json["subject"], got.json["body"]["code"], got.headers["webhook-id"]))
        receiver.status(204 if good else 500)(request, got)

    receiver.answers["/in"] = moody
    monkeypatch.setattr(queue, "PATIENCE", 100)
    monkeypatch.setattr(result, "FIRST_WAIT", dt.timedelta(seconds=0.05))
    other = type(house)(house.another(), receiver)
    with house.worker(), other.worker():
        for number in range(4):
            for store in range(1, 5):
                house.tell(f"{number}a", f"{number}b", store=store)
        assert house.soon(lambda: len(taken) == 32, 60), len(taken)
    other.crm.close()
    for store in range(1, 5):
        codes = [code for subject, code, _id in taken if subject == f"store:{store}"]
        assert codes == [f"{number}{letter}" for number in range(4) for letter in "ab"]
    assert len({uid for _subject, _code, uid in taken}) == 32


KILLED = """
import datetime as dt, os, signal, sys, threading
from pathlib import Path
from regulars_core.config import Config
from regulars_core.crm import open_crm
from regulars_core.jobs.leases import Limits
from regulars_core.jobs.worker import run_worker
from regulars_webhooks.sending import queue, run

queue.LEASE = dt.timedelta(seconds=1)
run.settle = lambda *results: os.kill(os.getpid(), signal.SIGKILL)
home, url = sys.argv[1:]
crm = open_crm(Config(home=Path(home), database_url=url, secret_key="k" * 40, http_allow=frozenset({"localhost"})))
crm.jobs.limits = Limits(lease=dt.timedelta(seconds=1))
run_worker(crm, threading.Event())
"""


def test_a_worker_killed_between_answer_and_commit_sends_again_with_the_same_id(house: Any, receiver: Any) -> None:
    house.add("/in")
    house.tell("a")
    config = house.crm.config
    url = house.crm.database.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(config.home), url], env=os.environ, timeout=60, check=False)
    assert (killed.returncode, len(receiver.got)) == (-9, 1)
    house.tell("b")
    house.work_off(until=lambda: house.states() == [("delivered", 1), ("delivered", 1)])
    first, again, later = receiver.got
    assert (again.raw, again.headers["webhook-id"], later.json["body"]["code"]) == (first.raw, first.headers["webhook-id"], "b")


def test_an_endpoint_that_is_gone_is_parked_as_a_whole(house: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result, "PATIENCE", 1)
    house.set(tries=2)
    house.add("/in")
    receiver.answer("/in", 500)
    house.tell("a", store=1)
    house.tell("b", store=2)
    house.work_off(until=lambda: house.states() == [("parked", 2), ("parked", 2)])
    house.tell("c", store=3)
    house.work_off(until=lambda: house.rows("SELECT parked_at IS NOT NULL FROM webhooks_endpoint") == [(1,)])
    house.tell("d", store=4)
    with house.worker():
        assert house.soon(lambda: len(house.states()) == 4)
        time.sleep(1)
    assert (len(receiver.got), house.states()) == (5, [("parked", 2), ("parked", 2), ("waiting", 1), ("waiting", 0)])
    receiver.answer("/in", 204)
    house.wake(1)
    house.work_off(until=lambda: [state for state, _tries in house.states()] == ["parked", "parked", "delivered", "delivered"])


def test_many_events_that_are_refused_park_one_by_one_and_not_the_endpoint(
    house: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result, "PATIENCE", 1)
    monkeypatch.setattr(queue, "PATIENCE", 1)
    monkeypatch.setattr(result, "FIRST_WAIT", dt.timedelta(seconds=0.02))
    house.set(tries=3)
    house.add("/in")
    receiver.answers["/in"] = lambda request, got: receiver.status(400 if b'"bad' in got.raw else 204)(request, got)
    for store in range(3):
        house.tell("bad", store=store)
    house.work_off(until=lambda: [state for state, _tries in house.states()].count("parked") >= 2)
    house.tell("good", store=9)
    house.work_off(until=lambda: house.states()[-1] == ("delivered", 1))
    assert house.rows("SELECT parked_at FROM webhooks_endpoint") == [(None,)]
