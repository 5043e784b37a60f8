"""P10: calling a hook beside a bare pluggy call of the same run."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from types import ModuleType

import pluggy
import pytest

from regulars_core.bus.hooks import HookBus
from regulars_plugin_api.hookspecs import PROJECT, hookimpl, messaging

pytestmark = pytest.mark.bench

GOAL, NOBODY_US, CALLS = 1.5, 0.2, 20_000


def _plugin(number: int) -> ModuleType:
    module = ModuleType(f"bench_{number}")

    @hookimpl
    def preference_topics() -> list[str]:
        return []

    module.__dict__["preference_topics"] = preference_topics
    return module


@pytest.mark.parametrize("amount", [0, 10, 30])
def test_calls(amount: int) -> None:
    bus, bare = HookBus(lambda _plugin: True), pluggy.PluginManager(PROJECT)
    bus.add_specs(messaging)
    bare.add_hookspecs(messaging)
    for number in range(amount):
        module = _plugin(number)
        bus.register(module.__name__, module)
        bare.register(module)
    calls: dict[str, Callable[[], object]] = {
        "bus": lambda: bus.collect(messaging.preference_topics),
        "pluggy": bare.hook.preference_topics,
    }
    times = {name: min(timeit.repeat(call, number=CALLS, repeat=40)) / CALLS * 1e6 for name, call in calls.items()}
    print(f"\nP10 {amount} implementations: {times['bus']:.2f} us, pluggy {times['pluggy']:.2f} us")  # noqa: T201
    assert times["bus"] <= (times["pluggy"] * GOAL if amount else NOBODY_US)
