"""The plugin switched on, a receiver that does as it is told, and a worker."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.jobs.worker import run_worker
from regulars_core.outbound import GuardedHttp
from regulars_plugin_api.events import StoreUpdated, emit
from regulars_testkit.crm import CrmHarness
from regulars_webhooks import endpoints
from regulars_webhooks.endpoints import Draft
from regulars_webhooks.sending import result

Answer = Callable[[BaseHTTPRequestHandler, "Got"], None]


@dataclass
class Got:
    """One request as a receiver sees it."""

    path: str
    headers: dict[str, str]
    raw: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with this status."""

    def answer(request: BaseHTTPRequestHandler, _got: Got) -> None:
        request.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


class Receiver:
    """Another system. Each path answers as ``answers`` says, else 204."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: dict[str, Answer] = {}
        self.status = status
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
                receiver.got.append(got)
                receiver.answers.get(self.path, status(204))(self, got)

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Whoever calls may hang up."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, path: str, code: int, body: bytes = b"", **headers: str) -> None:
        """From now on ``path`` answers like this."""
        self.answers[path] = status(code, body, **headers)

    def url(self, path: str) -> str:
        return f"http://localhost:{self.server.server_port}{path}"

    def ids(self, path: str) -> list[str]:
        return [got.headers["webhook-id"] for got in list(self.got) if got.path == path]

    def told(self, path: str) -> list[tuple[str, str]]:
        """Object and name of each event of a store, in the order it came."""
        return [(got.json["subject"], got.json["body"]["code"]) for got in list(self.got) if got.path == path]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


class Clock:
    """The time, and some more."""

    def __init__(self, ahead: dt.timedelta) -> None:
        self.ahead = ahead

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead


class House:
    """The running system and what tests of webhooks do all the time."""

    def __init__(self, crm: CrmHarness, receiver: Receiver) -> None:
        self.crm, self.receiver = crm, receiver

    def add(self, path: str = "/in", *types: str, **options: Any) -> tuple[int, str]:
        """An endpoint at a path of the receiver: id and secret."""
        with self.crm.transaction() as session:
            made, secret = endpoints.create(self.crm, session, Draft(path, self.receiver.url(path), types, **options))
        return made.id, secret

    def tell(self, *codes: str, store: int = 1) -> None:
        """Something happens to a store."""
        with self.crm.transaction() as session:
            for code in codes:
                emit(session, StoreUpdated(store_id=store, code=code, changed=("name",)))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.crm.read() as session:
            return [tuple(row) for row in session.execute(sa.text(query))]

    def execute(self, statement: str) -> None:
        """What somebody does behind the system's back."""
        with self.crm.transaction() as session:
            session.execute(sa.text(statement))

    def states(self) -> list[tuple[str, int]]:
        return [(row[0], row[1]) for row in self.rows("SELECT state, attempts FROM webhooks_delivery ORDER BY id")]

    @staticmethod
    def soon(done: Callable[[], bool], seconds: float = 60.0) -> bool:
        """Whether it comes true in time."""
        ends = time.monotonic() + seconds
        while not done():
            if time.monotonic() > ends:
                return False
            time.sleep(0.05)
        return True

    def taken(self, path: str) -> list[str]:
        """Ids of the events an endpoint has taken in."""
        delivered = "FROM webhooks_delivery d JOIN webhooks_endpoint e ON e.id = d.endpoint_id WHERE d.state = 'delivered'"
        return [row[0] for row in self.rows(f"SELECT d.event_id {delivered} AND e.title = '{path}'")]

    def another(self) -> CrmHarness:
        """The same system in another process, or as good as."""
        crm = CrmHarness(self.crm.config, http=self.crm.http)
        crm.plugins.load()
        crm.plugins.refresh()
        return crm

    def wake(self, endpoint_id: int) -> None:
        """Begin again with an endpoint."""
        with self.crm.transaction() as session:
            endpoints.wake(session, endpoints.get(session, endpoint_id))

    def set(self, **values: Any) -> None:
        """Settings of the plugin."""
        with self.crm.transaction() as session:
            self.crm.settings.save(session, "webhooks", values)

    def later(self, **ahead: float) -> Clock:
        """A clock that goes before."""
        return Clock(dt.timedelta(**ahead))

    def signature(self, got: Got, *secrets: str) -> str:
        """What the header of a request has to be."""
        signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.raw
        keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
        return " ".join(f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}" for key in keys)

    def work_off(self, until: Callable[[], bool]) -> None:
        """Have a worker at work until something is true."""
        with self.worker():
            assert self.soon(until), self.states()

    @contextmanager
    def worker(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=run_worker, args=(self.crm, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def house(crm: CrmHarness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(result, "FIRST_WAIT", dt.timedelta(seconds=0.2))
    crm.http = GuardedHttp(["localhost"])
    crm.enable("webhooks")
    return House(crm, receiver)
