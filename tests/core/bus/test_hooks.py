"""A plugin that fails, hangs or answers nonsense in a hook is left out and named; the others are heard."""

from __future__ import annotations

import threading
import time
import timeit
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import pluggy
import pytest
from sample_plugins import toy

from regulars_core.bus import hooks as hooks_module
from regulars_core.bus.hooks import Answer, HookBus, PluginRefused
from regulars_plugin_api.contributions import NavItem, Topic
from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.hookspecs import customers, hookimpl, hookspec, lifecycle, messaging, web
from regulars_plugin_api.views import SYSTEM

NEWS, SALES = Topic("news", "News"), Topic("sales", "Sales")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def bus_with(*modules: ModuleType, off: Iterable[str] = (), clock: Callable[[], float] = time.monotonic) -> HookBus:
    bus = HookBus(lambda name: name not in off, clock)
    for specs in (messaging, web, customers, lifecycle):
        bus.add_specs(specs)
    for module in modules:
        bus.register(module.MANIFEST.name, module)
    return bus


def topics_of(*topics: Topic) -> Callable[[], Iterable[Topic]]:
    def preference_topics() -> Iterable[Topic]:
        return topics

    return preference_topics


def test_contributions_come_in_plugin_order() -> None:
    bus = bus_with(toy("b", topics_of(NEWS)), toy("a", topics_of(SALES)))
    assert bus.collect(messaging.preference_topics) == [NEWS, SALES]


def test_a_generator_is_consumed_inside_the_guard() -> None:
    def preference_topics() -> Iterator[Topic]:
        yield NEWS
        raise RuntimeError("half way")

    bus = bus_with(toy("a", preference_topics), toy("b", topics_of(SALES)))
    assert bus.collect(messaging.preference_topics) == [SALES]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), RecursionError(), MemoryError(), GeneratorExit(), BaseException("x")])
def test_whatever_a_plugin_raises_the_others_are_heard(error: BaseException) -> None:
    def preference_topics() -> Iterable[Topic]:
        raise error

    bus = bus_with(toy("bad", preference_topics), toy("good", topics_of(NEWS)))
    assert bus.answers(messaging.preference_topics) == [
        Answer("bad", None, f"{type(error).__name__}: {error}"),
        Answer("good", (NEWS,)),
    ]


@pytest.mark.parametrize("nonsense", ["news", 7, {"news": 1}, [NEWS, None], [NEWS, "sales"], iter([3]), object(), Topic])
def test_an_answer_of_the_wrong_kind_stops_at_its_plugin(nonsense: Any) -> None:
    def preference_topics() -> Any:
        return nonsense

    bus = bus_with(toy("bad", preference_topics), toy("good", topics_of(NEWS)))
    assert bus.each(messaging.preference_topics) == [("good", (NEWS,))]
    assert [trouble.plugin for trouble in bus.troubles()] == ["bad"]


def test_an_answer_without_end_is_cut() -> None:
    def preference_topics() -> Iterator[Topic]:
        while True:
            yield NEWS

    bus = bus_with(toy("bad", preference_topics))
    assert bus.answers(messaging.preference_topics) == [Answer("bad", None, "TypeError: more than 1000 answers")]


def test_a_plugin_that_is_off_is_not_asked_except_by_hooks_that_say_so() -> None:
    def permissions() -> Iterable[Any]:
        return []

    def settings_schema() -> None:
        return None

    off = {"a"}
    bus = bus_with(toy("a", topics_of(NEWS), settings_schema), off=off)
    assert bus.collect(messaging.preference_topics) == []
    assert bus.answers(lifecycle.settings_schema) == [Answer("a", None)]
    off.clear()
    assert bus.collect(messaging.preference_topics) == [], "cached until told"
    bus.forget()
    assert bus.collect(messaging.preference_topics) == [NEWS]


def test_first_stops_at_an_answer_and_passes_over_failures(crm_session: Any) -> None:
    asked: list[str] = []

    def finder(name: str, found: Any) -> ModuleType:
        def find_customer(identifier: str) -> Any:
            asked.append(name)
            if isinstance(found, Exception):
                raise found
            return found

        return toy(name, find_customer)

    bus = bus_with(finder("a", None), finder("b", ValueError()), finder("c", 7), finder("d", 8))
    assert bus.first(customers.find_customer, crm_session, "4711") == 7
    assert asked == ["a", "b", "c"]


@pytest.fixture
def crm_session() -> Any:
    class Session:
        def begin_nested(self) -> threading.Lock:
            return threading.Lock()

    return Session()


@pytest.mark.parametrize("spec", [customers.customers_merging, messaging.contact_vetoes])
def test_hooks_that_must_not_be_skipped_end_the_call(spec: Callable[..., Any]) -> None:
    def customers_merging(keep_id: int) -> None:
        raise ValueError("no")

    def contact_vetoes(channel: str) -> Iterable[Any]:
        raise ValueError("no")

    bus = bus_with(toy("bad", customers_merging, contact_vetoes))
    for _again in range(7):
        with pytest.raises(PluginFailed) as failed:
            bus.collect(spec, None, None, 1, 2)
        assert (failed.value.plugin, failed.value.hook, failed.value.reason) == ("bad", spec.__name__, "ValueError: no")


def test_the_breaker_opens_after_five_failures_in_a_minute_and_tries_again_after_five() -> None:
    clock, asked, healthy = Clock(), [], False

    def preference_topics() -> Iterable[Topic]:
        asked.append(clock.now)
        if not healthy:
            raise ValueError("no")
        return [NEWS]

    bus = bus_with(toy("bad", preference_topics), clock=clock)
    for clock.now in (0.0, 10.0, 20.0, 30.0, 61.0, 62.0, 63.0, 300.0, 361.9, 362.5, 363.0, 600.0, 662.4):
        bus.collect(messaging.preference_topics)
    assert asked == [0.0, 10.0, 20.0, 30.0, 61.0, 62.0, 362.5], "open since 62, one try at 362.5"
    healthy = True
    clock.now = 662.6
    assert bus.collect(messaging.preference_topics) == [NEWS]
    assert bus.troubles() == []


def test_failures_far_apart_do_not_open_the_breaker() -> None:
    clock, asked = Clock(), []

    def preference_topics() -> Iterable[Topic]:
        asked.append(clock.now)
        raise ValueError("no")

    bus = bus_with(toy("bad", preference_topics), clock=clock)
    for clock.now in range(0, 400, 20):
        bus.collect(messaging.preference_topics)
    assert len(asked) == 20


def test_a_page_waits_for_nobody_longer_than_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_module, "PAGE_BUDGET", 0.5)
    come_back, asked = threading.Event(), []

    def hanging(viewer: Any) -> Iterable[NavItem]:
        asked.append("hanging")
        come_back.wait()
        return []

    def good(viewer: Any) -> Iterable[NavItem]:
        return [NavItem("Good", "good.page", "good.see")]

    hanging.__name__ = good.__name__ = "nav_items"
    bus = bus_with(toy("a", good), toy("b", hanging, topics_of(NEWS)), toy("c", good))
    began = time.monotonic()
    answers = bus.answers(web.nav_items, SYSTEM)
    assert time.monotonic() - began < 30
    assert [(answer.plugin, answer.failure) for answer in answers] == [
        ("a", None),
        ("b", "TimeoutError: no answer within 0.5 s"),
        ("c", None),
    ]
    assert [answer.plugin for answer in bus.answers(web.nav_items, SYSTEM) if answer.failure] == ["b"]
    assert bus.collect(messaging.preference_topics) == [], "a plugin with a stuck thread is off in this process"
    assert asked == ["hanging"]
    come_back.set()
    assert _soon(lambda: bus.collect(messaging.preference_topics) == [NEWS])


def test_the_load_of_a_panel_has_the_same_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_module, "PAGE_BUDGET", 0.5)
    bus, come_back = bus_with(toy("a")), threading.Event()
    assert bus.guarded("a", "panel", lambda: {"points": 3}) == Answer("a", {"points": 3})
    assert bus.guarded("a", "panel", lambda: 1 / 0) == Answer("a", None, "ZeroDivisionError: division by zero")
    assert bus.guarded("a", "panel", come_back.wait) == Answer("a", None, "TimeoutError: no answer within 0.5 s")
    assert bus.guarded("a", "panel", dict).failure == "has not come back from an earlier call"
    come_back.set()


def test_a_page_hook_keeps_the_context_of_the_request() -> None:
    from regulars_core.acting import acting_as, now_acting
    from regulars_plugin_api.i18n import current_locale, in_locale

    def nav_items(viewer: Any) -> Iterable[NavItem]:
        return [NavItem(f"{current_locale()} {now_acting().cause}", "x", "x")]

    with in_locale("sv"), acting_as(SYSTEM, "web"):
        assert bus_with(toy("a", nav_items)).collect(web.nav_items, SYSTEM) == [NavItem("sv web", "x", "x")]


def test_misfits_are_refused_and_leave_nothing_behind() -> None:
    def no_such_hook() -> None:
        pass

    def nav_items(viewer: Any, shoe_size: int) -> None:
        pass

    bus = bus_with()
    with pytest.raises(PluginRefused, match="there is no hook named no_such_hook"):
        bus.register("a", toy("a", topics_of(NEWS), no_such_hook))
    with pytest.raises(PluginRefused, match="shoe_size"):
        bus.register("a", toy("a", topics_of(NEWS), nav_items))
    wrapping = toy("a", topics_of(NEWS))

    def blueprints() -> Iterator[Any]:
        yield

    vars(wrapping)["blueprints"] = pluggy.HookimplMarker("regulars")(blueprints, wrapper=True)
    with pytest.raises(PluginRefused, match="wrappers"):
        bus.register("a", wrapping)
    with_default = toy("a")

    def customer_panels(customer: Any, viewer: Any = None) -> Any:
        return []

    vars(with_default)["customer_panels"] = hookimpl(customer_panels)
    with pytest.raises(PluginRefused, match="default arguments"):
        bus.register("a", with_default)
    assert bus.collect(messaging.preference_topics) == []
    bus.register("a", toy("a", topics_of(NEWS)))
    assert bus.collect(messaging.preference_topics) == [NEWS]


def test_a_call_with_wrong_arguments_is_the_callers_error() -> None:
    bus = bus_with(toy("a", topics_of(NEWS)))
    with pytest.raises(TypeError, match="preference_topics takes nothing"):
        bus.collect(messaging.preference_topics, 1)  # type: ignore[call-arg]


def test_two_hooks_of_one_name_are_refused() -> None:
    specs = ModuleType("specs")

    @hookspec
    def preference_topics() -> Iterable[Topic]:
        raise NotImplementedError

    vars(specs)["preference_topics"] = preference_topics
    with pytest.raises(PluginRefused, match="preference_topics"):
        bus_with().add_specs(specs)


@pytest.mark.parametrize("count", [10, 30])
def test_a_call_costs_at_most_half_as_much_again_as_bare_pluggy(count: int) -> None:
    bus, bare = bus_with(), pluggy.PluginManager("regulars")
    bare.add_hookspecs(messaging)
    for number in range(count):
        module = toy(f"p{number}", topics_of(NEWS))
        bus.register(module.MANIFEST.name, module)
        bare.register(module)
    rounds = [
        (
            _once(lambda: bus.collect(messaging.preference_topics)),
            _once(lambda: [one for found in bare.hook.preference_topics() for one in found]),
        )
        for _round in range(200)
    ]
    assert min(ours for ours, _theirs in rounds) <= 1.5 * min(theirs for _ours, theirs in rounds)


def test_a_hook_that_nobody_implements_costs_next_to_nothing() -> None:
    bus = bus_with()
    assert _best(lambda: bus.collect(messaging.preference_topics)) - _best(lambda: None) < 0.2e-6


def _once(call: Callable[[], object]) -> float:
    return timeit.timeit(call, number=200) / 200


def _best(call: Callable[[], object]) -> float:
    """Seconds per call, of the quickest of many rounds: what else the machine does can only make it slower."""
    return min(_once(call) for _round in range(200))


def _soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.01)
    return False


def test_one_plugin_asked_for_a_page_s_hook_is_heard_failing_at_once() -> None:
    def nav_items(viewer: Any) -> Iterable[NavItem]:
        raise RuntimeError("no menu")

    bus = bus_with(toy("bad", nav_items))
    for _again in range(2):
        with pytest.raises(PluginFailed) as failed:
            bus.ask("bad", web.nav_items, viewer=SYSTEM)
        assert isinstance(failed.value.__cause__, RuntimeError)
