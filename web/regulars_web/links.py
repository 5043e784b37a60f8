"""Addresses that plugins name."""

from __future__ import annotations

from typing import Any

from flask import url_for
from werkzeug.routing import BuildError


def leads_somewhere(endpoint: str, **values: Any) -> bool:
    """Whether there is an address of this name that needs no more than ``values``."""
    try:
        url_for(endpoint, **values)
    except BuildError:
        return False
    return True
