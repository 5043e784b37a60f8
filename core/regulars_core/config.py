"""The home and the settings of the environment. A wrong one stops the start with its name and what was expected."""

from __future__ import annotations

import os
import secrets
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa
from babel.core import get_global
from babel.numbers import list_currencies
from platformdirs import user_data_path

from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import Text, _

KEY_FILE = "secret.key"
SQLITE_FILE = "regulars.db"
PLUGIN_PREFIX = "REGULARS__"
UTC = ZoneInfo("UTC")


class WrongSetting(RegularsError):
    """A setting of the environment that can't be used, and why."""

    def __init__(self, name: str, why: Text) -> None:
        super().__init__(_("%(name)s: %(why)s", name=name, why=why))
        self.name = name


def expected(name: str, what: Text) -> WrongSetting:
    """The error for a setting that should have been ``what``."""
    return WrongSetting(name, _("expected %(what)s", what=what))


@dataclass(frozen=True)
class Config:
    """What the environment says. ``plugin_settings`` maps plugin -> key -> text, from ``REGULARS__<PLUGIN>__<KEY>``."""

    home: Path
    database_url: str
    base_url: str = "http://127.0.0.1:8000"
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    former_keys: tuple[str, ...] = field(default=(), repr=False)
    safe_mode: bool = False
    timezone: ZoneInfo = UTC
    currency: str = "EUR"
    country: str | None = None
    executor: str | None = None
    http_allow: frozenset[str] = frozenset()
    events_keep_days: int | None = None
    metrics_on_loopback: bool = False
    api_limit: int = 6000
    limits_url: str = field(default="memory://", repr=False)
    plugin_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Config:
        """Read and check every setting. Raises ``WrongSetting``."""
        home = Path(environ.get("REGULARS_HOME") or user_data_path("regulars", appauthor=False)).expanduser().absolute()
        return cls(
            home=home,
            database_url=_database_url(environ, home),
            base_url=_base_url(environ),
            smtp_url=_smtp_url(environ),
            mail_from=environ.get("REGULARS_MAIL_FROM") or None,
            secret_key=_secret_key(environ, home),
            former_keys=tuple(environ.get("REGULARS_FORMER_KEYS", "").split()),
            safe_mode=_yes_no(environ, "REGULARS_SAFE_MODE"),
            timezone=_timezone(environ),
            currency=_choice(environ, "REGULARS_CURRENCY", list_currencies(), _("a currency code such as EUR")) or "EUR",
            country=_choice(environ, "REGULARS_COUNTRY", get_global("territory_currencies"), _("a country code such as SE")),
            executor=environ.get("REGULARS_EXECUTOR") or None,
            http_allow=frozenset(environ.get("REGULARS_HTTP_ALLOW", "").replace(",", " ").split()),
            metrics_on_loopback=_yes_no(environ, "REGULARS_METRICS_LOOPBACK"),
            api_limit=_number(environ, "REGULARS_API_LIMIT", range(1_000_001), _("requests a minute, 0 for no limit"), 6000) or 0,
            limits_url=environ.get("REGULARS_LIMITS_URL") or "memory://",
            events_keep_days=_number(environ, "REGULARS_EVENTS_KEEP_DAYS", range(1, 36_501), _("a number of days")),
            plugin_settings=_plugin_settings(environ),
        )

    def needed_key(self) -> bytes:
        """The secret key, or ``WrongSetting`` when this home was never initialised."""
        if self.secret_key is None:
            raise expected("REGULARS_SECRET_KEY", _("at least 32 characters, or a home made by: regulars init"))
        return self.secret_key.encode()


def create_home(home: Path) -> None:
    """Make the folder and its key file, readable by nobody else. What is there already stays."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home / KEY_FILE
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")


def _database_url(environ: Mapping[str, str], home: Path) -> str:
    given = environ.get("REGULARS_DATABASE_URL") or f"sqlite:///{home / SQLITE_FILE}"
    form = _("sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
    try:
        url = sa.make_url(given)
    except sa.exc.ArgumentError as error:
        raise expected("REGULARS_DATABASE_URL", form) from error
    usable = bool(url.database) and (url.drivername == "sqlite" or url.drivername in ("postgresql", "postgresql+psycopg"))
    if not usable or url.database == ":memory:":
        raise expected("REGULARS_DATABASE_URL", form)
    return given


def _base_url(environ: Mapping[str, str]) -> str:
    given = (environ.get("REGULARS_BASE_URL") or "http://127.0.0.1:8000").rstrip("/")
    parts = _split("REGULARS_BASE_URL", given, _("an address such as https://crm.example.com"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise expected("REGULARS_BASE_URL", _("an address such as https://crm.example.com"))
    return given


def _smtp_url(environ: Mapping[str, str]) -> str | None:
    given = environ.get("REGULARS_SMTP_URL")
    if not given:
        return None
    parts = _split("REGULARS_SMTP_URL", given, _("smtp://USER:PASSWORD@HOST:PORT or smtps://…"))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise expected("REGULARS_SMTP_URL", _("smtp://USER:PASSWORD@HOST:PORT or smtps://…"))
    return given


def _split(name: str, given: str, form: Text) -> SplitResult:
    with suppress(ValueError):
        parts = urlsplit(given)
        # Asked for, a port that is no number raises as well.
        if parts.port != 0:
            return parts
    raise expected(name, form)


def _secret_key(environ: Mapping[str, str], home: Path) -> str | None:
    given = environ.get("REGULARS_SECRET_KEY")
    if not given:
        path = home / KEY_FILE
        given = path.read_text().strip() if path.is_file() else None
    if given is not None and len(given) < 32:
        raise expected("REGULARS_SECRET_KEY", _("at least 32 characters"))
    return given


def _yes_no(environ: Mapping[str, str], name: str) -> bool:
    given = environ.get(name, "").strip().lower()
    if given not in ("", "0", "1", "false", "true", "no", "yes", "off", "on"):
        raise expected(name, _("1 or 0"))
    return given in ("1", "true", "yes", "on")


def _number(environ: Mapping[str, str], name: str, allowed: range, form: Text, default: int | None = None) -> int | None:
    given = environ.get(name, "").strip()
    if given and not (given.isascii() and given.isdecimal() and len(given) < 10 and int(given) in allowed):
        raise expected(name, form)
    return int(given) if given else default


def _timezone(environ: Mapping[str, str]) -> ZoneInfo:
    given = environ.get("REGULARS_TIMEZONE") or "UTC"
    if given not in available_timezones():
        raise expected("REGULARS_TIMEZONE", _("a time zone such as Europe/Stockholm"))
    return ZoneInfo(given)


def _choice(environ: Mapping[str, str], name: str, choices: Container[str], form: Text) -> str | None:
    given = environ.get(name, "").strip().upper()
    if given and given not in choices:
        raise expected(name, form)
    return given or None


def _plugin_settings(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, value in environ.items():
        if name.startswith(PLUGIN_PREFIX):
            plugin, separator, key = name.removeprefix(PLUGIN_PREFIX).lower().partition("__")
            if not (plugin and separator and key):
                raise expected(name, _("a name like REGULARS__LOYALTY__URL"))
            found.setdefault(plugin, {})[key] = value
    return found
