"""P10: what the hooks of all bundled plugins, their implementations included, take of adding a customer and of an import."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench.people import write_customers

from regulars_core.bus.hooks import HookBus
from regulars_testkit.crm import CrmHarness
from regulars_testkit.staff import sign_in
from regulars_web.app import create_app

pytestmark = pytest.mark.bench

OF_ADDING, OF_AN_IMPORT = 0.05, 0.10
ADDED, IMPORTED = 300, 50_000


class Stopwatch:
    """Seconds spent in what it wraps; a call from within another is part of that one."""

    def __init__(self) -> None:
        self.seconds, self.calls, self._is_running = 0.0, 0, False

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """``work``, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._is_running:
                return work(*args, **kwargs)
            self._is_running, began = True, time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - began
                self.calls += 1
                self._is_running = False

        return timed


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """Times every call of a hook, from whichever side."""
    watch = Stopwatch()
    for name in ("collect", "each", "answers", "first", "ask"):
        monkeypatch.setattr(HookBus, name, watch.around(getattr(HookBus, name)))
    return watch


def test_adding_a_customer(crm: CrmHarness, hooks: Stopwatch) -> None:
    for plugin in ("purchases", "contact_tracking", "webhooks"):
        crm.enable(plugin)
    app = create_app(crm)
    app.extensions["regulars_limiter"].enabled = False
    staff = sign_in(app, role="manager")
    form = {"kind": "person", "status": "active", "first_name": "Ny", "csrf_token": staff.token()}

    def add(number: int) -> None:
        person = {"last_name": f"Person {number}", "emails": f"ny{number}@example.net"}
        assert staff.client.post("/customers/new", data={**form, **person}).status_code == 302

    for number in range(20):
        add(number)
    hooks.seconds, hooks.calls, began = 0.0, 0, time.perf_counter()
    for number in range(20, 20 + ADDED):
        add(number)
    _say("adding a customer", hooks, ADDED, time.perf_counter() - began, OF_ADDING)


def test_an_import(crm: CrmHarness, hooks: Stopwatch, tmp_path: Path) -> None:
    for plugin in ("purchases", "contact_tracking", "webhooks"):
        crm.enable(plugin)
    path = write_customers(tmp_path / "customers.csv", IMPORTED)
    hooks.seconds, hooks.calls, began = 0.0, 0, time.perf_counter()
    crm.import_file("customer", path)
    _say("an import", hooks, 1, time.perf_counter() - began, OF_AN_IMPORT)


def _say(what: str, hooks: Stopwatch, times: int, seconds: float, goal: float) -> None:
    share = hooks.seconds / seconds
    about = f"{hooks.calls / times:.0f} calls, {hooks.seconds / times * 1e3:.2f} of {seconds / times * 1e3:.2f} ms"
    print(f"\nhooks in {what}: {about}: {share:.1%}, goal {goal:.0%}")  # noqa: T201
    assert hooks.calls
    assert share <= goal
