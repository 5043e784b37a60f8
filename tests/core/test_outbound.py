"""Calls to other systems stay outside the house, are never redirected and never endless."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

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


@pytest.mark.parametrize(
    "url",
    [
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::a00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[2001:0:7f00:1::1]/",
        "http://[fec0::1]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0/",
        "http://192.0.0.192/",
        "http://168.63.129.16/",
        "http://255.255.255.255/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://a..b/",
        f"http://{'a' * 64}.example/",
    ],
)
def test_no_other_way_of_writing_it_leads_inside(url: str) -> None:
    with pytest.raises(OutboundRefused):
        GuardedHttp().request("GET", url)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"])
def test_public_addresses_are_let_through(address: str) -> None:
    assert outbound._is_public(address)


def test_a_name_is_looked_up_once_and_called_where_it_was_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, called = iter(["93.184.216.34", "127.0.0.1"]), []

    def look_up(host: str, port: int, *rest: object, **options: object) -> list[Any]:
        address = next(answers) if host == "rebinding.example" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(_socket: socket.socket, address: object) -> None:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(ConnectionError):
        GuardedHttp().request("GET", "http://rebinding.example/")
    assert called == [("93.184.216.34", 80)]


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *about, **options: found)
    with pytest.raises(OutboundRefused):
        GuardedHttp().request("GET", "http://mixed.example/")


@contextmanager
def talking(talk: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that reads a request and then says whatever it likes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _peer = server.accept()
                    with suppress(OSError), context.wrap_socket(plain, server_side=True) if context else plain as connected:
                        connected.recv(65536)
                        talk(connected)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def drip(connected: socket.socket) -> None:
    for _second in range(300):
        connected.sendall(b"x")
        time.sleep(0.1)


def late_headers(connected: socket.socket) -> None:
    connected.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(connected)


def late_body(connected: socket.socket) -> None:
    connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    drip(connected)


@pytest.mark.parametrize("talk", [drip, late_headers, late_body])
def test_an_answer_that_drips_is_over_at_the_deadline(talk: Callable[[socket.socket], None]) -> None:
    with talking(talk) as port:
        began = time.monotonic()
        with pytest.raises(ConnectionError, match="no answer in time"):
            GuardedHttp(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/", seconds=0.5)
        assert time.monotonic() - began < 20


def test_whoever_has_answered_has_answered_though_the_rest_is_late_or_endless() -> None:
    sent = 0

    def endless(connected: socket.socket) -> None:
        nonlocal sent
        connected.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10737418240\r\n\r\n")
        while True:
            sent += connected.send(b"x" * 65536)

    with talking(late_body) as port:
        late = GuardedHttp(["127.0.0.1"]).request("POST", f"http://127.0.0.1:{port}/", seconds=0.5, enough=1000)
    assert (late.status, 0 < len(late.body) < 10, set(late.body)) == (200, True, {ord("x")})
    with talking(endless) as port:
        reply = GuardedHttp(["127.0.0.1"]).request("POST", f"http://127.0.0.1:{port}/", enough=1000)
    assert (reply.status, reply.body) == (202, b"x" * 1000)
    assert sent < 32 * 2**20


def test_a_compressed_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(packer.compress(bytes(2**20)) for _megabyte in range(200)), packer.flush()])
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with talking(lambda connected: connected.sendall(head + bomb)) as port:
        tracemalloc.start()
        with pytest.raises(OutboundRefused, match="larger than"):
            GuardedHttp(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/")
        assert GuardedHttp(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/", enough=100).body == bomb[:100]
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 60 * 2**20


def certificate(folder: Path, name: str) -> Path:
    """A certificate for ``name`` that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    day = dt.timedelta(days=1)
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now - day, now + day)
    signed = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(key, hashes.SHA256())
    path = folder / f"{name}.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.mark.parametrize(("name", "fits"), [("localhost", True), ("other.example", False)])
def test_the_certificate_has_to_be_the_named_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fits: bool) -> None:
    pem = certificate(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with talking(lambda connected: connected.sendall(b"HTTP/1.1 204 No Content\r\n\r\n"), context) as port:
        http, url = GuardedHttp(["localhost"]), f"https://localhost:{port}/"
        if fits:
            assert http.request("GET", url).status == 204
        else:
            with pytest.raises(ConnectionError, match="certificate"):
                http.request("GET", url)


def test_tls_that_drips_is_over_at_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with talking(late_headers, context) as port:
        began = time.monotonic()
        with pytest.raises(ConnectionError, match="no answer in time"):
            GuardedHttp(["localhost"]).request("GET", f"https://localhost:{port}/", seconds=0.7)
        assert time.monotonic() - began < 20
