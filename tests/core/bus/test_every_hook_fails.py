"""In every hook of the platform a plugin may raise, exit or answer nonsense: the others are heard, or the call is refused whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import pytest

from regulars_core.bus.hooks import Answer, HookBus
from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.hookspecs import OnFailure, access, customers, data, hookimpl, lifecycle, messaging, rules_of, web

MODULES = (lifecycle, access, web, customers, data, messaging)
HOOKS = {name: hook for module in MODULES for name, hook in vars(module).items() if hasattr(hook, "regulars_rules")}


class NoSession:
    """As much of a session as the bus uses."""

    def begin_nested(self) -> AbstractContextManager[None]:
        return nullcontext()


def implementing(spec: Callable[..., Any], how: Callable[[], Any]) -> ModuleType:
    """A plugin module whose implementation of ``spec`` does ``how``."""
    names = list(inspect.signature(spec).parameters)
    module = ModuleType("plugin")
    made: dict[str, Any] = {}
    exec(f"def {spec.__name__}({', '.join(names)}):\n    return how()", {"how": how}, made)  # noqa: S102 - a signature of our own
    setattr(module, spec.__name__, hookimpl(made[spec.__name__]))
    return module


def raise_(error: BaseException) -> Any:
    raise error


MISDEEDS: dict[str, Callable[[], Any]] = {
    "raises": lambda: raise_(ValueError("no")),
    "exits": lambda: raise_(SystemExit(1)),
    "answers nonsense": lambda: 3.5,
    "yields nonsense": lambda: (item for item in [object()]),
}


@pytest.mark.parametrize("misdeed", MISDEEDS)
@pytest.mark.parametrize("name", sorted(HOOKS))
def test_the_others_are_heard_or_the_call_is_refused(name: str, misdeed: str) -> None:
    hook, bus = HOOKS[name], HookBus(lambda _plugin: True)
    for module in MODULES:
        bus.add_specs(module)
    bus.register("bad", implementing(hook, MISDEEDS[misdeed]))
    bus.register("silent", implementing(hook, lambda: None))
    values: dict[str, Any] = dict.fromkeys(inspect.signature(hook).parameters) | {"session": NoSession()}
    arguments = {one: values[one] for one in inspect.signature(hook).parameters}
    if rules_of(hook).on_failure in (OnFailure.ABORT, OnFailure.BLOCK):
        with pytest.raises(PluginFailed, match="bad"):
            bus.answers(hook, **arguments)
        return
    bad, silent = bus.answers(hook, **arguments)
    assert (bad.plugin, bad.value, silent) == ("bad", None, Answer("silent", None))
    assert bad.failure is not None
