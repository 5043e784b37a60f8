"""How a part of the contract leaves: it warns for at least one minor version first."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class RegularsDeprecationWarning(DeprecationWarning):
    """A plugin uses something that will be gone; the message says when, and what to use instead."""


def deprecated(since: str, gone_in: str, instead: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Mark a public function as leaving: ``@deprecated("1.2", "2.0", "render")``."""

    def mark(function: Callable[P, T]) -> Callable[P, T]:
        text = f"{function.__module__}.{function.__qualname__} is deprecated since {since} and gone in {gone_in}: use {instead}"

        @functools.wraps(function)
        def warned(*args: P.args, **kwargs: P.kwargs) -> T:
            warnings.warn(text, RegularsDeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        return warned

    return mark
