"""Every hook asked while a process starts x every misdeed: web, worker and command line start, and the plugin is named with its reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import marshmallow
import pytest
from flask import Blueprint
from sample_plugins import candidate, everything, open_with, toy
from sample_plugins.misbehaving import AT_START, HOOKS, failures, hanging, misbehaving, waiting
from structlog.testing import capture_logs

from regulars_core.bus import hooks as bus
from regulars_core.bus.hooks import Answer
from regulars_core.config import WrongSetting
from regulars_core.crm import Crm
from regulars_core.exchange.kinds import exporters, importers
from regulars_core.jobs.worker import run_worker
from regulars_core.plugins.models import PluginTrouble
from regulars_core.plugins.registry import State
from regulars_core.plugins.switching import enable
from regulars_plugin_api.hookspecs import OnFailure, lifecycle, rules_of
from regulars_plugin_api.web import PUBLIC, PluginBlueprint, access
from regulars_testkit.staff import Staff
from regulars_web import health
from regulars_web.app import create_app
from regulars_web.commands.plugins import contributed
from regulars_web.console import Console
from regulars_web.troubles import TroubleNotes

DECLARING = sorted(name for name, hook in HOOKS.items() if rules_of(hook).declares)
OFF = sorted(name for name in DECLARING if rules_of(HOOKS[name]).on_failure is OnFailure.PLUGIN_OFF)
LATE = "TimeoutError: no answer within 0.5 s"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: how a plugin is left out has nothing to do with it."""
    return sqlite_url


@pytest.fixture
def start(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Crm]]:
    """``start(module, …)``: another process with these plugins, each switched on before where that is possible."""
    with hanging() as made:

        def make(*modules: ModuleType) -> Crm:
            monkeypatch.setattr(bus, "START_BUDGET", 60.0)
            before = open_with(sqlite_url, tmp_path / "home", *(one if one is everything else toy(one.MANIFEST.name) for one in modules))
            for one in modules:
                enable(before, one.MANIFEST.name)
            before.close()
            monkeypatch.setattr(bus, "START_BUDGET", 0.5)
            crm = open_with(sqlite_url, tmp_path / "home", *modules)
            made.append(crm)
            return crm

        yield make


def work_for_a_moment(crm: Crm) -> None:
    """A worker that is told to stop as soon as it is up."""
    stop = threading.Event()

    def told_to_stop(_crm: Crm) -> bool:
        stop.set()
        return False

    run_worker(crm, stop, 1, runners=[told_to_stop])


def run_everything(crm: Crm) -> None:
    """What a web process, a worker and the command line do first."""
    create_app(crm)
    object.__setattr__(crm.config, "executor", "elsewhere")
    work_for_a_moment(crm)
    assert crm.jobs.jobs()
    console = Console()
    console._crm, console._is_checked = crm, True
    assert "everything" in contributed(console)
    assert importers(crm)
    assert exporters(crm)
    assert health.examine(crm)


def test_what_is_asked_at_start_is_known_to_this_test() -> None:
    assert set(DECLARING) == AT_START | {"crm_started", "event_handlers", "jobs", "executors", "importers", "exporters", "health_checks"}


@pytest.mark.parametrize("misdeed", ["exits", "never_ends"])
def test_every_process_starts_whatever_plugins_do(start: Any, misdeed: str) -> None:
    with capture_logs() as logs:
        crm: Crm = start(*(misbehaving(f"bad_{hook}", misdeed, [hook]) for hook in DECLARING), everything)
        run_everything(crm)
    assert set(failures(logs)) == {(f"bad_{hook}", hook) for hook in DECLARING}
    states = {one.name: (one.state, str(one.reason)) for one in crm.plugins.listed()}
    assert states["everything"] == (State.ENABLED, "None")
    told = "SystemExit: 3" if misdeed == "exits" else "TypeError: "
    assert all(states[f"bad_{hook}"][0] is State.BROKEN and told in states[f"bad_{hook}"][1] for hook in OFF)


def test_nobody_holds_up_the_start_and_the_plugins_page_tells_who_tried(start: Any, staff: Any) -> None:
    with capture_logs() as logs:
        crm: Crm = start(*(misbehaving(f"late_{hook}", "sleeps", [hook]) for hook in DECLARING), everything)
        began = time.monotonic()
        run_everything(crm)
        assert time.monotonic() - began < 20
    late = {(f"late_{hook}", hook) for hook in DECLARING}
    assert sorted(failures(logs)) == sorted(late), "each is named once"
    TroubleNotes(crm).write()
    with crm.read() as session:
        noted = {(one.plugin, one.hook): one.reason for one in session.query(PluginTrouble)}
    assert noted == dict.fromkeys(late, LATE)
    states = {one.name: one.state for one in crm.plugins.listed()}
    assert {name for name, state in states.items() if state is State.BROKEN} >= {f"late_{hook}" for hook in OFF}
    admin: Staff = staff(role="administrator", on=create_app(crm))
    for hook in (*OFF, "jobs"):
        assert LATE in admin.get(f"/plugins/late_{hook}").text, hook
    assert admin.get("/").status_code == 200


def test_whoever_comes_back_late_is_heard_again(start: Any) -> None:
    crm: Crm = start(misbehaving("late", "sleeps", ["jobs"]))
    assert crm.jobs.jobs() == {}
    assert crm.bus.troubles()[0].reason == LATE
    waiting.set()
    began = time.monotonic()
    while (again := crm.bus.answers(lifecycle.jobs)) != [Answer("late", None)] and time.monotonic() < began + 30:
        time.sleep(0.01)
    assert again == [Answer("late", None)]


def test_nobody_waits_at_the_door_while_a_plugin_starts(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    crm: Crm = start(misbehaving("late", "answers_nothing", []), everything)
    monkeypatch.setattr(bus, "START_BUDGET", 30.0)
    other = open_with(crm.config.database_url, crm.config.home)
    other.plugins.load([candidate(misbehaving("late", "sleeps", ["crm_started"]))])
    slow = threading.Thread(target=other.plugins.refresh, daemon=True)
    slow.start()
    time.sleep(0.3)
    began = time.monotonic()
    other.plugins.refresh()
    assert time.monotonic() - began < 20
    waiting.set()
    slow.join(60)


def test_a_worker_told_to_use_an_executor_that_hangs_works_by_itself(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    crm: Crm = start(misbehaving("late", "sleeps", ["executors"]))
    object.__setattr__(crm.config, "executor", "celery")
    with capture_logs() as logs:
        work_for_a_moment(crm)
    assert [one["wanted"] for one in logs if one["event"] == "no executor of that name; the worker runs the work itself"] == ["celery"]
    healthy: Crm = start(toy("healthy"))
    object.__setattr__(healthy.config, "executor", "celery")
    with pytest.raises(WrongSetting, match="REGULARS_EXECUTOR"):
        work_for_a_moment(healthy)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Traces of a thousand frames are not printed."""
    with capture_logs():
        yield


def bad_schema() -> type[marshmallow.Schema]:
    class Settings(marshmallow.Schema):
        def __init__(self) -> None:
            raise SystemExit(3)

    return Settings


def test_a_settings_schema_that_can_not_be_made_is_its_plugins_trouble(start: Any) -> None:
    def settings_schema() -> Any:
        return bad_schema()

    crm: Crm = start(toy("bad", settings_schema), everything)
    [bad] = [one for one in crm.plugins.listed() if one.name == "bad"]
    assert (bad.state, "SystemExit: 3" in str(bad.reason)) == (State.BROKEN, True)


def pages(name: str, prefix: str, *, breaks: bool = False) -> ModuleType:
    def blueprints() -> Iterable[Blueprint]:
        made = PluginBlueprint(name, __name__, url_prefix=prefix)

        @made.get("/page")
        @access(PUBLIC)
        def page() -> str:
            return "here"

        if breaks:

            @made.record
            def fail(_state: Any) -> None:
                raise RuntimeError("no shelf")

        yield made

    return toy(prefix.strip("/"), blueprints)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (lambda: pages("customers", "/toys"), "toys"),
        (lambda: pages("good", "/toys"), "toys"),
        (lambda: pages("shelf", "/toys", breaks=True), "RuntimeError: no shelf"),
    ],
)
def test_pages_that_can_not_be_served_are_left_out(start: Any, staff: Any, bad: Callable[[], ModuleType], why: str) -> None:
    crm: Crm = start(pages("good", "/good"), bad(), everything)
    admin: Staff = staff(role="administrator", on=create_app(crm))
    assert (admin.get("/customers").status_code, admin.get("/good/page").text) == (200, "here")
    assert admin.get("/toys/page").status_code == 404
    [toys] = [one for one in crm.plugins.listed() if one.name == "toys"]
    assert toys.state is State.BROKEN
    assert why in admin.get("/plugins/toys").text
