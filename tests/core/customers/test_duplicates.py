"""Who may be the same person."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.customers import duplicates
from regulars_core.customers.models import Customer
from regulars_plugin_api.views import SYSTEM, Viewer
from regulars_testkit.crm import CrmHarness

PEOPLE = (
    "external_id,first_name,last_name,email,phone,birthday,postal_code,store\n"
    "1,Eva,Ek,eva@example.com,,,,\n"
    "2,E,Ek,EVA@example.com,+46701740632,,,\n"
    "3,Anna,Berg,,+46701740633,1984-03-12,222 22,\n"
    "4,Ånna,Berg,,,1984-03-12,222 22,LUND\n"
    "5,Åsa,Lind,,,,333 33,\n"
    "6,Åsa,Lind,,,,444 44,\n"
    "7,Bo,,,+46701740632,,,\n"
)


@pytest.fixture
def people(crm: CrmHarness) -> CrmHarness:
    """Seven records, of which some are one person."""
    crm.import_text("store", "code,name,timezone,currency\nLUND,Lund,Europe/Stockholm,SEK\nYSTAD,Ystad,Europe/Stockholm,SEK\n")
    crm.import_text("customer", PEOPLE)
    return crm


def pairs(crm: CrmHarness, viewer: Viewer = SYSTEM, **options: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    with crm.read() as session:
        found = duplicates.listed(crm, session, viewer, **options)
    return [(one.one.external_ids[0][1], one.other.external_ids[0][1], one.reasons) for one in found.pairs]


ALL = [("1", "2", ("email",)), ("2", "7", ("phone",)), ("3", "4", ("birthday", "postal_code"))]


def test_pairs_and_why(people: CrmHarness) -> None:
    assert pairs(people) == ALL
    with people.read() as session:
        two = session.scalars(sa.select(Customer.id).where(Customer.first_name == "E")).one()
        mine = duplicates.of(people, session, SYSTEM, two)
    assert [(one.one.first_name, one.other.first_name, one.reasons) for one in mine] == [("E", "Eva", ("email",)), ("E", "Bo", ("phone",))]


def test_page_by_page_is_the_same(people: CrmHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "WINDOW", 1)
    monkeypatch.setattr(duplicates, "WIDEST", 2)
    seen, after = [], (0, 0)
    with people.read() as session:
        for _page in range(20):
            found = duplicates.listed(people, session, SYSTEM, after=after, limit=1, seconds=0)
            seen += [(one.one.id, one.other.id) for one in found.pairs]
            if found.after is None:
                break
            after = found.after
        whole = duplicates.listed(people, session, SYSTEM)
    assert seen == [(one.one.id, one.other.id) for one in whole.pairs]
    assert len(seen) == 3


def test_two_who_are_two_stay_two(people: CrmHarness) -> None:
    with people.read() as session:
        first = duplicates.listed(people, session, SYSTEM).pairs[0]
    for one, other in ((first.one, first.other), (first.other, first.one)):
        with people.transaction() as session:
            duplicates.not_the_same(session, one.id, other.id)
    assert pairs(people) == ALL[1:]


def test_merged_and_thrown_away_are_no_duplicates(people: CrmHarness) -> None:
    with people.read() as session:
        found = duplicates.listed(people, session, SYSTEM).pairs
    people.customers.merge(found[0].one.id, found[0].other.id)
    with people.transaction() as session:
        people.customers.trash(session, found[2].other.id)
    assert pairs(people) == [("1", "7", ("phone",))]


def test_only_who_may_be_seen(people: CrmHarness) -> None:
    with people.read() as session:
        ystad = session.scalar(sa.text("SELECT id FROM store WHERE code = 'YSTAD'"))
    clerk = Viewer(1, "Clerk", frozenset(), store_ids=frozenset({ystad}))
    assert pairs(people, clerk) == ALL[:2]


def test_what_a_crowd_shares_is_no_reason(people: CrmHarness) -> None:
    rows = "".join(f"c{n},P{n},info@shop.example\n" for n in range(duplicates.SHARED_BY + 1))
    people.import_text("customer", f"external_id,first_name,email\n{rows}")
    assert pairs(people) == ALL


def test_a_page_costs_the_same_for_one_and_for_many(people: CrmHarness) -> None:
    def statements() -> int:
        sent: list[str] = []

        def note(*about: Any) -> None:
            sent.append(about[2])

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            with people.read() as session:
                duplicates.listed(people, session, SYSTEM)
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        return len(sent)

    before = statements()
    people.import_text("customer", "external_id,first_name,email\nx,X,x@example.com\ny,Y,x@example.com\nz,Z,x@example.com\n")
    assert len(pairs(people)) == 6
    assert statements() == before


def test_somebody_about_to_be_added(people: CrmHarness) -> None:
    draft = {"first_name": "asa", "last_name": "lind", "emails": "Eva@Example.com"}
    with people.read() as session:
        found = duplicates.like(people, session, SYSTEM, draft)
    told = [(one.first_name, reasons) for one, reasons in found]
    assert told == [("Eva", ("email",)), ("E", ("email",)), ("Åsa", ("name",)), ("Åsa", ("name",))]
