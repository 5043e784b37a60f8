"""Every kind of event there is, for handlers that want them all."""

from __future__ import annotations

from dataclasses import dataclass

from regulars_plugin_api.events import CustomerErased, DomainEvent, StoreUpdated, known_events


@dataclass(frozen=True, kw_only=True)
class Base(DomainEvent):
    """What events of the toy share; nobody tells it."""

    toy_id: int


@dataclass(frozen=True, kw_only=True)
class Broken(Base):
    """A toy broke."""

    type = "toy.broken_for_known_events"


def test_they_are_found_by_type_also_below_others_and_without_those_nobody_tells() -> None:
    known = known_events()
    assert (known["customer.erased"], known["store.updated"], known[Broken.type]) == (CustomerErased, StoreUpdated, Broken)
    assert Base not in known.values()
    assert all(event.type == type_ for type_, event in known.items())
