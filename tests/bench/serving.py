"""Servers started as a shop starts them, and one visitor with a clock."""

from __future__ import annotations

import compileall
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).parents[1]
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Cost:
    """What an answer takes, in milliseconds: the median on the clock, and the processors' time of everybody at work for it."""

    time: float
    cpu: float


@dataclass
class Visitor:
    """One connection that is kept, with the cookies it was given."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        if form is not None:
            headers["Content-Type"] = FORM
        body = urlencode(form) if form is not None else None
        try:
            reply, content = self._asked(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            # The server closes a connection that was quiet for a while.
            self._connection = None
            reply, content = self._asked(method, path, body, headers)
        for cookie in reply.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if reply.will_close:
            self._connection = None
        return reply.status, content

    def _asked(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self._connection.request(method, path, body, dict(headers))
        reply = self._connection.getresponse()
        return reply, reply.read()

    def token(self, path: str) -> str:
        """The token of the form on a page."""
        found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', self.ask("GET", path)[1])
        assert found is not None, f"no form on {path}"
        return found[1].decode()

    def sign_in(self, email: str, password: str) -> None:
        """By the form, as staff do."""
        form = {"email": email, "password": password, "csrf_token": self.token("/sign-in")}
        assert self.ask("POST", "/sign-in", form)[0] == 302


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    seconds_to_answer: float

    def memory(self) -> float:
        """MiB held by the worker that holds most."""
        return max(_resident(worker) for worker in self._workers())

    def cpu_seconds(self) -> float:
        """What all its processes have used so far."""
        return cpu_seconds(self.process.pid)

    def _workers(self) -> list[int]:
        return _children(self.process.pid)


@contextmanager
def running(arguments: list[str], port: int, path: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """``python arguments`` until the end of the block, from when ``path`` has answered."""
    # As an installed product is; the floor's libraries are.
    for name in ("plugin_api", "core", "web", "migrations", "plugins"):
        compileall.compile_dir(HERE.parent / name, quiet=1)
    began = time.perf_counter()
    paths = os.pathsep.join(str(HERE.parent / name) for name in ("plugin_api", "core", "web", "migrations", "tests"))
    process = subprocess.Popen([sys.executable, *arguments], env={**os.environ, "PYTHONPATH": paths, **environment})
    try:
        while True:
            try:
                if Visitor(port).ask("GET", path)[0] == 200:
                    break
            except OSError as not_yet:
                if process.poll() is not None or time.perf_counter() - began > 60:
                    raise RuntimeError(f"{arguments} does not answer") from not_yet
            time.sleep(0.005)
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def side_by_side(
    asks: Mapping[str, Callable[[], object]], rounds: int = 7, each: int = 30, used: Callable[[], float] = time.process_time
) -> dict[str, Cost]:
    """What each of ``asks`` costs, asked in turns so that whatever else the machine does falls on all of them.

    ``used`` says how many seconds of processor all who answer have used so far.
    """
    for ask in asks.values():
        for _ in range(5):
            ask()
    costs: dict[str, list[Cost]] = {name: [] for name in asks}
    for _ in range(rounds):
        for name, ask in asks.items():
            times, before = [], used()
            for _ in range(each):
                began = time.perf_counter()
                ask()
                times.append(time.perf_counter() - began)
            costs[name].append(Cost(statistics.median(times) * 1e3, (used() - before) / each * 1e3))
    return {
        name: Cost(statistics.median(one.time for one in found), statistics.median(one.cpu for one in found))
        for name, found in costs.items()
    }


def cpu_seconds(process: int) -> float:
    """What a process and those it started have used so far, to the nanosecond where the clock of ``ps`` knows hundredths."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(_read(task).partition(" ")[0] or 0) for task in tasks) / 1e9 + sum(map(cpu_seconds, _children(process)))


def _children(process: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{process}/task").glob("*/children") for child in _read(task).split()]


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        # It ended between the look into the folder and the look into the file.
        return ""


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024
