"""How a part of the contract leaves: it warns for at least one minor version first."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

Leaving = TypeVar("Leaving", bound=Callable[..., Any])


class RegularsDeprecationWarning(DeprecationWarning):
    """A plugin uses something that will be gone; the message says when, and what to use instead."""


def deprecated(since: str, gone_in: str, instead: str) -> Callable[[Leaving], Leaving]:
    """Mark a public function or class as leaving: ``@deprecated("1.2", "2.0", "render")``. The line that calls it is warned of."""

    def mark(target: Leaving) -> Leaving:
        what = f"{target.__module__}.{target.__qualname__}"
        warn = functools.partial(warn_deprecated, what, since, gone_in, instead)
        if isinstance(target, type):
            made: Any = target
            made.__init__ = _warned(made.__init__, warn)
            return target
        return cast(Leaving, _warned(target, warn))

    return mark


def warn_deprecated(what: str, since: str, gone_in: str, instead: str, *, stacklevel: int = 2) -> None:
    """Warn that ``what`` is leaving: a module, a parameter, a constant. ``stacklevel`` 2 is whoever called the function this stands in."""
    text = f"{what} is deprecated since {since} and gone in {gone_in}: use {instead}"
    warnings.warn(text, RegularsDeprecationWarning, stacklevel=stacklevel + 1)


def _warned(function: Callable[..., Any], warn: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(function)
    def warned(*args: Any, **kwargs: Any) -> Any:
        warn()
        return function(*args, **kwargs)

    return warned
