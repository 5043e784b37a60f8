"""Members of staff in files of contacts: whom a cell names takes part, again and again the same, until the import is undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regulars_core.exchange.undo import undo
from regulars_testkit.staff import Staff

HEADER = "external_id,customer_external_id,channel,at,person,text,outcome\n"
ANNA, BO, CLEO = "anna1@example.com", "bo2@example.com", "cleo3@example.com"
CHANGED = {"created": 0, "updated": 1, "unchanged": 0, "rejected": []}
SAME = {"created": 0, "updated": 0, "unchanged": 1, "rejected": []}


def load(chain: Any, person: str, outcome: str = "") -> dict[str, Any]:
    report: dict[str, Any] = chain.load("interaction", f'{HEADER}P2,K1,phone,2026-11-20T10:00:00+01:00,"{person}",x,{outcome}\n')
    return report


def counts(report: dict[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in CHANGED}


def took_part(chain: Any) -> tuple[str | None, list[str]]:
    """Who did in words, and who of staff."""
    ((words,),) = chain.rows("SELECT person FROM contact_tracking_interaction")
    people = "SELECT u.name FROM contact_tracking_participant p JOIN user_account u ON u.id = p.user_id ORDER BY u.id"
    return words, [name for (name,) in chain.rows(people)]


@pytest.fixture
def people(staff: Callable[..., Staff]) -> list[Staff]:
    return [staff(name, "manager") for name in ("Anna", "Bo", "Cleo")]


@pytest.mark.parametrize("person", ["Anna", f"{BO}, Anna", "A friend"])
def test_an_import_that_is_undone_takes_who_took_part_along(chain: Any, people: list[Staff], person: str) -> None:
    before = chain.crm.dump()
    found = undo(chain.crm, load(chain, person)["run"])
    assert (found["deleted"], found["kept"], chain.crm.dump() == before) == (1, [], True)


def test_what_somebody_hung_on_an_imported_contact_is_told_in_words(chain: Any, people: list[Staff]) -> None:
    run = load(chain, "Anna")["run"]
    path = f"/api/v1/interactions/{chain.rows('SELECT id FROM contact_tracking_interaction')[0][0]}"
    changed = people[0].client.patch(path, json={"outcome": "Ordered"}, headers={"X-CSRFToken": people[0].token(), "If-Match": "*"})
    assert changed.status_code == 200
    assert [one["why"] for one in undo(chain.crm, run)["kept"]] == ["It was changed since."]
    assert took_part(chain) == (None, ["Anna"])


def test_whom_somebody_put_there_by_hand_stays(chain: Any, people: list[Staff]) -> None:
    run = load(chain, "Anna")["run"]
    number = chain.rows("SELECT id FROM contact_tracking_interaction")[0][0]
    bo = chain.rows("SELECT id FROM user_account WHERE name = 'Bo'")[0][0]
    form = {"channel": "phone", "direction": "out", "at": "2026-11-20T10:00", "text": "x", "people": str(bo)}
    reply = people[0].post(f"/contact_tracking/interactions/{number}/edit", form)
    assert (reply.status_code, took_part(chain)) == (302, (None, ["Bo"]))
    assert [one["why"] for one in undo(chain.crm, run)["kept"]] == ["It was changed since."]
    assert took_part(chain) == (None, ["Bo"])


@pytest.mark.parametrize("person", ["Anna", ANNA, f"{ANNA}, Bo", "Cleo, Bo, Anna", f"{BO}, {ANNA}", "A friend", "A friend, Anna"])
def test_however_staff_is_named_the_same_file_again_changes_nothing(chain: Any, people: list[Staff], person: str) -> None:
    load(chain, person)
    before = chain.crm.dump()
    assert (counts(load(chain, person)), chain.crm.dump() == before) == (SAME, True)


def test_staff_of_one_name_comes_back_from_a_file_as_it_was(chain: Any, staff: Callable[..., Staff], tmp_path: Path) -> None:
    for name in ("Anna", "Bo", "Anna"):
        staff(name, "clerk")
    load(chain, f"{BO}, anna3@example.com")
    file = chain.crm.export_file("interaction", tmp_path / "contacts.csv")
    before = chain.crm.dump()
    assert (counts(chain.crm.import_file("interaction", file)), chain.crm.dump() == before) == (SAME, True)


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("Anna", "Bo", (None, ["Bo"])),
        ("Anna, Cleo", "Anna, Bo", (None, ["Anna", "Bo"])),
        ("Anna", "A friend", ("A friend", [])),
        ("A friend", "Anna", (None, ["Anna"])),
        ("", "Anna", (None, ["Anna"])),
        ("", "A friend", ("A friend", [])),
        ("Anna", "", (None, ["Anna"])),
    ],
)
def test_who_took_part_follows_the_file_and_goes_back(
    chain: Any, people: list[Staff], first: str, then: str, expected: tuple[str | None, list[str]]
) -> None:
    load(chain, first)
    before = chain.crm.dump()
    report = load(chain, then, "Bought")
    assert (counts(report), took_part(chain)) == (CHANGED, expected)
    assert (undo(chain.crm, report["run"])["kept"], chain.crm.dump() == before) == ([], True)


def test_whom_a_later_import_put_there_stays(chain: Any, people: list[Staff]) -> None:
    load(chain, "Anna")
    second, third = (load(chain, name)["run"] for name in ("Bo", "Cleo"))
    assert [one["why"] for one in undo(chain.crm, second)["kept"]] == ["“person” was changed since."]
    assert took_part(chain) == (None, ["Cleo"])
    assert undo(chain.crm, third)["kept"] == []
    assert took_part(chain) == (None, ["Bo"])


def test_later_imports_are_undone_in_reverse(chain: Any, people: list[Staff]) -> None:
    runs = [load(chain, name)["run"] for name in ("Anna", "Bo", "Cleo")]
    for run, left in zip(reversed(runs[1:]), ("Bo", "Anna"), strict=True):
        assert (undo(chain.crm, run)["kept"], took_part(chain)) == ([], (None, [left]))
