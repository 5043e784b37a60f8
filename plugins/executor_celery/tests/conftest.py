"""A real Redis of this run's own, and the plugin switched on with it as the broker."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Redis:
    """A server that can be stopped and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start empty and wait until it answers."""
        program = shutil.which("redis-server")
        assert program, "These tests need Redis. Install it: sudo apt-get install redis-server"
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise TimeoutError("redis-server did not start")

    def kill(self) -> None:
        """Kill it: what waited there is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def _running(folder: Path) -> Iterator[Redis]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        redis = Redis(folder, free.getsockname()[1])
    redis.start()
    try:
        yield redis
    finally:
        redis.kill()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A running server."""
    with _running(tmp_path) as redis:
        yield redis
