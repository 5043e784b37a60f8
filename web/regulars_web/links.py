"""Addresses that plugins name."""

from __future__ import annotations

from typing import Any

from flask import url_for
from werkzeug.routing import BuildError


def leads_somewhere(endpoint: str, **values: Any) -> bool:
    """Whether there is an address of this name that needs no more than ``values``."""
    return address_of(endpoint, **values) is not None


def address_of(endpoint: str, **values: Any) -> str | None:
    """The address of this name; None where there is none that needs no more than ``values``."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return None
