"""Plugins that do in one hook, or in every one, what no plugin should. ``waiting`` lets those that sleep go on."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import NavItem
from regulars_plugin_api.hookspecs import access, customers, data, hookimpl, lifecycle, messaging, web
from regulars_plugin_api.manifest import Category, Manifest

MODULES = (lifecycle, access, web, customers, data, messaging)
HOOKS: dict[str, Callable[..., Any]] = {
    name: hook for module in MODULES for name, hook in vars(module).items() if hasattr(hook, "regulars_rules")
}
AT_START = frozenset({"plugin_hookspecs", "permissions", "settings_schema", "blueprints", "cli_commands"})
"""Asked when a process starts, of plugins that are off as well; a plugin that fails here is off."""

waiting = threading.Event()


@contextmanager
def hanging() -> Iterator[list[Crm]]:
    """Systems put into the list are closed after the block, when whoever hangs in them has been let go of."""
    waiting.clear()
    made: list[Crm] = []
    yield made
    waiting.set()
    for crm in made:
        crm.close()


def failures(logs: Iterable[MutableMapping[str, Any]]) -> list[tuple[str, str]]:
    """(plugin, hook) of each failure that was logged."""
    return [(one["plugin"], one["hook"]) for one in logs if one["event"] == "a plugin failed"]


def _raising(error: Callable[[], BaseException]) -> Callable[..., Any]:
    def misdeed(**_given: Any) -> Any:
        raise error()

    return misdeed


def _sleep(**_given: Any) -> None:
    waiting.wait(300)


def _yield_for_ever(**_given: Any) -> Iterable[Any]:
    while True:
        yield NavItem("Again", "home.page", "customers.view")


def _recurse(**given: Any) -> Any:
    return _recurse(**given)


def _end_the_transaction(**given: Any) -> None:
    given["session"].commit()


MISDEEDS: dict[str, Callable[..., Any]] = {
    "raises": _raising(lambda: ValueError("out of toys")),
    "exits": _raising(lambda: SystemExit(3)),
    "interrupts": _raising(KeyboardInterrupt),
    "recurses": _recurse,
    "runs_out_of_memory": _raising(MemoryError),
    "sleeps": _sleep,
    "never_ends": _yield_for_ever,
    "answers_wrong": lambda **_given: 3.5,
    "yields_wrong": lambda **_given: [object()],
    "answers_nothing": lambda **_given: None,
    "commits": _end_the_transaction,
}


def misbehaving(name: str, misdeed: str, hooks: Iterable[str] = tuple(HOOKS.keys() - AT_START)) -> ModuleType:
    """A plugin that does ``misdeed`` in each of ``hooks``."""
    module = ModuleType(f"regulars_{name}.plugin")
    title = name.replace("_", " ").title()
    vars(module)["MANIFEST"] = Manifest(name=name, title=title, summary="", category=Category.OPERATIONS, api="1.0")
    for hook in hooks:
        taken = list(inspect.signature(HOOKS[hook]).parameters)
        if misdeed != "commits" or "session" in taken:
            setattr(module, hook, hookimpl(_implementation(hook, taken, MISDEEDS[misdeed])))
    return module


def _implementation(hook: str, taken: list[str], misdeed: Callable[..., Any]) -> Callable[..., Any]:
    # Pluggy reads the names of the parameters, so the function needs those of the hook.
    given = ", ".join(f"{one}={one}" for one in taken)
    made: dict[str, Any] = {}
    exec(f"def {hook}({', '.join(taken)}):\n    return misdeed({given})", {"misdeed": misdeed}, made)  # noqa: S102
    implementation: Callable[..., Any] = made[hook]
    return implementation


class Moody:
    """A plugin that takes part in ``hooks`` and behaves until told to do a ``misdeed`` in one of them."""

    def __init__(self, name: str, hooks: Iterable[str]) -> None:
        self.hook, self.misdeed = "", "answers_nothing"
        self.module = misbehaving(name, "answers_nothing", ())
        for hook in hooks:
            setattr(
                self.module, hook, hookimpl(_implementation(hook, list(inspect.signature(HOOKS[hook]).parameters), self._moodily(hook)))
            )

    def _moodily(self, hook: str) -> Callable[..., Any]:
        return lambda **given: MISDEEDS[self.misdeed if hook == self.hook else "answers_nothing"](**given)
