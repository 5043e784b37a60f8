"""Calls hooks: each plugin in its own guard, with a clock, so that one that fails or hangs is left out and named.

Only this package touches pluggy.
"""

from __future__ import annotations

import dis
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, cast

import pluggy
import structlog

from regulars_core.bus.breaker import Breaker, Trouble
from regulars_core.bus.pool import Helper, PagePool, Running, Turn, Whole
from regulars_core.bus.shape import Check, answer_check, parameters
from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.hookspecs import PROJECT, OnFailure, rules_of

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger(__name__)

PAGE_BUDGET = 2.0
START_BUDGET = 10.0


class PluginRefused(Exception):
    """A plugin's hooks don't fit the contract."""


class Answer(NamedTuple, Generic[T]):
    """What one plugin answered, or why it did not."""

    plugin: str
    value: T | None
    failure: str | None = None


class _Failure:
    """In place of an answer. As good as no answer to whoever collects."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __bool__(self) -> bool:
        return False


class _Call(NamedTuple):
    plugin: str
    function: Callable[..., Any]
    picks: tuple[int, ...] | None


class _Hook(NamedTuple):
    name: str
    names: tuple[str, ...]
    calls: tuple[_Call, ...]
    check: Check
    page: bool
    must: bool
    session: int | None
    budget: float | None = None
    declares: bool = False


class HookBus:
    """The plugins' functions, by hook. ``is_enabled`` says who is asked; call ``forget`` when that has changed."""

    def __init__(self, is_enabled: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._is_enabled = is_enabled
        self._clock = clock
        self._order: list[str] = []
        self._hooks: dict[Callable[..., Any], _Hook] = {}
        self._breaker = Breaker(clock)
        self._pool = PagePool()
        self._stuck: dict[str, threading.Event] = {}

    def add_specs(self, module: ModuleType) -> None:
        """Admit the hooks declared in ``module``."""
        try:
            self._manager.add_hookspecs(module)
        except ValueError as error:
            raise PluginRefused(str(error)) from error

    def register(self, plugin: str, module: ModuleType) -> None:
        """Admit the implementations in ``module``. Raises ``PluginRefused``, and then none of them is there."""
        try:
            self._manager.register(module, plugin)
            for caller in self._manager.get_hookcallers(module) or ():
                _refuse_misfits(caller, plugin)
        except (pluggy.PluginValidationError, PluginRefused) as error:
            if self._manager.has_plugin(plugin):
                self._manager.unregister(name=plugin)
            raise PluginRefused(str(error)) from error
        self._order.append(plugin)
        self.forget()

    def unregister(self, plugin: str) -> None:
        """Take a plugin's implementations out again."""
        self._manager.unregister(name=plugin)
        self._order.remove(plugin)
        self.forget()

    def forget(self) -> None:
        """Find out anew who is enabled."""
        self._hooks = {}

    def implemented_by(self, plugin: str) -> list[str]:
        """Names of the hooks a plugin implements."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(plugin)) or []
        return sorted(caller.name for caller in callers)

    def troubles(self) -> list[Trouble]:
        """What went wrong in this process, for the plugins page."""
        return list(self._breaker.troubles.values())

    def is_implemented(self, spec: Callable[..., Any]) -> bool:
        """Whether an enabled plugin has this hook; none is asked."""
        return bool((self._hooks.get(spec) or self._prepare(spec)).calls)

    def collect(self, spec: Callable[P, Iterable[T] | None], *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """Everything the plugins contribute, in plugin order; those that fail are left out, unless the hook must not be skipped."""
        hook = self._hooks.get(spec) or self._prepare(spec)
        if not hook.calls:
            return []
        found: list[T] = []
        for answer in self._ask_all(hook, args, kwargs):
            if answer:
                found += answer
        return found

    def each(self, spec: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs) -> list[tuple[str, T]]:
        """``(plugin, answer)`` of each plugin that has one."""
        return [(answer.plugin, answer.value) for answer in self.answers(spec, *args, **kwargs) if answer.value is not None]

    def answers(self, spec: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs) -> list[Answer[T]]:
        """What every plugin answered, failures included."""
        hook = self._hooks.get(spec) or self._prepare(spec)
        return [_answer(call.plugin, answer) for call, answer in zip(hook.calls, self._ask_all(hook, args, kwargs), strict=True)]

    def first(self, spec: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The first answer that is not None."""
        hook = self._hooks.get(spec) or self._prepare(spec)
        values = _in_order(hook, args, kwargs)
        for call in hook.calls:
            answer = self._run(hook, (call,), values)[0]
            if answer is not None and type(answer) is not _Failure:
                return cast(T, answer)
        return None

    def ask(self, plugin: str, spec: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The answer of one plugin, enabled or not; None too if it lacks the hook. Raises ``PluginFailed`` whatever the hook's rules."""
        # Asked for itself, not for a page: whoever asks waits, and hears what went wrong.
        hook = self._hook(spec, lambda name: name == plugin)._replace(must=True, page=False)
        answers = self._ask_all(hook, args, kwargs)
        return cast("T | None", answers[0]) if answers else None

    def guarded(self, plugin: str, what: str, work: Callable[[], T], budget: float | None = None) -> Answer[T]:
        """Run other code of a plugin that a page waits for, such as the load of a panel, under the same breaker, for ``budget`` seconds."""
        return _answer(plugin, self._call(_other_code(what, budget), (_Call(plugin, work, None),), ())[0])

    def watched(self, work: Callable[[], T]) -> T:
        """Make a page in a helper, plugin calls and all, and give its answer: one change of threads instead of one for every call.

        A plugin that exceeds the budget is left behind, and the page made again without it; so ``work`` only reads.
        """
        while True:
            page = Whole(work, self._clock)
            self._pool.start(page.run, page.finished)
            late = page.late(PAGE_BUDGET)
            if late is None:
                return page.answer()
            self._stuck[late.plugin] = page.finished
            self._failed(late.hook, late.plugin, TimeoutError(f"no answer within {late.hook.budget or PAGE_BUDGET:g} s"))

    def _prepare(self, spec: Callable[..., Any]) -> _Hook:
        rules = rules_of(spec)
        hook = self._hooks[spec] = self._hook(spec, lambda name: rules.disabled_too or self._is_enabled(name))
        return hook

    def _hook(self, spec: Callable[..., Any], asked: Callable[[str], bool]) -> _Hook:
        rules, name, names = rules_of(spec), cast(Any, spec).__name__, parameters(spec)
        caller = getattr(self._manager.hook, name)
        if caller.spec is None or caller.spec.function is not spec:
            raise LookupError(f"the hook {name} was not admitted")
        impls = sorted(caller.get_hookimpls(), key=lambda impl: self._order.index(impl.plugin_name))
        picks = [tuple(names.index(argument) for argument in impl.argnames) for impl in impls]
        everything = tuple(range(len(names)))
        calls = tuple(
            _Call(impl.plugin_name, impl.function, None if pick == everything else pick)
            for impl, pick in zip(impls, picks, strict=True)
            if asked(impl.plugin_name)
        )
        must = rules.on_failure in (OnFailure.ABORT, OnFailure.BLOCK)
        session = names.index("session") if "session" in names and not must else None
        return _Hook(name, names, calls, answer_check(spec), rules.page, must, session, declares=rules.declares)

    def _ask_all(self, hook: _Hook, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        return self._call(hook, hook.calls, _in_order(hook, args, kwargs))

    def _call(self, hook: _Hook, calls: Sequence[_Call], values: Sequence[Any]) -> list[Any]:
        if (hook.page or hook.declares) and type(threading.current_thread()) is not Helper:
            return self._in_time(hook, calls, values)
        return self._run(hook, calls, values)

    def _run(self, hook: _Hook, calls: Iterable[_Call], values: Sequence[Any]) -> list[Any]:
        """Call one after the other; what fails becomes a ``_Failure``, or ends the whole call where the hook must not be skipped."""
        answers: list[Any] = []
        clock, check, name, session = self._clock, hook.check, hook.name, hook.session
        troubles, stuck = self._breaker.troubles, self._stuck
        here: Any = threading.current_thread()
        # On a page every call is watched, whatever the hook: the page can be made again without the plugin.
        thread = here if type(here) is Helper else None
        outer = thread.running if thread is not None else None
        began = clock()
        for plugin, function, picks in calls:
            if (troubles or stuck) and (pause := self._pause(hook, plugin)):
                answers.append(_Failure(pause))
                continue
            if thread is not None:
                thread.running = Running(plugin, hook, began)
            try:
                chosen = values if picks is None else [values[pick] for pick in picks]
                if session is None:
                    answer = function(*chosen)
                    if answer is not None:
                        answer = check(answer)
                else:
                    # A statement that fails would otherwise end the caller's transaction on PostgreSQL.
                    with values[session].begin_nested():
                        answer = function(*chosen)
                        if answer is not None:
                            answer = check(answer)
            except BaseException as error:
                # SystemExit as well: a plugin must not take the house down.
                if is_ctrl_c(error):
                    raise
                answer = self._failed(hook, plugin, error)
            else:
                if troubles:
                    self._breaker.worked(plugin, name)
            finally:
                if thread is not None:
                    thread.running = outer
            answers.append(answer)
            ended = clock()
            if ended - began > PAGE_BUDGET:
                log.warning("a plugin is slow", plugin=plugin, hook=name, seconds=round(ended - began, 1))
            began = ended
        return answers

    def _failed(self, hook: _Hook, plugin: str, error: BaseException) -> _Failure:
        reason = f"{type(error).__name__}: {error}"
        trouble = self._breaker.failed(plugin, hook.name, reason)
        log.error("a plugin failed", plugin=plugin, hook=hook.name, rests=trouble.rests_until is not None, exc_info=error)
        if hook.must:
            raise PluginFailed(plugin, hook.name, reason) from error
        return _Failure(reason)

    def _pause(self, hook: _Hook, plugin: str) -> str | None:
        """Why to leave the plugin alone for now. A hook that must not be skipped is tried whatever happened before."""
        stuck = self._stuck.get(plugin)
        if stuck is not None and stuck.is_set():
            del self._stuck[plugin]
        elif stuck is not None:
            reason = "has not come back from an earlier call"
            if hook.must:
                raise PluginFailed(plugin, hook.name, reason)
            return reason
        return "rests after repeated failures" if not hook.must and self._breaker.rests(plugin, hook.name) else None

    def _in_time(self, hook: _Hook, rest: Sequence[_Call], values: Sequence[Any]) -> list[Any]:
        """Let a helper make the calls; whoever exceeds the budget is left behind, and another helper goes on with the rest."""
        answers: list[Any] = []
        budget = hook.budget or (START_BUDGET if hook.declares else PAGE_BUDGET)
        while rest:
            turn = Turn(rest, lambda call: self._run(hook, (call,), values), self._clock)
            self._pool.start(turn.run, turn.finished)
            turn.wait(budget)
            done = turn.leave()
            answers += done
            if len(done) < len(rest):
                late = rest[len(done)].plugin
                self._stuck[late] = turn.finished
                answers.append(self._failed(hook, late, TimeoutError(f"no answer within {budget:g} s")))
            rest = rest[len(done) + 1 :]
        return answers


def is_ctrl_c(error: BaseException) -> bool:
    """Whether a person stops the process. That strikes the main thread between two instructions; at a ``raise`` it was code."""
    trace = error.__traceback__ if isinstance(error, KeyboardInterrupt) else None
    if trace is None or threading.current_thread() is not threading.main_thread():
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] != dis.opmap["RAISE_VARARGS"]


@lru_cache(maxsize=512)
def _other_code(what: str, budget: float | None) -> _Hook:
    return _Hook(what, (), (), lambda answer: answer, page=True, must=False, session=None, budget=budget)


def _in_order(hook: _Hook, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
    if not kwargs and len(args) == len(hook.names):
        return args
    rest = hook.names[len(args) :]
    if len(args) > len(hook.names) or set(rest) != kwargs.keys():
        raise TypeError(f"{hook.name} takes {', '.join(hook.names) or 'nothing'}")
    return (*args, *(kwargs[name] for name in rest))


def _answer(plugin: str, value: Any) -> Answer[Any]:
    return Answer(plugin, None, value.reason) if type(value) is _Failure else Answer(plugin, value)


def _refuse_misfits(caller: Any, plugin: str) -> None:
    if caller.spec is None:
        raise PluginRefused(f"there is no hook named {caller.name}")
    for impl in caller.get_hookimpls():
        if impl.plugin_name == plugin and (impl.hookwrapper or impl.wrapper):
            raise PluginRefused(f"{caller.name}: hook wrappers are not admitted")
        if impl.plugin_name == plugin and impl.kwargnames:
            raise PluginRefused(f"{caller.name}: an implementation takes no default arguments")
