"""Where an installation keeps its things, and the settings it starts with, all from the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import Text, _

DATABASE_FILE, KEY_FILE, MARKER_FILE = "regulars.db", "secret.key", "database.used"


class WrongSetting(RegularsError):
    """A setting that cannot be meant: its name, and what was expected."""

    def __init__(self, name: str, expected: Text) -> None:
        super().__init__(_("%(name)s is wrong: expected %(expected)s.", name=name, expected=expected))
        self.name = name


class NotInitialised(RegularsError):
    """The home or its database is not there (any more); the message says what to do."""


@dataclass(frozen=True)
class Home:
    """A folder with the database (unless it lives on a server), uploads and secrets, and the settings of the environment."""

    path: Path
    database_url: str
    secret_key: str | None = None
    base_url: str | None = None
    timezone: str = "UTC"
    currency: str = "EUR"
    smtp_url: str | None = None
    mail_from: str | None = None
    safe_mode: bool = False

    @property
    def uploads(self) -> Path:
        """Where files given to the system are kept."""
        return self.path / "uploads"

    def prepare(self) -> None:
        """Make the folder and its secret key, readable by this user only. Safe to repeat."""
        self.uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        if not (self.path / KEY_FILE).exists():
            self.write_private(KEY_FILE, secrets.token_hex(32))

    def read_secret_key(self) -> str:
        """What cookies are signed with: ``REGULARS_SECRET_KEY``, else the home's key file."""
        if self.secret_key:
            return self.secret_key
        try:
            return (self.path / KEY_FILE).read_text("ascii").strip()
        except FileNotFoundError as missing:
            raise NotInitialised(_("There is no Regulars in %(path)s yet. Run: regulars init", path=self.path)) from missing

    def write_private(self, name: str, content: str) -> Path:
        """Write a file only this user can read, whole or not at all."""
        target = self.path / name
        draft = target.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        draft.replace(target)
        return target

    def remember_database(self) -> None:
        """Note that the database is in use, so that a missing one is never taken for a new start."""
        self.write_private(MARKER_FILE, _shown(self.database_url))

    def refuse_lost_database(self) -> None:
        """Raise ``NotInitialised`` where an SQLite file was used before and is gone."""
        url = sa.make_url(self.database_url)
        if url.get_backend_name() != "sqlite" or (url.database and Path(url.database).exists()):
            return
        marker = self.path / MARKER_FILE
        if marker.exists() and marker.read_text("utf-8") == _shown(self.database_url):
            raise NotInitialised(
                _(
                    "The database %(path)s was used before and is gone. Put it back, or restore a backup;"
                    " to start anew, delete %(marker)s and run: regulars init",
                    path=url.database,
                    marker=marker,
                )
            )
        raise NotInitialised(_("There is no database %(path)s yet. Run: regulars init", path=url.database))

    def is_new(self) -> bool:
        """Whether nothing was ever kept here."""
        url = sa.make_url(self.database_url)
        is_file = url.get_backend_name() == "sqlite"
        return not (self.path / MARKER_FILE).exists() and not (is_file and url.database and Path(url.database).exists())


def from_environment(environ: Mapping[str, str] = os.environ) -> Home:
    """The home that ``REGULARS_HOME`` and its fellows describe. Raises ``WrongSetting``."""
    path = Path(environ.get("REGULARS_HOME") or _user_data_folder()).expanduser().absolute()
    return Home(
        path=path,
        database_url=_database_url(environ.get("REGULARS_DATABASE_URL"), path),
        secret_key=_secret_key(environ.get("REGULARS_SECRET_KEY")),
        base_url=_url("REGULARS_BASE_URL", environ.get("REGULARS_BASE_URL"), ("http", "https")),
        timezone=_timezone(environ.get("REGULARS_TIMEZONE") or "UTC"),
        currency=_currency(environ.get("REGULARS_CURRENCY") or "EUR"),
        smtp_url=_url("REGULARS_SMTP_URL", environ.get("REGULARS_SMTP_URL"), ("smtp", "smtps")),
        mail_from=environ.get("REGULARS_MAIL_FROM") or None,
        safe_mode=_yes_no("REGULARS_SAFE_MODE", environ.get("REGULARS_SAFE_MODE") or "0"),
    )


def _user_data_folder() -> str:
    import platformdirs

    return platformdirs.user_data_dir("regulars")


def _database_url(given: str | None, path: Path) -> str:
    if not given:
        return f"sqlite:///{path / DATABASE_FILE}"
    expected = _("sqlite:////absolute/path.db or postgresql+psycopg://user:password@host/name")
    try:
        url = sa.make_url(given)
        backend = url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError) as wrong:
        raise WrongSetting("REGULARS_DATABASE_URL", expected) from wrong
    if backend not in ("sqlite", "postgresql") or not url.database or url.database == ":memory:":
        raise WrongSetting("REGULARS_DATABASE_URL", expected)
    if backend == "sqlite":
        return f"sqlite:///{Path(url.database).absolute()}"
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _secret_key(given: str | None) -> str | None:
    if given and len(given) < 32:
        raise WrongSetting("REGULARS_SECRET_KEY", _("at least 32 characters, made at random"))
    return given or None


def _url(name: str, given: str | None, schemes: tuple[str, ...]) -> str | None:
    if not given:
        return None
    parts = urlsplit(given)
    if parts.scheme not in schemes or not parts.hostname:
        raise WrongSetting(name, _("an address like %(example)s", example=f"{schemes[0]}://host"))
    return given.rstrip("/")


def _timezone(given: str) -> str:
    try:
        return ZoneInfo(given).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise WrongSetting("REGULARS_TIMEZONE", _("the name of a time zone, like Europe/Stockholm")) from unknown


def _currency(given: str) -> str:
    from babel.numbers import is_currency

    if not is_currency(given):
        raise WrongSetting("REGULARS_CURRENCY", _("a currency code of ISO 4217, like SEK"))
    return given


def _yes_no(name: str, given: str) -> bool:
    if given not in ("0", "1"):
        raise WrongSetting(name, _("0 or 1"))
    return given == "1"


def _shown(database_url: str) -> str:
    return sa.make_url(database_url).render_as_string(hide_password=True)
