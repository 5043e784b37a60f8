"""What a page shows of whoever looks: choices they made, and how much they have not read. Costs no statement: it is in their row."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_login import current_user


def install(app: Flask) -> None:
    """Give templates ``preference(name)`` and ``unread()``."""
    app.jinja_env.globals.update(preference=preference, unread=unread)


def preference(name: str) -> Any | None:
    """What the user chose under this name; None if nothing."""
    return getattr(current_user, "preferences", {}).get(name)


def unread() -> int:
    """How many notices wait to be read."""
    return getattr(current_user, "unread", 0)
