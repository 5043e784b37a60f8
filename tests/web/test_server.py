"""The web as it is started: each worker on a core of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
from bench.serving import free_port, running

from regulars_core.config import create_home

ALLOWED = sorted(os.sched_getaffinity(0))


def test_workers_share_the_cores_and_who_comes_instead_of_one_that_died_takes_its_place(tmp_path: Path, sqlite_url: str) -> None:
    create_home(tmp_path / "home")
    port = free_port()
    environment = {"REGULARS_HOME": str(tmp_path / "home"), "REGULARS_DATABASE_URL": sqlite_url, "REGULARS_SECRET_KEY": "k" * 40}
    arguments = ["-m", "regulars_web", "web", "--host", "127.0.0.1", "--port", str(port), "--workers", str(len(ALLOWED))]
    with running(arguments, port, "/healthz", environment) as server:
        web = psutil.Process(server.process.pid)
        _until_each_has_one(web)
        died = web.children()[0]
        died.kill()
        died.wait(30)
        _until_each_has_one(web)
        assert web.cpu_affinity() == ALLOWED


def _until_each_has_one(web: psutil.Process) -> None:
    until = time.monotonic() + 60
    while (held := _held(web)) != [[core] for core in ALLOWED] and time.monotonic() < until:
        time.sleep(0.05)
    assert held == [[core] for core in ALLOWED]


def _held(web: psutil.Process) -> list[list[int]]:
    try:
        return sorted(worker.cpu_affinity() for worker in web.children())
    except psutil.NoSuchProcess:
        return []
