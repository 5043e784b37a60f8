"""The plugin's own events: named after it, kept as JSON without loss, and explained."""

from __future__ import annotations

import datetime as dt
import enum
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from regulars_plugin_api.events import DomainEvent
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.subject import Subject

_PLAIN: dict[Any, Any] = {
    int: 7,
    str: "å",
    bool: True,
    Decimal: Decimal("0.30"),
    dt.date: dt.date(2026, 2, 28),
    dt.datetime: dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC),
}


def _events(subject: Subject) -> list[type[DomainEvent]]:
    for path in subject.sources:
        if DomainEvent.__name__ in path.read_text(encoding="utf-8"):
            parts = path.relative_to(subject.folder).with_suffix("").parts
            import_module(".".join((subject.package, *parts)).removesuffix(".__init__"))
    found = [one for one in _below(DomainEvent) if one.__module__.partition(".")[0] == subject.package]
    return sorted(found, key=lambda one: one.__name__)


def _below(event: type[DomainEvent]) -> Iterator[type[DomainEvent]]:
    for one in event.__subclasses__():
        yield one
        yield from _below(one)


@check(Tier.BRONZE)
def named(subject: Subject) -> Iterator[Flaw]:
    """An event's type is the plugin's name and a word in the past."""
    for one in _events(subject):
        if not re.fullmatch(rf"{subject.name}\.[a-z0-9_]+", getattr(one, "type", "")):
            words = f"The type of {one.__name__} is {getattr(one, 'type', None)!r}."
            yield Flaw(words, f'Name it type = "{subject.name}.<past_verb>", such as {subject.name}.points_awarded.')


@check(Tier.SILVER)
def kept_whole(subject: Subject) -> Iterator[Flaw]:
    """An event comes back from the log as it was sent."""
    for one in _events(subject):
        hints = get_type_hints(one)
        try:
            event = one(**{field.name: _sample(hints[field.name]) for field in fields(one)})
            back = one.from_payload(json.loads(json.dumps(event.to_payload())))
        except (TypeError, ValueError) as error:
            yield Flaw(f"{one.__name__} can't be kept as JSON: {error}", "Use numbers, text, dates, Decimal, enums and tuples of these.")
            continue
        if back != event:
            yield Flaw(f"{one.__name__} comes back from JSON as {back}.", "Use numbers, text, dates, Decimal, enums and tuples of these.")


@check(Tier.SILVER)
def explained(subject: Subject) -> Iterator[Flaw]:
    """Each event has a docstring: it is its entry in the manual and in the catalogue of events."""
    for one in _events(subject):
        if not one.__doc__ or one.__doc__.startswith(f"{one.__name__}("):
            yield Flaw(f"{one.__name__} has no docstring.", "Say in a sentence what has happened and what the fields mean.")


def _sample(hint: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if origin in (Union, UnionType):
        return _sample(next(kind for kind in inner if kind is not NoneType))
    if origin is tuple:
        return tuple(_sample(kind) for kind in inner if kind is not Ellipsis)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    raise TypeError(f"a field is a {hint}")
