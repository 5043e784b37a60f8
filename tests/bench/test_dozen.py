"""A customer's page with twelve plugins beside the page with none, less what the plugins ask the database for themselves.

Their own questions are those of their panels, and their parts of the one statement of the timeline: putting it together and running it,
less what that costs without plugins.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
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
from regulars_web.console import loading

pytestmark = pytest.mark.bench

PLUGINS, GOAL, ROUNDS, EACH = 12, 1.5, 60, 6
_rows = timeline._Reading._rows


def _page(folder: Path, amount: int, spent: Spent, url: str | None = None) -> Callable[[], None]:
    """Opens the page of a customer in a house with so many plugins."""
    folder.mkdir()
    url = url or f"sqlite:///{folder / 'regulars.db'}"
    runner.upgrade(url)
    modules = [contributor(number, folder, spent) for number in range(amount)]
    # As a worker of the web is started: its garbage collector does not go through what was loaded.
    with loading():
        crm = open_with(url, folder, *modules)
        for module in modules:
            enable(crm, module.MANIFEST.name)
        crm.customers.create({"display_name": "Åsa Holm", "emails": "asa@example.com", "city": "Lund"})
        staff = sign_in(create_app(crm), role="manager")

    def ask() -> None:
        page = staff.get("/customers/1")
        assert (page.status_code, page.text.count("Put on shelf")) == (200, amount)

    return ask


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest) -> Iterator[dict[int, str | None]]:
    """Two databases: for the house without plugins, and for the one with them."""
    if request.param == "sqlite":
        yield {0: None, PLUGINS: None}
        return
    server = request.getfixturevalue("postgres_server")
    names = {amount: f"dozen_{amount}" for amount in (0, PLUGINS)}
    yield {amount: server.create(name) for amount, name in names.items()}
    for name in names.values():
        server.drop(name)


def test_twelve_plugins(urls: dict[int, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timelines: list[float] = []

    def timed(reading: Any) -> Any:
        began = time.thread_time()
        rows = _rows(reading)
        timelines.append(time.thread_time() - began)
        return rows

    monkeypatch.setattr(timeline._Reading, "_rows", timed)
    spent = {0: Spent(), PLUGINS: Spent()}
    asks = {amount: _page(tmp_path / str(amount), amount, spent[amount], urls[amount]) for amount in spent}

    def cost(amount: int) -> tuple[float, float]:
        """Milliseconds of processor a page takes, and those of it that are questions of the plugins or of the timeline."""
        own, began = spent[amount].seconds, time.process_time()
        timelines.clear()
        for _ in range(EACH):
            asks[amount]()
        return (time.process_time() - began) / EACH * 1e3, (spent[amount].seconds - own + sum(timelines)) / EACH * 1e3

    # Beside each other in each round: the machine may be quicker in one than in the next.
    rounds = [(cost(0), cost(PLUGINS)) for _ in range(ROUNDS)]
    ratios = [(page - (queries - timeline_alone)) / alone for (alone, timeline_alone), (page, queries) in rounds]
    alone, page, queries = (statistics.median(one) for one in zip(*((a[0], b[0], b[1] - a[1]) for a, b in rounds), strict=True))
    ratio = statistics.median(ratios)
    said = f"{alone:.2f} ms with none, {page:.2f} ms with {PLUGINS} plugins, {queries:.2f} ms of it their own queries"
    print(f"\ncustomer's page: {said}: {ratio:.2f}x")  # noqa: T201
    assert ratio <= GOAL
