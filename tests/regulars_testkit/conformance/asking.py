"""Calls the plugin's hooks with sample values, as the platform would."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.hookspecs import rules_of
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.conformance.house import House
from regulars_testkit.conformance.specs import PLATFORM, Hook, implementations

ASKED_AT_SWITCHING = frozenset({"crm_started", "plugin_enabled", "plugin_hookspecs"})
OPENS_TRANSACTIONS = frozenset({"demo_data"})


class _Undone(Exception):
    """Ends a transaction without keeping it."""


@contextmanager
def passing_transaction(house: House) -> Iterator[Session]:
    """A writing session that is rolled back."""
    # Made now: inside of the transaction they would be another one.
    assert house.people
    try:
        with house.on.transaction() as session:
            yield session
            raise _Undone
    except _Undone:
        pass


def asked(house: House) -> dict[str, Hook]:
    """The platform's hooks that the plugin implements and that can be asked at any time, by name."""
    names = sorted(implementations(house.subject).keys() & PLATFORM.keys() - ASKED_AT_SWITCHING)
    return {name: PLATFORM[name] for name in names}


def ask(house: House, name: str, hook: Hook, session: Session | None) -> Any:
    """The plugin's answer. Raises ``PluginFailed``, also for one of a wrong type."""
    values = samples(house, session)
    arguments = {one: values[one] for one in inspect.signature(hook).parameters}
    plugin, bus = house.subject.name, house.on.bus
    if not rules_of(hook).page:
        return bus.ask(plugin, hook, **arguments)
    answer = next(one for one in bus.answers(hook, **arguments) if one.plugin == plugin)
    if answer.failure is not None:
        raise PluginFailed(plugin, name, answer.failure)
    return answer.value


def samples(house: House, session: Session | None) -> dict[str, Any]:
    """A value for each parameter of a hook."""
    keep, drop = house.people
    return {
        "crm": house.on,
        "session": session,
        "viewer": SYSTEM,
        "customer": house.on.customers.get(keep, session=session) if session else None,
        "existing": None,
        "draft": {"display_name": "Ada Berg", "first_name": "Ada", "last_name": "Berg"},
        "identifier": "4711",
        "customer_id": keep,
        "customer_ids": [keep, drop],
        "keep_id": keep,
        "drop_id": drop,
        "merge": {"keep_id": keep, "drop_id": drop, "image": []},
        "channel": "email",
        "purpose": "marketing",
        "size": "small",
    }


def contributed(house: House) -> list[tuple[str, Any]]:
    """``(hook, contribution)`` of everything the plugin contributes; hooks that fail have none."""
    found: list[tuple[str, Any]] = []
    with passing_transaction(house) as session:
        for name, hook in asked(house).items():
            if name not in OPENS_TRANSACTIONS:
                try:
                    answer = ask(house, name, hook, session)
                except PluginFailed:
                    # ``hooks.answer`` says so.
                    continue
                found += [(name, one) for one in answer] if isinstance(answer, list) else []
    return found
