"""A contact on its way into the database: what is there, and what a file says instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from regulars_contact_tracking.exchange.people import NOBODY

TOLD = ("subject", "text", "outcome")
SAID = ("store_id", "person", *TOLD)
HEAD = ("channel", "direction", "at", "business_date")
STEP = ("what", "due_on", "done_at")
Key = tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Work:
    """A contact a batch works on; ``id`` is None for a new one, ``step_id`` where it has no next step yet.

    ``shown`` is who took part as the exporter names them; ``fields`` hold members of staff by their e-mails.
    """

    id: int | None
    customer_id: int
    number: str | None
    fields: dict[str, Any]
    step_id: int | None = None
    step: dict[str, Any] = field(default_factory=dict)
    was: dict[str, Any] = field(default_factory=dict)
    step_was: dict[str, Any] = field(default_factory=dict)
    shown: str = NOBODY

    def put(self, fields: Mapping[str, Any], step: Mapping[str, Any], *, only_lacking: bool) -> bool:
        """Take in what a record says; True if that changes anything."""
        changed = _put(self.fields, fields, self.was, only_lacking)
        return _put(self.step, step, self.step_was, only_lacking) or changed


def _put(there: dict[str, Any], said: Mapping[str, Any], was: dict[str, Any], only_lacking: bool) -> bool:
    differing = {name: value for name, value in said.items() if there.get(name) != value}
    if only_lacking:
        differing = {name: value for name, value in differing.items() if there.get(name) is None}
    for name, value in differing.items():
        was.setdefault(name, there.get(name))
        there[name] = value
    return bool(differing)
