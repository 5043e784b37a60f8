"""What merging does to the tables of plugins, whose package is gone: the database's keys and the saved map are all there is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import open_with, toy
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_core.customers import merging
from regulars_core.plugins.models import PluginRow
from regulars_core.plugins.switching import enable
from regulars_plugin_api.errors import NotAllowedYet, PluginFailed
from regulars_plugin_api.manifest import Erase, Merge, PersonalTable
from regulars_testkit.crm import CrmHarness

TO_CUSTOMER = "BIGINT NOT NULL REFERENCES customer (id) ON DELETE CASCADE"
MAPS = {
    "gone_visit": PersonalTable("gone_visit"),
    "gone_card": PersonalTable("gone_card", merge=Merge.UNION),
    "gone_wish": PersonalTable("gone_wish", merge=Merge.UNION, same=("text", "at")),
    "gone_points": PersonalTable("gone_points", merge=Merge.SUM, add=("points",)),
    "gone_choice": PersonalTable("gone_choice", merge=Merge.HOOK),
    "gone_book": PersonalTable("gone_book", erase=Erase.CLEAR, clear=("customer_id", "name")),
}
TABLES = {
    "gone_visit": f"id INTEGER PRIMARY KEY, customer_id {TO_CUSTOMER}, day TEXT, UNIQUE (customer_id, day)",
    "gone_card": f"number TEXT, customer_id {TO_CUSTOMER}, at TIMESTAMP, face BLOB, PRIMARY KEY (customer_id, number)",
    "gone_wish": f"id INTEGER PRIMARY KEY, customer_id {TO_CUSTOMER}, text TEXT, at TEXT",
    "gone_points": f"id INTEGER PRIMARY KEY, customer_id {TO_CUSTOMER}, kind TEXT, points BIGINT, UNIQUE (customer_id, kind)",
    "gone_choice": f"customer_id {TO_CUSTOMER} PRIMARY KEY, colour TEXT",
    "gone_book": "id INTEGER PRIMARY KEY, customer_id BIGINT REFERENCES customer (id) ON DELETE SET NULL, name TEXT NOT NULL, total BIGINT",
    "gone_secret": f"id INTEGER PRIMARY KEY, owner_id {TO_CUSTOMER}, note TEXT",
    "gone_stamp": "id INTEGER PRIMARY KEY, wish_id BIGINT REFERENCES gone_wish (id) ON DELETE CASCADE",
}


class Gone:
    """A system with the tables of a plugin whose package is gone, and two customers."""

    def __init__(self, crm: CrmHarness) -> None:
        self.crm = crm
        with crm.database.engine.begin() as connection:
            for name, columns in TABLES.items():
                columns = columns if crm.database.is_sqlite else columns.replace("BLOB", "BYTEA")
                connection.execute(sa.text(f"CREATE TABLE {name} ({columns})"))
        now = dt.datetime.now(dt.UTC)
        with crm.transaction() as session:
            maps = [one.to_json() for one in MAPS.values()]
            session.add(PluginRow(name="gone", enabled=True, version="1", personal_data=maps, first_enabled_at=now, switched_at=now))
        crm.plugins.refresh()
        self.keep, self.drop = (crm.customers.create({"first_name": name}) for name in ("Keep", "Drop"))

    def fill(self, table: str, *rows: dict[str, Any]) -> None:
        with self.crm.database.engine.begin() as connection:
            for row in rows:
                names = ", ".join(row)
                connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        with self.crm.read() as session:
            return sorted(tuple(row) for row in session.execute(sa.text(f"SELECT * FROM {table}")))

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        return {table: self.rows(table) for table in TABLES}

    def merge(self) -> int:
        return self.crm.customers.merge(self.keep, self.drop)


@pytest.fixture
def gone(crm: CrmHarness) -> Gone:
    return Gone(crm)


def test_every_key_the_database_reports_follows_and_comes_back(gone: Gone) -> None:
    keep, drop = gone.keep, gone.drop
    gone.fill("gone_visit", {"id": 1, "customer_id": keep, "day": "mon"}, {"id": 2, "customer_id": drop, "day": "tue"})
    gone.fill("gone_book", {"id": 1, "customer_id": drop, "name": "Drop", "total": 7})
    gone.fill("gone_secret", {"id": 1, "owner_id": drop, "note": "in no map"})
    before = gone.everything()
    merge = gone.merge()
    assert gone.rows("gone_visit") == [(1, keep, "mon"), (2, keep, "tue")]
    assert gone.rows("gone_book") == [(1, keep, "Drop", 7)]
    assert gone.rows("gone_secret") == [(1, keep, "in no map")]
    gone.crm.customers.unmerge(merge)
    assert gone.everything() == before


def test_a_conflict_stops_the_merge_and_nothing_is_lost(gone: Gone) -> None:
    gone.fill("gone_visit", {"id": 1, "customer_id": gone.keep, "day": "mon"}, {"id": 2, "customer_id": gone.drop, "day": "mon"})
    before, books = gone.everything(), gone.crm.dump()
    with pytest.raises(NotAllowedYet, match="gone_visit that can be there only once"):
        gone.merge()
    assert (gone.everything(), gone.crm.dump()) == (before, books)


def test_a_union_keeps_one_of_two_twins_and_brings_the_other_back_whole(gone: Gone) -> None:
    at = "2024-05-01 10:00:00"
    gone.fill(
        "gone_card",
        {"customer_id": gone.keep, "number": "A", "at": at, "face": b"\x00\xff"},
        {"customer_id": gone.drop, "number": "A", "at": at, "face": b"\x01\xfe"},
        {"customer_id": gone.drop, "number": "B", "at": None, "face": None},
    )
    gone.fill(
        "gone_wish",
        {"id": 1, "customer_id": gone.keep, "text": "boots", "at": None},
        {"id": 2, "customer_id": gone.drop, "text": "boots", "at": None},
        {"id": 3, "customer_id": gone.drop, "text": "boots", "at": "later"},
    )
    before = gone.everything()
    merge = gone.merge()
    assert [row[:2] for row in gone.rows("gone_card")] == [("A", gone.keep), ("B", gone.keep)]
    assert [(row[0], row[1]) for row in gone.rows("gone_wish")] == [(1, gone.keep), (3, gone.keep)]
    gone.crm.customers.unmerge(merge)
    assert gone.everything() == before


def test_a_twin_that_something_hangs_on_stops_the_merge(gone: Gone) -> None:
    gone.fill("gone_wish", {"id": 1, "customer_id": gone.keep, "text": "boots"}, {"id": 2, "customer_id": gone.drop, "text": "boots"})
    gone.fill("gone_stamp", {"id": 1, "wish_id": 2})
    before = gone.everything()
    with pytest.raises(NotAllowedYet, match="gone_wish"):
        gone.merge()
    assert gone.everything() == before


def test_sums_add_up_and_take_only_their_share_back(gone: Gone) -> None:
    gone.fill(
        "gone_points",
        {"id": 1, "customer_id": gone.keep, "kind": "base", "points": 10},
        {"id": 2, "customer_id": gone.drop, "kind": "base", "points": 5},
        {"id": 3, "customer_id": gone.drop, "kind": "bonus", "points": 2},
    )
    merge = gone.merge()
    assert gone.rows("gone_points") == [(1, gone.keep, "base", 15), (3, gone.keep, "bonus", 2)]
    gone.fill("gone_points", {"id": 4, "customer_id": gone.keep, "kind": "new", "points": 1})
    with gone.crm.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE gone_points SET points = points + 100 WHERE id = 1"))
    gone.crm.customers.unmerge(merge)
    assert gone.rows("gone_points") == [
        (1, gone.keep, "base", 110), (2, gone.drop, "base", 5), (3, gone.drop, "bonus", 2), (4, gone.keep, "new", 1),
    ]  # fmt: skip


def test_what_is_in_the_way_keeps_a_merge_from_being_taken_back(gone: Gone) -> None:
    gone.fill("gone_visit", {"id": 1, "customer_id": gone.drop, "day": "mon"})
    merge = gone.merge()
    gone.fill("gone_visit", {"id": 2, "customer_id": gone.drop, "day": "mon"})
    before = gone.everything()
    with pytest.raises(NotAllowedYet, match="something new in gone_visit"):
        gone.crm.customers.unmerge(merge)
    assert gone.everything() == before


def test_a_plugin_that_is_back_does_its_part_then(gone: Gone, tmp_path: Path) -> None:
    told: list[Any] = []

    def customers_merging(session: Session, keep_id: int, drop_id: int) -> None:
        told.append(("merging", keep_id, drop_id))
        session.execute(sa.text("DELETE FROM gone_choice WHERE customer_id = :drop"), {"drop": drop_id})

    def customers_unmerging(merge: Any) -> None:
        told.append(("unmerging", merge["keep_id"], merge["drop_id"]))

    gone.fill("gone_choice", {"customer_id": gone.keep, "colour": "red"}, {"customer_id": gone.drop, "colour": "blue"})
    merge = gone.merge()
    assert gone.rows("gone_choice") == [(gone.keep, "red"), (gone.drop, "blue")], "left alone"
    url = gone.crm.database.url.render_as_string(hide_password=False)
    back: Crm = open_with(url, tmp_path, toy("gone", customers_merging, customers_unmerging))
    for _again in range(2):
        merging.settle(back)
    assert gone.rows("gone_choice") == [(gone.keep, "red")]
    back.customers.unmerge(merge)
    assert told == [("merging", gone.keep, gone.drop), ("unmerging", gone.keep, gone.drop)]
    back.close()


@pytest.mark.parametrize("enabled", [True, False])
def test_a_plugin_that_fails_stops_it_even_when_it_is_off(database_url: str, tmp_path: Path, enabled: bool) -> None:
    def fail(session: Session) -> None:
        session.execute(sa.text("UPDATE customer SET notes = 'half done'"))
        raise RuntimeError("broken")

    def customers_merging(session: Session) -> None:
        fail(session)

    crm = open_with(database_url, tmp_path, toy("toy", customers_merging))
    if enabled:
        enable(crm, "toy")
    one, other = (crm.customers.create({"first_name": name}) for name in ("A", "B"))
    with pytest.raises(PluginFailed, match="toy could not do its part"):
        crm.customers.merge(one, other)
    found = [crm.customers.get(number) for number in (one, other)]
    assert [(view.first_name, view.notes) for view in found if view] == [("A", None), ("B", None)]
    crm.close()


def test_erasing_follows_the_saved_map(gone: Gone) -> None:
    gone.fill("gone_book", {"id": 1, "customer_id": gone.drop, "name": "Drop", "total": 7})
    gone.fill("gone_wish", {"id": 2, "customer_id": gone.drop, "text": "boots"})
    gone.crm.privacy.erase(gone.drop)
    assert gone.rows("gone_book") == [(1, None, "", 7)]
    assert gone.rows("gone_wish") == []


def test_links_that_would_tie_somebody_to_themselves_are_dropped_and_come_back(crm: CrmHarness) -> None:
    a, b, c = (crm.customers.create({"first_name": name}) for name in "ABC")
    with crm.database.engine.begin() as connection:
        for one, other in ((a, b), (b, a), (b, c), (a, c)):
            values = {"one": one, "other": other}
            connection.execute(sa.text("INSERT INTO customer_link (from_id, to_id, role) VALUES (:one, :other, 'friend')"), values)
    before = crm.dump()

    def links() -> list[Any]:
        with crm.read() as session:
            return sorted(tuple(row) for row in session.execute(sa.text("SELECT from_id, to_id FROM customer_link")))

    merge = crm.customers.merge(a, b)
    assert links() == [(a, c)]
    crm.customers.unmerge(merge)
    assert crm.dump() == before
