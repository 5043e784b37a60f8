"""Threads for plugin code that a page waits for. One that does not come back is left behind; it never delays the page or the exit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue


class Helper(threading.Thread):
    """A thread that does one piece of work after the other."""

    def __init__(self) -> None:
        super().__init__(name="regulars-page", daemon=True)
        self._given: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.start()

    def give(self, work: Callable[[], None]) -> None:
        """Start on ``work``; it must not raise."""
        self._given.put(work)

    def run(self) -> None:
        while True:
            self._given.get()()


class PagePool:
    """As many helpers as pages wait at the same time, used again and again."""

    def __init__(self) -> None:
        self._idle: list[Helper] = []

    def start(self, work: Callable[[], None], finished: threading.Event) -> None:
        """Run ``work`` in a helper, in this thread's context; ``finished`` is set when it comes back, however late."""
        context = copy_context()
        try:
            helper = self._idle.pop()
        except IndexError:
            helper = Helper()

        def working() -> None:
            try:
                context.run(work)
            finally:
                self._idle.append(helper)
                finished.set()

        helper.give(working)
