"""What a hook may answer, read from its declaration and checked on every call: a wrong answer stops at the plugin that gave it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

MOST = 1000

Check = Callable[[Any], Any]


def parameters(spec: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the hook's parameters, in order."""
    return tuple(inspect.signature(spec).parameters)


def answer_check(spec: Callable[..., Any]) -> Check:
    """A function that returns the answer of an implementation, a generator turned into a list, or raises ``TypeError``."""
    promised = get_type_hints(spec)["return"]
    if get_origin(promised) is Iterable:
        return _many(_classes(get_args(promised)[0]))
    return _one(promised)


def _many(classes: tuple[type, ...]) -> Check:
    def check(answer: Any) -> Sequence[Any]:
        kind = type(answer)
        items = answer if kind is tuple or kind is list else list(islice(answer, MOST + 1))
        if len(items) > MOST:
            raise TypeError(f"more than {MOST} answers")
        for item in items:
            if not isinstance(item, classes):
                raise TypeError(f"answered with {type(item).__name__}, not {' or '.join(kind.__name__ for kind in classes)}")
        return items

    return check


def _one(promised: Any) -> Check:
    kinds = [kind for kind in (get_args(promised) if get_origin(promised) in (Union, UnionType) else (promised,)) if kind is not NoneType]
    parents = tuple(get_args(kind)[0] for kind in kinds if get_origin(kind) is type)
    classes = tuple(get_origin(kind) or kind for kind in kinds if get_origin(kind) is not type)

    def check(answer: Any) -> Any:
        if isinstance(answer, classes) or (parents and isinstance(answer, type) and issubclass(answer, parents)):
            return answer
        raise TypeError(f"answered with {type(answer).__name__}, not {promised}")

    return check


def _classes(promised: Any) -> tuple[type, ...]:
    if promised is Any:
        return (object,)
    if get_origin(promised) in (Union, UnionType):
        return tuple(kind for part in get_args(promised) for kind in _classes(part))
    return (get_origin(promised) or promised,)
