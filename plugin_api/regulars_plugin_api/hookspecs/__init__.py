"""Every hook of the platform, one file per subject. The docstring of a hook is its manual page.

A plugin implements a hook by a function of the same name, marked ``@hookimpl``, with any of the hook's arguments by name.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast, overload

import pluggy

PROJECT = "regulars"
hookimpl = pluggy.HookimplMarker(PROJECT)
_mark = pluggy.HookspecMarker(PROJECT)

Spec = TypeVar("Spec", bound=Callable[..., Any])


class OnFailure(enum.Enum):
    """What a failing plugin does to the call: it is left out, or the call fails and what was begun is rolled back or answered "no"."""

    SKIP = "skip"
    ABORT = "abort"
    BLOCK = "block"
    PLUGIN_OFF = "plugin off"


@dataclass(frozen=True)
class HookRules:
    """How the host calls a hook.

    ``page`` hooks have two seconds, those where a plugin ``declares`` what it has, such as its jobs, ten; ``disabled_too`` ones are asked
    of plugins that are off as well.
    """

    on_failure: OnFailure = OnFailure.SKIP
    page: bool = False
    disabled_too: bool = False
    declares: bool = False


@overload
def hookspec(spec: Spec, /) -> Spec: ...
@overload
def hookspec(
    *, on_failure: OnFailure = ..., page: bool = ..., disabled_too: bool = ..., declares: bool = ..., firstresult: bool = ...
) -> Callable[[Spec], Spec]: ...
def hookspec(
    spec: Spec | None = None,
    /,
    *,
    on_failure: OnFailure = OnFailure.SKIP,
    page: bool = False,
    disabled_too: bool = False,
    declares: bool = False,
    firstresult: bool = False,
) -> Spec | Callable[[Spec], Spec]:
    """Declare a hook. Use plain parameters: pluggy sees no names behind a bare ``*``."""

    def declare(function: Spec) -> Spec:
        cast(Any, function).regulars_rules = HookRules(on_failure, page, disabled_too, declares)
        return _mark(function, firstresult=firstresult)

    return declare if spec is None else declare(spec)


def rules_of(spec: Callable[..., Any]) -> HookRules:
    """How ``spec`` was declared."""
    return cast(HookRules, cast(Any, spec).regulars_rules)
