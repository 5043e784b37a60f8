"""Importing and exporting stores."""

from __future__ import annotations

import json

from regulars_core.exchange.undo import undo
from regulars_testkit.crm import CrmHarness

HEADER = "code,name,city,region,country,timezone,currency,opened_on\n"
ALL = HEADER + "007,Malmö Triangeln,Malmö,Syd,SE,Europe/Stockholm,SEK,1999-12-31\nWEB,,,,,,,\n"


def stores(crm: CrmHarness) -> dict[str, dict[str, str]]:
    return {one["code"]: one for one in map(json.loads, crm.dump()) if one["record"] == "store"}


def test_stores_come_in_with_what_the_chain_has_for_the_rest(crm: CrmHarness) -> None:
    report = crm.import_text("store", ALL)
    assert (report["verdict"], report["created"]) == ("accept", 2)
    assert stores(crm) == {
        "007": {
            "record": "store", "code": "007", "name": "Malmö Triangeln", "city": "Malmö", "region": "Syd", "country": "SE",
            "timezone": "Europe/Stockholm", "currency": "SEK", "opened_on": "1999-12-31",
        },
        "WEB": {"record": "store", "code": "WEB", "name": "WEB", "timezone": "UTC", "currency": "EUR"},
    }  # fmt: skip
    before = crm.dump()
    again = crm.import_text("store", ALL)
    assert (again["unchanged"], crm.dump() == before) == (2, True)


def test_a_store_twice_in_a_file_is_merged_and_changes_are_taken_back(crm: CrmHarness) -> None:
    crm.import_text("store", ALL)
    before = crm.dump()
    report = crm.import_text("store", HEADER + "007,,Lund,Nord,,,,2000-01-01\n007,Nova,,,,,,\nNEW,,,Nord,,,,\nNEW,New,,,,,,\n")
    assert {name: report[name] for name in ("created", "updated", "merged", "unchanged")} == {
        "created": 1, "updated": 1, "merged": 2, "unchanged": 0,
    }  # fmt: skip
    found = stores(crm)
    assert (found["007"]["name"], found["007"]["city"], found["007"]["region"], found["NEW"]["name"]) == ("Nova", "Lund", "Nord", "New")
    assert undo(crm, report["run"])["kept"] == []
    assert crm.dump() == before


def test_wrong_stores_are_rejected_with_the_field(crm: CrmHarness) -> None:
    before = crm.dump()
    report = crm.import_text(
        "store",
        HEADER + ",No code,,,,,,\nA,,,,XX,,,\nB,,,,,Mars/Olympus,,\nC,,,,,,ZZZ,\nD,,,,,,,2000-02-30\nE,4111 1111 1111 1111,,,,,,\n"
        "4111111111111111,,,,,,,\nF\n",
    )
    assert [(one["record"], one["field"], one["code"]) for one in report["rejected"]] == [
        (1, "code", "blank"),
        (2, "country", "unknown_country"),
        (3, "timezone", "unknown_timezone"),
        (4, "currency", "unknown_currency"),
        (5, "opened_on", "bad_date"),
        (6, "name", "card_number"),
        (7, "code", "card_number"),
        (8, "", "wrong_cell_count"),
    ]
    assert crm.dump() == before


def test_a_store_in_use_stays_when_its_import_is_undone(crm: CrmHarness) -> None:
    run = crm.import_text("store", ALL)["run"]
    crm.import_text("customer", "external_id,first_name,store\n1,Anna,007\n")
    assert [one["table"] for one in undo(crm, run)["kept"]] == ["store", "region"]
    assert list(stores(crm)) == ["007"]


def test_only_known_stores_are_updated_where_that_is_asked_for(crm: CrmHarness) -> None:
    crm.import_text("store", HEADER + "A,Alfa,,,,,,\n")
    before = crm.dump()
    report = crm.import_text("store", HEADER + "B,Beta,,Fresh,,,,\n", mode="update")
    assert [one["code"] for one in report["rejected"]] == ["not_found"]
    assert crm.dump() == before
    made = crm.import_text("store", HEADER + "A,Aleph,,Fresh,,,,\n", mode="create")
    assert [one["code"] for one in made["rejected"]] == ["already_exists"]
    assert crm.dump() == before
