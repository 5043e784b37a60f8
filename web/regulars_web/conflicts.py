"""Two people changed one record: what was before, what the other made of it, and what this one typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

TAKE = "take-"
"""``take-city=theirs`` in the form that is sent again: the other's city stays."""


@dataclass(frozen=True)
class Difference:
    """A field that the other changed. ``both`` when this form changed it as well, to something else."""

    field: str
    before: str
    theirs: str
    mine: str
    both: bool


def read_before(form: Mapping[str, str]) -> dict[str, str]:
    """What the fields held when the form was opened, as it says itself; empty if it says nothing sensible."""
    try:
        found = json.loads(form.get("before", "{}"))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def compare(before: Mapping[str, str], theirs: Mapping[str, str], mine: Mapping[str, str]) -> tuple[dict[str, str], list[Difference]]:
    """The form to go on with, where each keeps what only they changed, and what the other changed."""
    merged, differences = dict(mine), []
    for name, now in theirs.items():
        if name not in mine:
            continue
        # A form that does not say what it began with may have changed everything.
        was, typed = before.get(name), _plain(mine[name])
        if _plain(now) == typed or (was is not None and _plain(now) == _plain(was)):
            continue
        is_mine = was is None or typed != _plain(was)
        if not is_mine:
            merged[name] = now
        differences.append(Difference(name, was or "", now, mine[name], is_mine))
    return merged, differences


def settle(mine: Mapping[str, str], theirs: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with the other's value where the form says so."""
    return {name: theirs.get(name, value) if form.get(f"{TAKE}{name}") == "theirs" else value for name, value in mine.items()}


def _plain(value: str) -> str:
    return value.replace("\r\n", "\n").strip()
