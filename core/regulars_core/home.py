"""The folder of an installation: private files, and the memory that its database was once in use."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa

from regulars_core.config import Config
from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import _

MARKER_FILE = "database.used"


class NotInitialised(RegularsError):
    """The database is not there (any more); the message says what to do."""

    status = 503


def write_private(path: Path, content: str) -> None:
    """Write a file only this user can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)


def remember_database(config: Config) -> None:
    """Note that the database is in use, so that a missing one is never taken for a new start."""
    write_private(config.home / MARKER_FILE, _shown(config))


def is_new(config: Config) -> bool:
    """Whether nothing was ever kept in this home or its database file."""
    file = _database_file(config)
    return not (config.home / MARKER_FILE).exists() and not (file and file.exists())


def refuse_lost_database(config: Config) -> None:
    """Raise ``NotInitialised`` where there is no SQLite file; a file that was used before is not to be made anew by accident."""
    file, marker = _database_file(config), config.home / MARKER_FILE
    if file is None or file.exists():
        return
    if marker.exists() and marker.read_text("utf-8") == _shown(config):
        raise NotInitialised(
            _(
                "The database %(path)s was used before and is gone. Put it back, or restore a backup;"
                " to start anew, delete %(marker)s and run: regulars init",
                path=file,
                marker=marker,
            )
        )
    raise NotInitialised(_("There is no database %(path)s yet. Run: regulars init", path=file))


def _database_file(config: Config) -> Path | None:
    url = sa.make_url(config.database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _shown(config: Config) -> str:
    return sa.make_url(config.database_url).render_as_string(hide_password=True)
