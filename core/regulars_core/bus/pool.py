"""Threads for pages, and the plugin code in them. One that does not come back is left behind; it never delays the page or the exit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar, cast

C = TypeVar("C")
T = TypeVar("T")
_LOOK_AGAIN = 0.25


class Running(NamedTuple):
    """A call of a plugin that has not come back yet."""

    plugin: str
    hook: Any
    began: float


class Helper(threading.Thread):
    """A thread that does one piece of work after the other. ``running`` is the plugin call it is in."""

    running: Running | None = None

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


class Turn(Generic[C]):
    """Calls made one after the other in a helper, until somebody stops waiting."""

    def __init__(self, calls: Sequence[C], ask: Callable[[C], list[Any]], clock: Callable[[], float]) -> None:
        self._calls, self._ask, self._clock = calls, ask, clock
        self._began = clock()
        self._answers: list[Any] = []
        self._error: BaseException | None = None
        self._left = False
        self.finished = threading.Event()

    def run(self) -> None:
        """Make the calls; for the helper."""
        for call in self._calls:
            if self._left:
                return
            self._began = self._clock()
            try:
                self._answers += self._ask(call)
            except BaseException as error:
                # It is raised where the answers are waited for.
                self._error = error
                return

    def wait(self, budget: float) -> None:
        """Until all is done, or one call has taken longer than ``budget``."""
        while not self.finished.wait(max(0.0, self._began + budget - self._clock())):
            if self._clock() - self._began >= budget:
                return

    def leave(self) -> list[Any]:
        """Stop waiting; the answers so far. Raises what a plugin that must not be skipped has done."""
        self._left = True
        if self._error is not None:
            raise self._error
        return list(self._answers)


class Whole(Generic[T]):
    """A whole page made in a helper, watched for a plugin call that does not come back."""

    def __init__(self, work: Callable[[], T], clock: Callable[[], float]) -> None:
        self._work, self._clock = work, clock
        self._helper: Helper | None = None
        self._answer: T | None = None
        self._error: BaseException | None = None
        self.finished = threading.Event()

    def run(self) -> None:
        """Make the page; for the helper."""
        self._helper = cast(Helper, threading.current_thread())
        self._helper.running = None
        try:
            self._answer = self._work()
        except BaseException as error:
            # It is raised where the page is waited for.
            self._error = error

    def late(self, budget: float) -> Running | None:
        """Wait for the end; the call that has taken longer than ``budget``, if there is one before that."""
        patience = _LOOK_AGAIN
        while not self.finished.wait(patience):
            running = self._helper.running if self._helper else None
            patience = running.began + (running.hook.budget or budget) - self._clock() if running else _LOOK_AGAIN
            if patience <= 0:
                return running
        return None

    def answer(self) -> T:
        """What came of it."""
        if self._error is not None:
            raise self._error
        return cast(T, self._answer)
