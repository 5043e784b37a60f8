"""The database: that it answers, its version, its settings, its schema, its clock."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_migrations import standing
from regulars_plugin_api.i18n import Text, _
from regulars_web.health.finding import Finding
from regulars_web.heartbeat import CLOCKS_AGREE, clock_ahead

OLDEST_SQLITE = (3, 40)
OLDEST_POSTGRES = 15


def reachable(crm: Crm) -> Finding:
    """Whether it answers."""
    try:
        with crm.database.read() as session:
            session.execute(sa.select(1))
    except sa.exc.SQLAlchemyError as error:
        return Finding(
            "database", _("It does not answer: %(why)s", why=str(getattr(error, "orig", error)).strip().partition("\n")[0]), True
        )
    return Finding("database", None, True)


def examine(crm: Crm) -> Iterator[Finding]:
    """Everything else about it."""
    yield schema(crm)
    with crm.database.read() as session:
        yield from _sqlite(session) if crm.database.is_sqlite else _postgres(session, str(crm.timezone))
        yield Finding("clock", _clock(session, clock_ahead(session, crm.clock.now())))


def schema(crm: Crm) -> Finding:
    """Whether it is where the code expects it."""
    behind = [one.owner for one in standing.status(crm.config.database_url, crm.plugins.owners()) if one.behind]
    problem = _("Behind: %(owners)s. Run: regulars db upgrade", owners=", ".join(behind)) if behind else None
    return Finding("schema", problem, True)


def _sqlite(session: Session) -> Iterator[Finding]:
    version = session.scalars(sa.select(sa.func.sqlite_version())).one()
    old = tuple(int(part) for part in version.split(".")[:2]) < OLDEST_SQLITE
    yield Finding("database version", _("SQLite %(version)s is too old: 3.40 is needed.", version=version) if old else None, True)
    mode = session.connection().exec_driver_sql("PRAGMA journal_mode").scalar_one()
    wrong = mode != "wal"
    told = _("The journal mode is %(mode)s, not WAL: is the file on a network drive? Readers and writers wait for each other.", mode=mode)
    yield Finding("database settings", told if wrong else None)


def _postgres(session: Session, zone: str) -> Iterator[Finding]:
    about = sa.text(
        "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'), "
        "EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm'), "
        "(SELECT datctype FROM pg_database WHERE datname = current_database()), "
        "EXISTS (SELECT FROM pg_timezone_names WHERE name = :zone)"
    )
    version, encoding, has_trigrams, letters, knows_zone = session.execute(about, {"zone": zone}).one()
    old = version < OLDEST_POSTGRES
    yield Finding("database version", _("PostgreSQL %(version)s is too old: 15 is needed.", version=version) if old else None, True)
    problems: list[Text] = []
    if encoding != "UTF8":
        problems.append(_("Its encoding is %(encoding)s, not UTF8.", encoding=encoding))
    if letters in ("C", "POSIX"):
        problems.append(_("Its character type %(name)s knows English letters only: use C.UTF-8 or that of a language.", name=letters))
    if not has_trigrams:
        problems.append(_("The extension pg_trgm is missing: search will be slow. Run: CREATE EXTENSION pg_trgm"))
    if not knows_zone:
        problems.append(_("It does not know the time zone %(zone)s: its time zone data are old.", zone=zone))
    yield Finding("database settings", " ".join(str(one) for one in problems) or None)


def _clock(session: Session, ahead: float) -> Text | None:
    if abs(ahead) <= CLOCKS_AGREE:
        return None
    return _("This host's clock is %(seconds)s s off the database's. Keep clocks right by NTP: leases last a minute.", seconds=round(ahead))
