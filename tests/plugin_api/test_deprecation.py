"""What leaves the contract warns first, at the line of the plugin that still uses it."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from regulars_plugin_api.deprecation import RegularsDeprecationWarning, deprecated, warn_deprecated


@deprecated("1.2", "2.0", "render")
def draw(name: str, *, loud: bool = False) -> str:
    """Draw."""
    return name.upper() if loud else name


@deprecated("1.2", "2.0", "Panel")
class Box:
    """A box."""

    def __init__(self, size: int) -> None:
        self.size = size


class BigBox(Box):
    """A plugin's own box."""


def place(where: str = "side") -> str:
    """Whose parameter leaves."""
    if where != "side":
        warn_deprecated("place(where=…)", "1.3", "2.0", "Place")
    return where


def use(what: Callable[[], Any]) -> tuple[Any, list[tuple[str, str, int]]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = what()
    assert {one.category for one in caught} <= {RegularsDeprecationWarning}
    return answer, [(str(one.message), one.filename, one.lineno) for one in caught]


def test_a_function_warns_at_the_line_that_calls_it() -> None:
    def calls() -> str:
        return draw("x", loud=True)

    line = inspect.getsourcelines(calls)[1] + 1
    words = f"{__name__}.draw is deprecated since 1.2 and gone in 2.0: use render"
    assert use(calls) == ("X", [(words, __file__, line)])
    assert (draw.__name__, draw.__doc__, list(inspect.signature(draw).parameters)) == ("draw", "Draw.", ["name", "loud"])


@pytest.mark.parametrize("kind", [Box, BigBox])
def test_a_class_warns_where_one_is_made(kind: type[Box]) -> None:
    def makes() -> Box:
        return kind(3)

    line = inspect.getsourcelines(makes)[1] + 1
    made, caught = use(makes)
    assert (type(made), made.size, isinstance(made, Box)) == (kind, 3, True)
    assert caught == [(f"{__name__}.Box is deprecated since 1.2 and gone in 2.0: use Panel", __file__, line)]


def test_a_parameter_warns_only_who_uses_it() -> None:
    def calls() -> str:
        return place("top")

    line = inspect.getsourcelines(calls)[1] + 1
    assert use(place) == ("side", [])
    assert use(calls) == ("top", [("place(where=…) is deprecated since 1.3 and gone in 2.0: use Place", __file__, line)])


def test_it_is_a_deprecation_warning_to_python() -> None:
    assert issubclass(RegularsDeprecationWarning, DeprecationWarning)
