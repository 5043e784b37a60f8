"""What endpoints, deliveries, tries and kinds of events are called, and their pictures."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from regulars_plugin_api.events import known_events
from regulars_plugin_api.i18n import Text
from regulars_webhooks.i18n import _
from regulars_webhooks.models import Endpoint, State
from regulars_webhooks.sending.queue import PATIENCE

Badge = tuple[str, str, Text]
"""Tone, icon and word."""

STATES: Mapping[State, Badge] = {
    State.WAITING: ("info", "clock", _("Waiting")),
    State.DELIVERED: ("ok", "circle-check", _("Delivered")),
    State.PARKED: ("bad", "alert-circle", _("Parked")),
    State.SKIPPED: ("mute", "ban", _("Left out")),
}
STANDINGS: Mapping[str, Badge] = {
    "ok": ("ok", "circle-check", _("Ready")),
    "failing": ("warn", "alert-triangle", _("Not answering")),
    "parked": ("bad", "alert-circle", _("Parked")),
    "off": ("mute", "circle-off", _("Switched off")),
}


def standing(endpoint: Endpoint) -> str:
    """How an endpoint is: off, parked, failing or ok."""
    if not endpoint.active:
        return "off"
    if endpoint.parked_at is not None:
        return "parked"
    return "failing" if endpoint.failures >= PATIENCE else "ok"


@dataclass(frozen=True)
class Kind:
    """A kind of event: its type, and what it means in one sentence of its documentation."""

    type: str
    meaning: str


def kinds() -> list[Kind]:
    """Every kind of event there is, sorted by type."""
    found = sorted(known_events().items())
    return [Kind(type_, _first_sentence(inspect.getdoc(event) or "")) for type_, event in found]


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0].replace("``", "")
