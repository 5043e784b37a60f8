"""The plugin's hook implementations: those of the contract, with its types."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from regulars_plugin_api import hookspecs
from regulars_plugin_api.hookspecs import PROJECT, access, customers, data, lifecycle, messaging, web
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.subject import Subject

MODULES = (lifecycle, access, web, customers, data, messaging)
Hook = Callable[..., Any]


def specs(subject: Subject) -> dict[str, Hook]:
    """The hooks there are for this plugin: the platform's, and those of the plugins it requires."""
    modules = list(MODULES)
    for plugin in subject.loaded.values():
        declare = getattr(plugin.module, "plugin_hookspecs", None)
        modules += declare() if declare else ()
    return {name: hook for module in modules for name, hook in vars(module).items() if hasattr(hook, "regulars_rules")}


def implementations(subject: Subject) -> dict[str, Hook]:
    """What the plugin marked with ``@hookimpl``, by name."""
    mark = f"{PROJECT}_impl"
    return {name: one for name, one in vars(subject.module).items() if inspect.isfunction(one) and hasattr(one, mark)}


@check(Tier.BRONZE)
def known(subject: Subject) -> Iterator[Flaw]:
    """Every implementation is one of a hook, and no function of a hook's name lacks its mark."""
    declared = specs(subject)
    for name in implementations(subject).keys() - declared.keys():
        yield Flaw(f"There is no hook named {name}.", "See the list of hooks in the manual; a typing error?")
    for name, hook in vars(subject.module).items():
        if name in declared and inspect.isfunction(hook) and name not in implementations(subject):
            yield Flaw(f"{name} is not marked.", "Put @hookimpl above it: without the mark nobody calls it.")


@check(Tier.BRONZE)
def annotated(subject: Subject) -> Iterator[Flaw]:
    """Parameters and answers have the types of the hook."""
    declared = specs(subject)
    for name, function in sorted(implementations(subject).items()):
        if name not in declared:
            continue
        wanted, given = get_type_hints(declared[name]), get_type_hints(function)
        parameters = inspect.signature(function).parameters
        for parameter in parameters:
            if parameter in wanted and given.get(parameter) != wanted[parameter]:
                words = f"{name}({parameter}) is annotated {_name(given.get(parameter))}, the hook says {_name(wanted[parameter])}."
                yield Flaw(words, f"Write {parameter}: {_name(wanted[parameter])}.")
        if "return" not in given or not fits(given["return"], wanted["return"]):
            words = f"{name} answers with {_name(given.get('return'))}, the hook says {_name(wanted['return'])}."
            yield Flaw(words, f"Write -> {_name(wanted['return'])}.")


def fits(given: Any, wanted: Any) -> bool:
    """Whether an answer annotated ``given`` is one of type ``wanted``, as far as annotations tell."""
    if given == wanted:
        return True
    origin = get_origin(given)
    if get_origin(wanted) is Iterable:
        many = isinstance(origin, type) and issubclass(origin, Iterable) and bool(get_args(given))
        return many and fits(get_args(given)[0], get_args(wanted)[0])
    ours, theirs = _parts(given), _parts(wanted)
    return all(any(one == other or _is_subclass(one, other) for other in theirs) for one in ours)


def _parts(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _is_subclass(one: Any, other: Any) -> bool:
    if get_origin(one) is type and get_origin(other) is type:
        return _is_subclass(get_args(one)[0], get_args(other)[0])
    return isinstance(one, type) and isinstance(other, type) and issubclass(one, other)


def _name(kind: Any) -> str:
    return "nothing" if kind is None else inspect.formatannotation(kind).replace(f"{hookspecs.__name__}.", "")
