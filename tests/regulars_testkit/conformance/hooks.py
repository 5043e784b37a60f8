"""The plugin's hook implementations: those of the contract, with its types."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from sqlalchemy.orm import Session

from regulars_plugin_api import hookspecs
from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.hookspecs import rules_of
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.asking import OPENS_TRANSACTIONS, ask, asked, passing_transaction
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.conformance.specs import Hook, implementations, specs
from regulars_testkit.conformance.subject import Subject

PAGE_SECONDS, OTHER_SECONDS = 0.05, 0.5


@check(Tier.BRONZE)
def known(subject: Subject) -> Iterator[Flaw]:
    """Every implementation is one of a hook, and no function of a hook's name lacks its mark."""
    declared, implemented = specs(subject), implementations(subject)
    for name in implemented.keys() - declared.keys():
        yield Flaw(f"There is no hook named {name}.", "See the list of hooks in the manual; a typing error?")
    for name, hook in vars(subject.module).items():
        if name in declared and name not in implemented and inspect.isfunction(hook) and hook.__module__ == subject.module.__name__:
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


@check(Tier.BRONZE, Place.HOUSE)
def answer(house: House) -> Iterator[Flaw]:
    """Each hook answers with the right types and raises nothing, in a nearly empty system."""
    for name, hook in asked(house).items():
        try:
            if name in OPENS_TRANSACTIONS:
                ask(house, name, hook, None)
            else:
                with passing_transaction(house) as session:
                    ask(house, name, hook, session)
        except PluginFailed as failure:
            yield Flaw(f"{name} failed: {failure.reason}", "Answer with what the hook promises; where there is nothing, yield nothing.")


@check(Tier.GOLD, Place.HOUSE)
def in_time(house: House) -> Iterator[Flaw]:
    """A hook that pages wait for answers within 50 ms, any other within half a second; the best of three calls counts."""
    for name, hook in asked(house).items():
        if name in OPENS_TRANSACTIONS:
            continue
        seconds = PAGE_SECONDS if rules_of(hook).page else OTHER_SECONDS
        with passing_transaction(house) as session:
            best = min(_timed(house, name, hook, session) for _round in range(3))
        if best > seconds:
            yield Flaw(f"{name} takes {best:.2f} s, more than {seconds:g} s.", "Only say what there is; fetch it in load, or in a job.")


def _timed(house: House, name: str, hook: Hook, session: Session) -> float:
    began = time.monotonic()
    with suppress(PluginFailed):
        # ``answer`` says so.
        ask(house, name, hook, session)
    return time.monotonic() - began


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
