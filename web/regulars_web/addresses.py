"""Addresses of views. Those that need nothing but short names and numbers of rows, as most of a page do, are put together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from werkzeug.routing import Rule

_STANDS_IN = 876_543_210_123_456_000
"""The number of a row that no address will ever have; others are put into its place."""
_SHORT, _MOST = 40, 4096
_Form = tuple[tuple[str, str | int], ...]


class Addresses:
    """What ``make`` answers, kept for the next time it is asked the same with other numbers."""

    def __init__(self, make: Callable[..., str]) -> None:
        self._make = make
        self._pattern = lru_cache(maxsize=_MOST)(self._new_pattern)

    def of(self, endpoint: str, root: str, values: Mapping[str, object]) -> str:
        """The address of a view, in an application that is reached under ``root``."""
        numbers: list[int] = []
        form: list[tuple[str, str | int]] = []
        for name, value in values.items():
            if type(value) is int and 0 <= value < _STANDS_IN:
                form.append((name, _STANDS_IN + len(numbers)))
                numbers.append(value)
            elif type(value) is str and len(value) <= _SHORT:
                form.append((name, value))
            else:
                return self._make(endpoint, **values)
        return self._pattern(endpoint, root, tuple(form)).format(*numbers)

    def _new_pattern(self, endpoint: str, _root: str, form: _Form) -> str:
        address = self._make(endpoint, **dict(form)).replace("{", "{{").replace("}", "}}")
        for place, number in enumerate(value for _name, value in form if type(value) is int):
            address = address.replace(str(number), f"{{{place}}}")
        return address


class LateRule(Rule):
    """A rule that learns how its addresses are written when the first one is wanted.

    Werkzeug writes two functions for each rule, a third of what it takes to put an application together, and most are never called. A
    release that goes about it in another way does not ask for this.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(super(LateRule, self)._compile_builder(append_unknown))
            return made[0](rule, **values)

        return build
