"""In-process notices after commit. A receiver that fails is logged; the others are still told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from blinker import Signal

from regulars_plugin_api.events import DomainEvent

E = TypeVar("E", bound=DomainEvent)
log = structlog.get_logger(__name__)


class SignalHub:
    """One blinker signal per event type."""

    def __init__(self, is_enabled: Callable[[str], bool]) -> None:
        self._is_enabled = is_enabled
        self._signals: dict[str, Signal] = {}

    def connect(self, plugin: str, event: type[E], receiver: Callable[[E], None]) -> None:
        """Call ``receiver`` after each commit that emitted ``event``, while ``plugin`` is enabled."""

        def told(_sender: Any, body: E) -> None:
            if self._is_enabled(plugin):
                receiver(body)

        self._signals.setdefault(event.type, Signal()).connect(told, weak=False)

    def send(self, event: DomainEvent) -> None:
        """Tell everybody who is connected."""
        signal = self._signals.get(event.type)
        if signal is None:
            return
        for receiver in signal.receivers_for(None):
            try:
                receiver(None, body=event)
            except BaseException:
                log.exception("a signal receiver failed", event_type=event.type)
