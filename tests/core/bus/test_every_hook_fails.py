"""In every hook of the platform a plugin may do what it should not (F10): the others are heard, or the call is refused whole."""

from __future__ import annotations

import inspect
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

import pytest
from sample_plugins import toy
from sample_plugins.misbehaving import HOOKS, MISDEEDS, MODULES, misbehaving, waiting
from structlog.testing import capture_logs

from regulars_core.bus import hooks as hooks_module
from regulars_core.bus.hooks import Answer, HookBus
from regulars_core.plugins.loader import Candidate, load_all
from regulars_plugin_api.contributions import Topic
from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.hookspecs import OnFailure, messaging, rules_of

INLINE = frozenset({"answers_nothing", "sleeps"})
"""Not failures of hooks that nobody watches: those run until they come back."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Traces of a thousand frames are not printed."""
    with capture_logs():
        yield


class NoSession:
    """As much of a session as the bus and a plugin that misbehaves use."""

    def begin_nested(self) -> AbstractContextManager[None]:
        return nullcontext()

    def commit(self) -> NoReturn:
        raise RuntimeError("not yours")


def bus_with_all(*plugins: Any) -> HookBus:
    """A bus that knows every hook of the platform."""
    bus = HookBus(lambda _plugin: True)
    for module in MODULES:
        bus.add_specs(module)
    for plugin in plugins:
        bus.register(plugin.MANIFEST.name, plugin)
    return bus


@pytest.mark.parametrize("misdeed", sorted(MISDEEDS.keys() - INLINE))
@pytest.mark.parametrize("name", sorted(HOOKS))
def test_the_others_are_heard_or_the_call_is_refused(name: str, misdeed: str) -> None:
    hook, taken = HOOKS[name], inspect.signature(HOOKS[name]).parameters
    if misdeed == "commits" and "session" not in taken:
        return
    bus = bus_with_all(misbehaving("bad", misdeed, [name]), misbehaving("silent", "answers_nothing", [name]))
    arguments = dict.fromkeys(taken) | ({"session": NoSession()} if "session" in taken else {})
    if rules_of(hook).on_failure in (OnFailure.ABORT, OnFailure.BLOCK):
        with pytest.raises(PluginFailed, match="bad"):
            bus.answers(hook, **arguments)
        return
    bad, silent = bus.answers(hook, **arguments)
    assert (bad.plugin, bad.value, silent) == ("bad", None, Answer("silent", None))
    assert bad.failure is not None


@pytest.mark.parametrize("name", sorted(name for name, hook in HOOKS.items() if rules_of(hook).page))
def test_a_page_waits_for_no_hook(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_module, "PAGE_BUDGET", 0.05)
    waiting.clear()
    bus = bus_with_all(misbehaving("bad", "sleeps", [name]), misbehaving("silent", "answers_nothing", [name]))
    bad, silent = bus.answers(HOOKS[name], **dict.fromkeys(inspect.signature(HOOKS[name]).parameters))
    waiting.set()
    assert (bad, silent) == (Answer("bad", None, "TimeoutError: no answer within 0.05 s"), Answer("silent", None))


@pytest.fixture
def listens_to_ctrl_c() -> Iterator[None]:
    """A shell starts what it runs in the background deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listens_to_ctrl_c")
def test_what_ends_the_process_is_a_person_and_no_plugin() -> None:
    def preference_topics() -> Iterable[Topic]:
        # In the main thread, as on the command line: Ctrl-C strikes while the plugin works.
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            time.sleep(0.01)
        return []

    def message_channels() -> Iterable[Any]:
        raise KeyboardInterrupt

    module = toy("a", message_channels)
    hook = HOOKS["plugin_hookspecs"]
    assert bus_with_all(misbehaving("bad", "interrupts", ["plugin_hookspecs"])).answers(hook)[0].failure == "KeyboardInterrupt: "
    assert bus_with_all(module).answers(messaging.message_channels)[0].failure == "KeyboardInterrupt: "

    def crm_started(crm: Any) -> None:
        preference_topics()

    with pytest.raises(KeyboardInterrupt):
        bus_with_all(toy("b", crm_started)).answers(HOOKS["crm_started"], crm=None)


def test_a_package_that_interrupts_its_own_import_is_broken() -> None:
    def load() -> Any:
        raise KeyboardInterrupt

    [broken] = load_all([Candidate("bad", "1.0", load)])[1]
    assert str(broken.reason) == "It could not be imported: KeyboardInterrupt: "
