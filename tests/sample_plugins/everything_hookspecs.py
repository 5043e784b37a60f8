"""A hook that the plugin ``everything`` adds for others."""

from __future__ import annotations

from collections.abc import Iterable

from regulars_plugin_api.hookspecs import hookspec


@hookspec
def colours() -> Iterable[str]:
    """Colours of everything.

    Asked when somebody wants to know. On failure the world is grey. Since 1.0.
    """
    raise NotImplementedError
