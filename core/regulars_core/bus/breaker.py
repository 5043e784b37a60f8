"""Gives a plugin's hook a rest after repeated failures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

FAILURES, WITHIN, REST = 5, 60.0, 300.0


@dataclass
class Trouble:
    """What went wrong with one hook of one plugin in this process. Times are seconds of the bus's clock."""

    plugin: str
    hook: str
    reason: str = ""
    count: int = 0
    rests_until: float | None = None
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))


class Breaker:
    """Opens per plugin and hook after 5 failures in 60 s; after 5 minutes one more try decides."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.troubles: dict[tuple[str, str], Trouble] = {}

    def failed(self, plugin: str, hook: str, reason: str) -> Trouble:
        """Count a failure."""
        now = self._clock()
        trouble = self.troubles.setdefault((plugin, hook), Trouble(plugin, hook))
        trouble.reason, trouble.count = reason, trouble.count + 1
        trouble.recent.append(now)
        full = len(trouble.recent) == FAILURES and now - trouble.recent[0] <= WITHIN
        if full or trouble.rests_until is not None:
            trouble.rests_until = now + REST
        return trouble

    def worked(self, plugin: str, hook: str) -> None:
        """An answer: if the hook had rested, all is well again."""
        trouble = self.troubles.get((plugin, hook))
        if trouble is not None and trouble.rests_until is not None:
            del self.troubles[plugin, hook]

    def rests(self, plugin: str, hook: str) -> bool:
        """Whether to leave the plugin's hook alone for now."""
        trouble = self.troubles.get((plugin, hook))
        return trouble is not None and trouble.rests_until is not None and self._clock() < trouble.rests_until
