"""Who acts, and why: known to every transaction of a request, command, job or handler without being passed along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass

from regulars_plugin_api.views import SYSTEM, Viewer


@dataclass(frozen=True)
class Acting:
    """``cause`` is ``web``, ``rest``, ``cli``, ``event:<uid>``, ``job:<name>``, ``import:<run>``; ``depth`` counts events in a chain."""

    actor: Viewer = SYSTEM
    cause: str | None = None
    depth: int = 0


_acting: ContextVar[Acting] = ContextVar("regulars_acting", default=Acting())  # noqa: B039 - frozen


def now_acting() -> Acting:
    """Who acts here."""
    return _acting.get()


def begin_acting(acting: Acting) -> Token[Acting]:
    """Act as somebody until ``end_acting``; for a web request, whose end is another function."""
    return _acting.set(acting)


def end_acting(token: Token[Acting]) -> None:
    """Take back ``begin_acting``."""
    _acting.reset(token)


@contextmanager
def acting_as(actor: Viewer = SYSTEM, cause: str | None = None, depth: int = 0) -> Iterator[None]:
    """Act as somebody inside the block."""
    token = begin_acting(Acting(actor, cause, depth))
    try:
        yield
    finally:
        end_acting(token)


def actor_ref(actor: Viewer) -> str:
    """How the event log names an actor, without personal data."""
    return "system" if actor.user_id is None else f"user:{actor.user_id}"
