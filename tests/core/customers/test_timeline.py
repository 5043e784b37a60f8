"""A customer's history: one statement over all sources, page by page, and what becomes of a source that fails."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import open_with
from sqlalchemy.orm import Session

from regulars_core.bus import hooks as bus_hooks
from regulars_core.crm import Crm
from regulars_core.customers import timeline
from regulars_core.customers.timeline import Narrowing, Position
from regulars_core.plugins.switching import enable
from regulars_migrations import runner
from regulars_migrations.owners import CORE
from regulars_plugin_api.contributions import TimelineEntry, TimelineSource
from regulars_plugin_api.db import BigInt, UtcDateTime
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.views import SYSTEM, Viewer
from regulars_testkit.staff import plugin

NOON = dt.datetime(2025, 3, 1, 12, tzinfo=dt.UTC)
CALLS = sa.table(
    "toy_call",
    *(sa.column("id", BigInt), sa.column("source", sa.Text), sa.column("customer_id", BigInt), sa.column("at", UtcDateTime())),
    *(sa.column("channel", sa.Text), sa.column("store_id", BigInt), sa.column("user_id", BigInt)),
)
Select = sa.Select[*tuple[Any, ...]]


class Toy:
    """A plugin with sources that read ``toy_call``; each counts how often it was asked to render."""

    def __init__(self) -> None:
        self.rendered: list[tuple[str, int]] = []

    def source(self, name: str, **other: Any) -> TimelineSource:
        def select(viewer: Viewer) -> Select:
            columns = (CALLS.c.customer_id, CALLS.c.at, sa.literal("call").label("kind"), CALLS.c.channel, CALLS.c.store_id)
            return sa.select(*columns, CALLS.c.id.label("ref")).where(CALLS.c.source == name)

        def render(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
            self.rendered.append((name, len(refs)))
            return {ref: TimelineEntry(f"{name} {ref}") for ref in refs}

        def involves(ref: sa.ColumnElement[int], user_id: int) -> sa.ColumnElement[bool]:
            calls = CALLS.alias()
            return sa.exists().where(calls.c.id == ref, calls.c.user_id == user_id)

        about: dict[str, Any] = {"permission": "customers.view", "select": select, "render": render, "involves": involves}
        return TimelineSource(name, name, **(about | other))


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def crm(blank_database_url: str, tmp_path: Path, toy: Toy, sources: dict[str, list[TimelineSource]]) -> Iterator[Crm]:
    """Two plugins, ``left`` and ``right``, whose sources a test may change; customer 1 has no other history."""

    def offering(name: str) -> Any:
        @hookimpl
        def timeline_sources() -> Iterable[TimelineSource]:
            return sources[name]

        return plugin(name, timeline_sources=timeline_sources)

    runner.upgrade(blank_database_url, (CORE,))
    running = open_with(blank_database_url, tmp_path, offering("left"), offering("right"))
    for name in ("left", "right"):
        enable(running, name)
    with running.transaction() as session:
        session.execute(
            sa.text(
                "CREATE TABLE toy_call (id BIGINT PRIMARY KEY, source TEXT, customer_id BIGINT, at TIMESTAMP WITH TIME ZONE, "
                "channel TEXT, store_id BIGINT, user_id BIGINT)"
            )
        )
    running.customers.create({"display_name": "Ada"})
    yield running
    running.close()


@pytest.fixture
def sources(toy: Toy) -> dict[str, list[TimelineSource]]:
    return {"left": [toy.source("left.calls")], "right": [toy.source("right.calls")]}


def called(crm: Crm, *calls: tuple[Any, ...]) -> None:
    """Add (source, hours after noon, channel, store, user) in the order of their ids."""
    rows = [
        {"id": number, "source": source, "customer_id": 1, "at": NOON + dt.timedelta(hours=hours)}
        | {"channel": channel, "store_id": store, "user_id": user}
        for number, (source, hours, channel, store, user) in enumerate(calls, start=1)
    ]
    with crm.transaction() as session:
        session.execute(sa.insert(CALLS), rows)


def shown(page: timeline.Timeline) -> list[str]:
    return [str(one.entry.summary) for one in page.happenings if one.source != "customer.added"]


def test_all_sources_newest_first_and_page_by_page(crm: Crm, toy: Toy) -> None:
    # Half of them at the same moment, so that pages part in the middle of a tie.
    called(crm, *((("left.calls", "right.calls")[number % 2], min(number, 6), None, None, None) for number in range(13)))
    whole = timeline.page(crm, SYSTEM, 1, limit=50)
    tied = sorted(range(6, 13), key=lambda number: (number % 2, number), reverse=True)
    assert shown(whole) == [f"{('left', 'right')[number % 2]}.calls {number + 1}" for number in (*tied, 5, 4, 3, 2, 1, 0)]
    assert (whole.following, list(whole.failed)) == (None, [])
    for size in (1, 2, 3, 5):
        found: list[str] = []
        after: Position | None = None
        while True:
            page = timeline.page(crm, SYSTEM, 1, after=after, limit=size)
            found += shown(page)
            if page.following is None:
                break
            after = Position.parse(str(page.following))
        assert found == shown(whole)


def test_one_statement_and_one_batch_per_source_however_many_rows(crm: Crm, toy: Toy) -> None:
    counts = []
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_about: Any) -> None:
        sent.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    for amount in (1, 3):
        with crm.transaction() as session:
            session.execute(sa.delete(CALLS))
        called(crm, *((source, number, None, None, None) for source in ("left.calls", "right.calls") for number in range(amount)))
        sent.clear()
        timeline.page(crm, SYSTEM, 1)
        counts.append(len([one for one in sent if one.lstrip().startswith("SELECT")]))
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert counts == [1, 1]
    assert toy.rendered == [("left.calls", 1), ("right.calls", 1), ("left.calls", 3), ("right.calls", 3)]


def test_narrowed_by_source_channel_store_and_person(crm: Crm) -> None:
    called(
        crm,
        ("left.calls", 1, "phone", 7, 70),
        ("left.calls", 2, "email", 7, 80),
        ("right.calls", 3, "phone", 9, 80),
        ("right.calls", 4, None, None, None),
    )

    def found(**narrowing: Any) -> list[str]:
        return shown(timeline.page(crm, SYSTEM, 1, Narrowing(**narrowing)))

    assert found(source="left.calls") == ["left.calls 2", "left.calls 1"]
    assert found(channel="phone") == ["right.calls 3", "left.calls 1"]
    assert found(store_id=7) == ["left.calls 2", "left.calls 1"]
    assert found(user_id=80) == ["right.calls 3", "left.calls 2"]
    assert found(user_id=80, channel="phone", store_id=9) == ["right.calls 3"]
    assert found(source="nobody.knows") == found(user_id=1) == []
    assert shown(timeline.page(crm, SYSTEM, 2)) == []


def test_without_its_permission_a_source_is_not_asked(crm: Crm, toy: Toy, sources: dict[str, list[TimelineSource]]) -> None:
    sources["right"] = [toy.source("right.calls", permission="right.secret")]
    called(crm, ("left.calls", 1, None, None, None), ("right.calls", 2, None, None, None))
    viewer = Viewer(user_id=1, name="Anna", permissions=frozenset({"customers.view"}))
    page = timeline.page(crm, viewer, 1)
    assert shown(page) == ["left.calls 1"]
    assert "right.calls" not in [source.name for source in page.sources]


def _raise(*_about: Any) -> Any:
    raise RuntimeError("broken")


def _wrong_sql(_viewer: Viewer) -> Select:
    columns: Iterable[sa.ColumnElement[Any]] = (sa.column(name) for name in ("customer_id", "at", "kind", "channel", "store_id", "ref"))
    return sa.select(*columns).select_from(sa.table("no_such_table"))


def _too_few_columns(_viewer: Viewer) -> Select:
    return sa.select(CALLS.c.customer_id)


@pytest.mark.parametrize(
    "broken", [{"select": _raise}, {"select": _wrong_sql}, {"select": _too_few_columns}, {"render": _raise}], ids=lambda one: repr([*one])
)
def test_a_broken_source_gives_way_and_is_named(
    crm: Crm, toy: Toy, sources: dict[str, list[TimelineSource]], broken: dict[str, Any]
) -> None:
    sources["right"] = [toy.source("right.calls", **broken)]
    called(crm, ("left.calls", 1, None, None, None), ("right.calls", 2, None, None, None))
    page = timeline.page(crm, SYSTEM, 1)
    assert (shown(page), list(page.failed)) == (["left.calls 1"], ["Right"])


def test_a_plugin_whose_hook_fails_is_named(crm: Crm, sources: dict[str, list[TimelineSource]]) -> None:
    called(crm, ("left.calls", 1, None, None, None))
    del sources["right"]
    page = timeline.page(crm, SYSTEM, 1)
    assert (shown(page), list(page.failed)) == (["left.calls 1"], ["Right"])


def test_a_source_that_does_not_come_back_is_left_behind(
    crm: Crm, toy: Toy, sources: dict[str, list[TimelineSource]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_hooks, "PAGE_BUDGET", 0.3)

    come_back = threading.Event()

    def hang(*_about: Any) -> Mapping[int, TimelineEntry]:
        come_back.wait(60)
        return {}

    sources["right"] = [toy.source("right.calls", render=hang)]
    called(crm, ("left.calls", 1, None, None, None), ("right.calls", 2, None, None, None))
    began = time.monotonic()
    page = timeline.page(crm, SYSTEM, 1)
    assert (shown(page), list(page.failed)) == (["left.calls 1"], ["Right"])
    assert time.monotonic() - began < 30
    come_back.set()


def test_core_tells_when_the_record_came_and_what_was_agreed_to(crm: Crm) -> None:
    with crm.transaction() as session:
        crm.consents.record(session, 1, "email", "granted", given_at=dt.date(2025, 1, 1), source="store form")
    page = timeline.page(crm, SYSTEM, 1)
    told = sorted((one.kind, one.channel, str(one.entry.summary), one.entry.detail) for one in page.happenings)
    assert told == [("added", None, "Record added", ""), ("consent", "email", "Consented to being written to", "store form")]


@pytest.mark.parametrize("token", ["", "x", "2025-01-01~left", "yesterday~left~1", "2025-01-01T00:00:00~left~one", "~~"])
def test_a_place_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput):
        Position.parse(token)
