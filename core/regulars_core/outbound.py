"""The guard on calls to other systems: public addresses only unless allowed, no redirects, time-outs, a cap on the answer."""

from __future__ import annotations

import ipaddress
import json as json_module
import socket
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import _
from regulars_plugin_api.services import HttpReply

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0
MOST_BYTES = 10 * 1024 * 1024


class OutboundRefused(RegularsError):
    """The guard does not let this call out."""

    status = 422


class GuardedHttp:
    """``allow`` names hosts that may be called although their address is private."""

    def __init__(self, allow: Collection[str] = ()) -> None:
        self._allow = allow

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, json: Any = None, body: bytes | None = None
    ) -> HttpReply:
        """Send a request and return whatever status comes back; redirects are not followed."""
        # Loaded late: most processes never call out.
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise OutboundRefused(_("Only http and https addresses without a password can be called."))
        port = parts.port or (443 if parts.scheme == "https" else 80)
        pool = _pool(parts.scheme, parts.hostname, self._address(parts.hostname, port), port)
        content = body if json is None else json_module.dumps(json).encode()
        sent = {"Host": parts.netloc, **({"Content-Type": "application/json"} if json is not None else {}), **(headers or {})}
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with pool:
                reply = pool.urlopen(
                    method,
                    path,
                    body=content,
                    headers=sent,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
                )
                answer = reply.read(MOST_BYTES + 1, decode_content=True)
        except HTTPError as error:
            raise ConnectionError(str(error)) from error
        if len(answer) > MOST_BYTES:
            raise OutboundRefused(_("The answer is larger than %(count)s bytes.", count=MOST_BYTES))
        return HttpReply(reply.status, dict(reply.headers), answer)

    def _address(self, host: str, port: int) -> str:
        """One address of ``host``, and the same for check and call: a name could point elsewhere a moment later."""
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if host not in self._allow and not all(_is_public(address) for address in addresses):
            raise OutboundRefused(_("%(host)s is an address inside the house; REGULARS_HTTP_ALLOW may list it.", host=host))
        return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return bool(mapped.is_global and not mapped.is_multicast)


def _pool(scheme: str, host: str, address: str, port: int) -> HTTPConnectionPool:
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

    if scheme == "http":
        return HTTPConnectionPool(address, port)
    return HTTPSConnectionPool(address, port, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED")
