"""A customer's page with twelve plugins beside the page with none, less what the plugins ask the database for themselves.

Their own questions are those of their panels, and their parts of the one statement of the timeline: putting it together and running it,
less what that costs without plugins.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_plugins import open_with
from sample_plugins.dozen import Spent, contributor

from regulars_core.customers import timeline
from regulars_core.plugins.switching import enable
from regulars_migrations import runner
from regulars_testkit.staff import sign_in
from regulars_web.app import create_app

pytestmark = pytest.mark.bench

PLUGINS, GOAL, ROUNDS, EACH = 12, 1.5, 15, 20
_rows = timeline._Reading._rows


def _page(folder: Path, amount: int, spent: Spent) -> Callable[[], None]:
    """Opens the page of a customer in a house with so many plugins."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'regulars.db'}"
    runner.upgrade(url)
    modules = [contributor(number, folder, spent) for number in range(amount)]
    crm = open_with(url, folder, *modules)
    for module in modules:
        enable(crm, module.MANIFEST.name)
    crm.customers.create({"display_name": "Åsa Holm", "emails": "asa@example.com", "city": "Lund"})
    staff = sign_in(create_app(crm), role="manager")

    def ask() -> None:
        page = staff.get("/customers/1")
        assert (page.status_code, page.text.count("Put on shelf")) == (200, amount)

    return ask


def test_twelve_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timelines: list[float] = []

    def timed(reading: Any) -> Any:
        began = time.thread_time()
        rows = _rows(reading)
        timelines.append(time.thread_time() - began)
        return rows

    monkeypatch.setattr(timeline._Reading, "_rows", timed)
    spent = {0: Spent(), PLUGINS: Spent()}
    asks = {amount: _page(tmp_path / str(amount), amount, spent[amount]) for amount in spent}
    pages: dict[int, list[float]] = {amount: [] for amount in spent}
    panels: dict[int, list[float]] = {amount: [] for amount in spent}
    histories: dict[int, list[float]] = {amount: [] for amount in spent}
    for _ in range(ROUNDS):
        for amount, ask in asks.items():
            own, began = spent[amount].seconds, time.process_time()
            timelines.clear()
            for _ in range(EACH):
                ask()
            pages[amount].append((time.process_time() - began) / EACH * 1e3)
            panels[amount].append((spent[amount].seconds - own) / EACH * 1e3)
            histories[amount].append(sum(timelines) / EACH * 1e3)
    page, panel, history = ({amount: statistics.median(one[amount]) for amount in spent} for one in (pages, panels, histories))
    queries = panel[PLUGINS] + history[PLUGINS] - history[0]
    ratio = (page[PLUGINS] - queries) / page[0]
    said = f"{page[0]:.2f} ms with none, {page[PLUGINS]:.2f} ms with {PLUGINS} plugins, {queries:.2f} ms of it their own queries"
    print(f"\ncustomer's page: {said}: {ratio:.2f}x")  # noqa: T201
    assert ratio <= GOAL
