"""The guard on calls to other systems: public addresses only unless allowed, no redirects, a deadline, a cap on the answer."""

from __future__ import annotations

import ipaddress
import json as json_module
import socket
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from regulars_plugin_api.errors import OutboundRefused
from regulars_plugin_api.i18n import _
from regulars_plugin_api.services import HttpReply

if TYPE_CHECKING:
    from urllib3 import HTTPResponse
    from urllib3.connection import HTTPConnection

CONNECT_SECONDS = 5.0
MOST_BYTES = 10 * 1024 * 1024
# The last four bytes of these are the IPv4 address that is meant.
CARRIERS = tuple(map(ipaddress.ip_network, ("::ffff:0:0/96", "64:ff9b::/96")))
PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
# Tunnels to an IPv4 address, protocol assignments, and where one cloud answers its machines.
NEVER = tuple(map(ipaddress.ip_network, ("2001::/32", "2002::/16", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))


class GuardedHttp:
    """``allow`` names hosts that may be called although their address is private."""

    def __init__(self, allow: Collection[str] = ()) -> None:
        self._allow = allow

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        seconds: float = 25.0,
        enough: int | None = None,
    ) -> HttpReply:
        """Send a request and return whatever status comes back; redirects are not followed."""
        ends = time.monotonic() + seconds
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").encode("idna").decode(), parts.port
        except ValueError as error:
            raise OutboundRefused from error
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
            raise OutboundRefused(_("Only http and https addresses without a password can be called."))
        named = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        content = body if json is None else json_module.dumps(json).encode()
        sent = {"Host": named, **({"Content-Type": "application/json"} if json is not None else {}), **(headers or {})}
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        port = port or (443 if parts.scheme == "https" else 80)
        connection = _connection(parts.scheme, host, self._address(host, port), port, min(CONNECT_SECONDS, seconds))
        return _exchange(connection, ends, enough, method, path, content, sent)

    def _address(self, host: str, port: int) -> str:
        """One address of ``host``, and the same for check and call: a name could point elsewhere a moment later."""
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if host not in self._allow and not all(_is_public(address) for address in addresses):
            raise OutboundRefused(_("%(host)s is an address inside the house; REGULARS_HTTP_ALLOW may list it.", host=host))
        return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if any(ip in carrier for carrier in CARRIERS):
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    is_assigned = ip.version == 4 or ip in PUBLIC_IPV6
    return is_assigned and ip.is_global and not ip.is_multicast and not any(ip in network for network in NEVER)


def _connection(scheme: str, host: str, address: str, port: int, seconds: float) -> HTTPConnection:
    # Loaded late: most processes never call out.
    from urllib3.connection import HTTPConnection, HTTPSConnection

    if scheme == "http":
        return HTTPConnection(address, port, timeout=seconds)
    return HTTPSConnection(address, port, timeout=seconds, server_hostname=host, cert_reqs="CERT_REQUIRED")


def _exchange(
    connection: HTTPConnection, ends: float, enough: int | None, method: str, path: str, content: bytes | None, sent: Mapping[str, str]
) -> HttpReply:
    from urllib3.exceptions import HTTPError

    watch = None
    try:
        connection.connect()
        left = max(ends - time.monotonic(), 0.001)
        connection.timeout = left
        # A time-out of the socket begins anew with every byte. This one does not.
        watch = threading.Timer(left, _cut, (connection.sock,))
        watch.daemon = True
        watch.start()
        connection.request(method, path, body=content, headers=sent, preload_content=False)
        with connection.getresponse() as reply:
            answer = reply.read(MOST_BYTES + 1, decode_content=True) if enough is None else _beginning(reply, enough)
        if enough is None and time.monotonic() >= ends:
            raise TimeoutError
    except (HTTPError, HTTPException, OSError) as error:
        raise ConnectionError("no answer in time" if time.monotonic() >= ends else str(error)) from error
    except ValueError as error:
        raise OutboundRefused from error
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()
    if enough is None and len(answer) > MOST_BYTES:
        raise OutboundRefused(_("The answer is larger than %(count)s bytes.", count=MOST_BYTES))
    return HttpReply(reply.status, dict(reply.headers), answer)


def _beginning(reply: HTTPResponse, enough: int) -> bytes:
    from urllib3.exceptions import HTTPError

    answer = b""
    # Whoever sent a status has answered, whatever becomes of the rest.
    with suppress(HTTPError, HTTPException, OSError):
        while len(answer) < enough and (piece := reply.read1(enough - len(answer), decode_content=False)):
            answer += piece
    return answer


def _cut(connected: socket.socket) -> None:
    """End what waits for the other side. Past TLS, whose own way to end would wait for it, too."""
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
