"""The web as it is started: each worker on a core of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
from bench.serving import Visitor, free_port, running

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


def test_figures_outlive_a_worker_that_was_told_to_stop(tmp_path: Path, sqlite_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    create_home(tmp_path / "home")
    port, own = free_port(), tmp_path / "own"
    own.mkdir()
    environment = {"REGULARS_HOME": str(tmp_path / "home"), "REGULARS_DATABASE_URL": sqlite_url, "REGULARS_SECRET_KEY": "k" * 40}
    arguments = ["-m", "regulars_web", "web", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    with running(arguments, port, "/healthz", {**environment, "TMPDIR": str(own)}) as server:
        stopped = psutil.Process(server.process.pid).children()[0]
        stopped.terminate()
        stopped.wait(30)
        for _request in range(20):
            assert Visitor(port).ask("GET", "/healthz")[0] == 200
        assert [folder.is_dir() for folder in own.glob("regulars-figures-*")] == [True]
    assert list(own.iterdir()) == []
    assert "Error" not in capfd.readouterr().err


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
