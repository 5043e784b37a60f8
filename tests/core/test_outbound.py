"""Calls to other systems stay outside the house, are never redirected and never endless."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from regulars_core import outbound
from regulars_core.outbound import GuardedHttp
from regulars_plugin_api.errors import OutboundRefused
from regulars_plugin_api.services import HttpReply


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1/secret")
            self.end_headers()
        elif self.path == "/long":
            self._answer(b"x" * 2000)
        else:
            self._answer(self.path.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.dumps([self.headers["Host"], self.headers["Content-Type"], body.decode()]).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://[fe80::1]/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "http:///nowhere",
        "http://user:password@example.com/",
        "//example.com/",
    ],
)
def test_nothing_inside_the_house_is_called(url: str) -> None:
    with pytest.raises(OutboundRefused):
        GuardedHttp().request("GET", url)


def test_an_allowed_host_is_called(address: str) -> None:
    http = GuardedHttp(["localhost"])
    reply = http.request("GET", f"{address}/path?a=1&b=%20")
    assert (reply.status, reply.body) == (200, b"/path?a=1&b=%20")
    host = address.removeprefix("http://")
    assert json.loads(http.request("POST", address, json={"a": 1}).body) == [host, "application/json", '{"a": 1}']


def test_a_redirect_is_an_answer_like_any_other(address: str) -> None:
    reply = GuardedHttp(["localhost"]).request("GET", f"{address}/away")
    assert (reply.status, reply.headers["Location"]) == (302, "http://127.0.0.1/secret")


def test_an_endless_answer_is_cut(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "MOST_BYTES", 1000)
    with pytest.raises(OutboundRefused, match="larger than 1000 bytes"):
        GuardedHttp(["localhost"]).request("GET", f"{address}/long")


def test_nobody_there_is_an_error_of_the_connection() -> None:
    with pytest.raises(ConnectionError):
        GuardedHttp(["localhost"]).request("GET", "http://localhost:9/")


def test_a_reply_is_plain_data() -> None:
    assert HttpReply(204) == HttpReply(204, {}, b"")
