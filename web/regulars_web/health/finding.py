"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass

from regulars_plugin_api.i18n import Text


@dataclass(frozen=True)
class Finding:
    """One question and what is wrong; ``needed`` ones keep the system from being ready."""

    name: str
    problem: Text | None
    needed: bool = False
