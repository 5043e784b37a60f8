"""Which hooks there are for a plugin, and which it implements."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from regulars_plugin_api.hookspecs import PROJECT, access, customers, data, lifecycle, messaging, web
from regulars_testkit.conformance.subject import Subject

Hook = Callable[..., Any]


def _declared(module: ModuleType) -> dict[str, Hook]:
    return {name: hook for name, hook in vars(module).items() if hasattr(hook, "regulars_rules")}


PLATFORM: dict[str, Hook] = {
    name: hook for module in (lifecycle, access, web, customers, data, messaging) for name, hook in _declared(module).items()
}
"""The platform's hooks by name."""


def specs(subject: Subject) -> dict[str, Hook]:
    """The hooks there are for this plugin: the platform's, its own, and those of the plugins it requires."""
    found = dict(PLATFORM)
    for plugin in subject.loaded.values():
        declare = getattr(plugin.module, "plugin_hookspecs", None)
        for module in declare() if declare else ():
            found |= _declared(module)
    return found


def implementations(subject: Subject) -> dict[str, Hook]:
    """What the plugin marked with ``@hookimpl``, by the hook it is meant for."""
    functions = [one for one in vars(subject.module).values() if inspect.isfunction(one)]
    marked = [(one, mark) for one in functions if (mark := getattr(one, f"{PROJECT}_impl", None))]
    return {mark["specname"] or one.__name__: one for one, mark in marked}
