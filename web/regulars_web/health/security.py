"""Weak settings: what makes an installation easy to break into. For ``regulars doctor --security``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from regulars_core.crm import Crm
from regulars_core.users import passwords
from regulars_core.users.models import User
from regulars_plugin_api.i18n import Text, _
from regulars_web.headers import ALWAYS
from regulars_web.health.finding import Finding
from regulars_web.starting import SAMPLE_USERS_FILE

LOCAL = ("127.0.0.1", "::1", "localhost")
FEWEST_CHARACTERS = 12
"""Different ones in a key; one of random letters and digits has far more."""
_LISTENS = "0A"


def examine(crm: Crm) -> Iterator[Finding]:
    """Ask what an attacker would."""
    address = urlsplit(crm.config.base_url)
    is_plain = address.scheme != "https" and address.hostname not in LOCAL
    told = _(
        "%(address)s is not https: passwords travel in the clear. Put a proxy with a certificate before it.", address=crm.config.base_url
    )
    yield Finding("https", told if is_plain else None)
    yield Finding("secret key", _secret_key(crm.config.secret_key or ""))
    yield Finding("debug", _("FLASK_DEBUG is set: take it away.") if os.environ.get("FLASK_DEBUG", "0") not in ("", "0") else None)
    yield Finding("headers", _headers(crm, is_https=address.scheme == "https"))
    yield Finding("sample passwords", _sample_passwords(crm))
    yield Finding("address", _bound(address.port or (443 if address.scheme == "https" else 80)))
    yield Finding("database connection", _database(crm))
    allowed = ", ".join(sorted(crm.config.http_allow))
    yield Finding(
        "outbound calls", _("REGULARS_HTTP_ALLOW lets plugins call inner addresses: %(names)s", names=allowed) if allowed else None
    )


def _secret_key(key: str) -> Text | None:
    if len(key) < 32 or len(set(key)) < FEWEST_CHARACTERS:
        return _("It is easy to guess. Take the one that regulars init makes, or 32 random characters and more.")
    return None


def _headers(crm: Crm, *, is_https: bool) -> Text | None:
    from regulars_web.app import create_app

    reply = create_app(crm).test_client().get("/healthz", base_url=crm.config.base_url)
    wanted = {**ALWAYS, **({"Strict-Transport-Security": "max-age=31536000"} if is_https else {})}
    missing = sorted(name for name, value in wanted.items() if reply.headers.get(name) != value)
    return _("Answers lack %(names)s.", names=", ".join(missing)) if missing else None


def _sample_passwords(crm: Crm) -> Text | None:
    file = crm.config.home / SAMPLE_USERS_FILE
    if not file.exists():
        return None
    known: dict[str, str] = json.loads(file.read_text("utf-8"))
    with crm.read() as session:
        users = session.scalars(sa.select(User).where(User.email.in_(known), User.active)).all()
    weak = sorted(user.email for user in users if passwords.matches(known[user.email], user.password))
    if not weak:
        return None
    return _("They stand in %(file)s and still open: %(users)s. Disable these users, or set others.", users=", ".join(weak), file=file)


def _bound(port: int) -> Text | None:
    """Linux tells which addresses somebody listens at; elsewhere nobody is asked."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            _number, local, _remote, state = line.split()[:4]
            host, _colon, at = local.rpartition(":")
            if state == _LISTENS and int(at, 16) in {port, 8000} - {80, 443} and set(host) == {"0"}:
                return _("Port %(port)s is open to the network. Listen on 127.0.0.1, behind a proxy.", port=int(at, 16))
    return None


def _database(crm: Crm) -> Text | None:
    url = crm.database.url
    is_remote = url.host is not None and url.host not in LOCAL and not url.host.startswith("/")
    if is_remote and url.query.get("sslmode") not in ("require", "verify-ca", "verify-full"):
        return _("It is not told to encrypt: add ?sslmode=verify-full to REGULARS_DATABASE_URL.")
    return None
