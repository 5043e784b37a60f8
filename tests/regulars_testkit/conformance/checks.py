"""The list of checks. A check is a generator of flaws; its docstring says in one line what a plugin has to keep."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.findings import Flaw

SUBJECTS = (
    *("package", "imports", "hooks", "tables", "settings", "contributions", "access", "pages", "switched_off"),
    *("events", "migrations", "life_cycle", "personal_data", "translations", "documentation"),
)
"""Modules with checks, in the order in which they are run."""


class Place(enum.Enum):
    """What a check is given: the ``Subject`` alone, or a ``House`` with a database, on SQLite or on each of the two."""

    PACKAGE = "package"
    HOUSE = "house"
    EACH_DATABASE = "each database"


@dataclass(frozen=True)
class Check:
    """One thing a plugin has to keep."""

    id: str
    tier: Tier
    place: Place
    about: str
    look: Callable[[Any], Iterable[Flaw]]


Look = Callable[[Any], Iterable[Flaw]]
_checks: dict[str, Check] = {}


def check(tier: Tier, place: Place = Place.PACKAGE) -> Callable[[Look], Look]:
    """Add a function to the list; its id is ``<module>.<function>``."""

    def add(look: Look) -> Look:
        name = f"{look.__module__.rpartition('.')[2]}.{look.__name__}"
        _checks[name] = Check(name, tier, place, inspect.cleandoc(look.__doc__ or "").splitlines()[0], look)
        return look

    return add


def all_checks() -> list[Check]:
    """Every check, in the order in which they are run."""
    for subject in SUBJECTS:
        import_module(f"regulars_testkit.conformance.{subject}")
    return list(_checks.values())
