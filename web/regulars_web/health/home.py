"""The home: who may read it, and whether there is room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from regulars_core.config import KEY_FILE
from regulars_core.crm import Crm
from regulars_plugin_api.i18n import Text, _
from regulars_web.health.finding import Finding

ROOM = 1 << 30
"""Bytes that should be free."""


def examine(crm: Crm) -> Iterator[Finding]:
    """Ask about the home."""
    home = crm.config.home
    open_ones = [path for path in (home, home / KEY_FILE) if path.exists() and path.stat().st_mode & 0o077]
    is_open: Text | None = None
    if open_ones:
        is_open = _("Others can read %(home)s. Run: chmod -R go= %(home)s", home=open_ones[0])
    yield Finding("home", is_open)
    if home.exists():
        free = shutil.disk_usage(home).free
        short = _("Only %(free)s MB are free for %(home)s.", free=free >> 20, home=home) if free < ROOM else None
        yield Finding("disk space", short)
