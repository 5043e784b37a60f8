"""Refusals that belong to HTTP. What services raise (``InvalidInput``, ``NotFound``, ``Conflict``, …) needs no translation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import Text


class Refused(RegularsError):
    """A problem document with this status; ``members`` are added to it, ``headers`` to the answer."""

    def __init__(self, status: int, message: Text | None = None, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(message)
        self.status, self.headers, self.members = status, dict(headers or {}), members
        self.is_worded = message is not None
