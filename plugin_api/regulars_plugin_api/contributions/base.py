"""What all contributions share: one of the wrong shape is refused where it is made, in the plugin's own code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

LONGEST_TITLE = 300
_TITLES = frozenset({"title", "label"})


class Contribution:
    """Base of what hooks return. Raises ``TypeError`` for a field of the wrong kind, ``ValueError`` for a title without end.

    Text is text: markup is refused, and what stands in a title is escaped wherever it is shown.
    """

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for name, plain, is_fit, wanted, longest in _fields(kind):
            value = getattr(self, name)
            if type(value) in plain:
                if longest and value and len(value) > longest:
                    raise ValueError(f"{kind.__name__}.{name} has {len(value)} characters, more than {longest}")
            elif not is_fit(value):
                raise TypeError(f"{kind.__name__}.{name} is {type(value).__name__}, not {wanted}")
            elif isinstance(value, str) and hasattr(value, "__html__"):
                raise TypeError(f"{kind.__name__}.{name} is markup: give plain text")
            elif longest and len(str(value)) > longest:
                raise ValueError(f"{kind.__name__}.{name} is longer than {longest} characters")


@cache
def _fields(kind: Any) -> tuple[tuple[str, frozenset[type], Callable[[Any], bool], str, int], ...]:
    # The running system is known to type checkers only: contributions come before the services that take them.
    hints = get_type_hints(kind, localns={"Crm": object})
    return tuple(
        (name, frozenset({str, int, bool, NoneType} & {*_parts(hint)}), _check(hint), _words(hint), LONGEST_TITLE if name in _TITLES else 0)
        for name, hint in hints.items()
        if hint is not Any
    )


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _check(hint: Any) -> Callable[[Any], bool]:
    parts = _parts(hint)
    parents = tuple(get_args(part)[0] for part in parts if get_origin(part) is type)
    classes = tuple(get_origin(part) or part for part in parts if get_origin(part) is not type)

    def is_fit(value: Any) -> bool:
        return isinstance(value, classes) or (bool(parents) and isinstance(value, type) and issubclass(value, parents))

    return is_fit


def _words(hint: Any) -> str:
    names = ["None" if part is NoneType else getattr(get_origin(part) or part, "__name__", str(part)) for part in _parts(hint)]
    return " or ".join(names)
