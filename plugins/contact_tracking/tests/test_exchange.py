"""Contacts in and out of files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from regulars_core.exchange import undo

COLUMNS = (
    "external_id,customer_external_id,customer_email,customer_phone,channel,direction,at,store,person,subject,text,outcome,"
    "next_step,due_on,done_at"
)
CALL = "C1,K1,,,phone,in,2025-03-01 10:15,M1,Åsa,Sofa,Wants grey,Thinks,Ring back,2025-03-03,"
VISIT = ",K2,,,visit,,2025-03-02 12:00,NY,,,Looked at lamps,,,,"


def load(chain: Any, *rows: str, **options: Any) -> dict[str, Any]:
    report: dict[str, Any] = chain.load("interaction", "\n".join((COLUMNS, *rows)) + "\n", **options)
    return report


def summary(report: dict[str, Any]) -> dict[str, Any]:
    counts = {name: report[name] for name in ("created", "updated", "unchanged", "merged") if report[name]}
    rejected = [(one["record"], one["field"], one["code"]) for one in report["rejected"]]
    assert sum(counts.values()) + len(rejected) == report["records"]
    return counts | ({"rejected": rejected} if rejected else {})


def test_the_same_file_twice_changes_nothing(chain: Any) -> None:
    assert summary(load(chain, CALL, VISIT)) == {"created": 2}
    assert chain.contacts() == [("Ada Öberg", "phone", "in", "Wants grey", "Thinks"), ("Bo", "visit", "out", "Looked at lamps", None)]
    assert chain.follow_ups() == [("Ada Öberg", "Ring back", "2025-03-03", None, False, None)]
    assert chain.rows("SELECT CAST(business_date AS TEXT), person FROM contact_tracking_interaction ORDER BY id") == [
        ("2025-03-01", "Åsa"),
        ("2025-03-02", None),
    ]
    before = chain.crm.dump()
    assert summary(load(chain, CALL, VISIT)) == {"unchanged": 2}
    assert chain.crm.dump() == before


def test_what_changed_is_updated_and_goes_back(chain: Any) -> None:
    load(chain, CALL, VISIT)
    before = chain.crm.dump()
    report = load(
        chain,
        CALL.replace("Thinks", "Bought").replace("2025-03-03,", "2025-03-04,2025-03-04 09:00"),
        ",K2,,,visit,out,2025-03-02 12:00,NY,,,Looked at lamps,Liked them,,,",
        ",K1,,,email,out,2025-03-05 08:00,,,,Sent the offer,,Ask again,2025-03-09,",
    )
    assert summary(report) == {"created": 1, "updated": 2}
    assert [row[4] for row in chain.contacts()] == ["Bought", "Liked them", None]
    assert chain.follow_ups() == [
        ("Ada Öberg", "Ring back", "2025-03-04", None, True, None),
        ("Ada Öberg", "Ask again", "2025-03-09", None, False, None),
    ]
    assert undo.undo(chain.crm, report["run"])["kept"] == []
    assert chain.crm.dump() == before
    assert chain.rows("SELECT count(*) FROM contact_tracking_interaction WHERE words LIKE '%bought%'") == [(0,)]


def test_what_cannot_be_taken_is_rejected(chain: Any) -> None:
    chain.load("customer", "external_id,display_name,email\nK8,Twin,t@example.com\nK9,Twin too,t@example.com\n")
    report = load(
        chain,
        ",,,,phone,,2025-03-01 10:00,,,,x,,,,",
        ",K77,,,phone,,2025-03-01 10:00,,,,x,,,,",
        ",,t@example.com,,phone,,2025-03-01 10:00,,,,x,,,,",
        ",K1,,,pigeon,,2025-03-01 10:00,,,,x,,,,",
        ",K1,,,,,2025-03-01 10:00,,,,x,,,,",
        ",K1,,,phone,,,,,,x,,,,",
        ",K1,,,phone,,2025-03-01 10:00,PARIS,,,x,,,,",
        ",K1,,,phone,,2025-03-01 10:00,,,,card 4111 1111 1111 1111,,,,",
        ",K1,,,phone,,2025-03-01 10:00,,,,x,,Ring,,",
        "C1,K1,,,phone,,2025-03-01 10:00,,,,x,,,,",
        "C1,K2,,,phone,,2025-03-01 10:00,,,,x,,,,",
    )
    assert summary(report) == {
        "created": 1,
        "rejected": [
            (1, "customer_external_id", "blank"),
            (2, "customer_external_id", "unknown_customer"),
            (3, "customer_external_id", "ambiguous_match"),
            (4, "channel", "unknown_choice"),
            (5, "channel", "blank"),
            (6, "at", "blank"),
            (7, "store", "unknown_store"),
            (8, "text", "card_number"),
            (9, "due_on", "blank"),
            (11, "customer_external_id", "other_customer"),
        ],
    }


def test_customers_are_found_by_phone_too(chain: Any) -> None:
    report = load(chain, ",,,070-174 06 31,phone,in,2025-03-01 10:00,,,,Hello,,,,", country="SE")
    assert (summary(report), chain.contacts()[0][0]) == ({"created": 1}, "Ada Öberg")


def test_repeated_in_the_file_is_one(chain: Any) -> None:
    assert summary(load(chain, CALL, CALL, VISIT, VISIT)) == {"created": 2, "merged": 2}


def test_what_goes_out_comes_back_unchanged(chain: Any, staff: Any, tmp_path: Path) -> None:
    clerk, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    load(chain, CALL, VISIT)
    step = {"next_step": "Write", "due_on": "2026-12-01"}
    clerk.post(f"/contact_tracking/customers/{ada}/interactions", {"channel": "letter", "text": "Card, “with love”\nfrom us", **step})
    file = chain.crm.export_file("interaction", tmp_path / "contacts.csv")
    before = chain.crm.dump()
    assert summary(chain.crm.import_file("interaction", file)) == {"unchanged": 3}
    assert chain.crm.dump() == before


def test_what_the_form_refuses_the_import_refuses(chain: Any) -> None:
    late, empty = ",K1,,,phone,,2026-11-22 10:36,,,,Said,,,,", ",K1,,,phone,,2026-11-01 10:00,M1,Åsa,,,,Ring,2026-12-01,"
    just_now = ",K1,,,phone,,2026-11-22 10:34,,,,Said,,,,"
    report = load(chain, late, empty, just_now, CALL, timezone="Europe/Stockholm")
    assert summary(report) == {"created": 2, "rejected": [(1, "at", "in_future"), (2, "text", "blank")]}
    assert [one["message"] for one in report["rejected"]] == [
        "This lies in the future. What is still to be done is a next step.",
        "Write down what was said, or what came of it.",
    ]
    report = load(chain, CALL.replace("2025-03-01", "2027-03-01"), CALL.replace("Sofa,Wants grey,Thinks", ",,"))
    assert summary(report) == {"unchanged": 1, "rejected": [(1, "at", "in_future")]}


def test_what_was_kept_before_and_would_be_refused_today_comes_back_unchanged(chain: Any, tmp_path: Path) -> None:
    load(chain, CALL, VISIT)
    with chain.crm.transaction() as session:
        session.execute(sa.text("UPDATE contact_tracking_interaction SET subject = NULL, text = NULL, outcome = NULL"))
    chain.clock.at = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    file = chain.crm.export_file("interaction", tmp_path / "contacts.csv")
    assert summary(chain.crm.import_file("interaction", file)) == {"unchanged": 2}
