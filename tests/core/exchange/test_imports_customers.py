"""Importing customers: the rules of matching, what is refused, and that everything can be taken back."""

import json
from pathlib import Path
from typing import Any

import pytest

from regulars_core.exchange.undo import undo
from regulars_plugin_api.views import CustomerView
from regulars_testkit.crm import CrmHarness

STORES = "code,name,country,timezone,currency\nLUND,Lund,SE,Europe/Stockholm,SEK\n"


def test_a_customer_with_everything(crm: CrmHarness) -> None:
    crm.import_text("store", STORES)
    text = (
        "Kundnummer,Förnamn,Efternamn,E-post,Telefon,Född,Kön,Språk,Gata,Ort,Postnummer,Land,Butik,Taggar,"
        "Anteckningar,consent_email,consent_date,consent_source\n"
        "007,Åsa,Holm,Asa.Holm@Example.com; asa@work.se,070-174 06 31,1984-03-12,kvinna,sv,"
        "Stora gatan 1,Lund,222 22,SE,LUND,vip; family,Ring efter 17,ja,2024-05-01,kassa\n"
    )
    report = crm.import_text("customer", text)
    assert (report["verdict"], report["records"], report["created"], report["rejected"]) == ("accept", 1, 1, [])
    customer = only_customer(crm)
    assert (customer.display_name, customer.gender, customer.birthday and customer.birthday.isoformat()) == (
        "Åsa Holm",
        "female",
        "1984-03-12",
    )
    assert [(one.address, one.match) for one in customer.emails] == [
        ("Asa.Holm@Example.com", "asa.holm@example.com"),
        ("asa@work.se", "asa@work.se"),
    ]
    assert [(one.number, one.e164) for one in customer.phones] == [("070-174 06 31", "+46701740631")]
    assert customer.external_ids == (("import", "007"),)
    assert customer.tags == ("family", "vip")
    assert [(one.channel, one.state) for one in customer.consents] == [("email", "granted")]


def test_the_same_file_again_changes_nothing(crm: CrmHarness) -> None:
    text = "external_id,first_name,last_name,email,tags\n1,Anna,Öberg,anna@example.com,vip\n2,王,芳,,\n"
    first = crm.import_text("customer", text)
    before = crm.dump()
    second = crm.import_text("customer", text)
    assert (first["created"], second["unchanged"], second["created"]) == (2, 2, 0)
    assert second["run"] != first["run"]
    assert crm.dump() == before


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ("9,Anna,Öberg,other@example.com,", "created"),
        (",Anna,Öberg,anna@example.com,", "unchanged"),
        (",anna,oberg,ANNA@example.com,", "updated"),
        (",Bertil,Öberg,anna@example.com,", "ambiguous_match"),
        (",Anna,Öberg,anna@example.com,1999-01-01", "ambiguous_match"),
        (",,,shared@example.com,", "ambiguous_match"),
        ("8,Cecilia,Ek,anna@example.com,", "created"),
    ],
)
def test_matching(crm: CrmHarness, row: str, outcome: str) -> None:
    header = "external_id,first_name,last_name,email,birthday\n"
    crm.import_text(
        "customer", header + "1,Anna,Öberg,anna@example.com,1980-01-01\n2,Eva,Ek,shared@example.com,\n3,Ulf,Ek,shared@example.com,\n"
    )
    report = crm.import_text("customer", header + row + "\n")
    if outcome == "ambiguous_match":
        assert [(one["record"], one["code"]) for one in report["rejected"]] == [(1, outcome)]
    else:
        assert report[outcome] == 1


def test_the_same_person_twice_in_a_file_is_merged(crm: CrmHarness) -> None:
    report = crm.import_text("customer", "external_id,first_name,email\n1,Anna,anna@example.com\n1,,anna@work.se\n,Anna,anna@work.se\n")
    assert (report["records"], report["created"], report["merged"]) == (3, 1, 2)
    assert [one.match for one in only_customer(crm).emails] == ["anna@example.com", "anna@work.se"]


def test_wrong_records_are_rejected_one_by_one(crm: CrmHarness) -> None:
    text = (
        "external_id,first_name,email,phone,birthday,store,notes,consent_sms,kind\n"
        "1,Anna,no-address,,,,,,\n"
        "2,Anna,,0701740631,,,,,\n"
        "3,Anna,,,1984-02-30,,,,\n"
        "4,Anna,,,,NOWHERE,,,\n"
        "5,Anna,,,,,Card 4111 1111 1111 1111,,\n"
        "6,Anna,,,,,,maybe,\n"
        "7,Ek,,,,,,yes,household\n"
        ",,,,,,,,\n"
        ",,,,,,a note alone,,\n"
        "9,Good,,,,,,,\n"
    )
    report = crm.import_text("customer", text)
    assert report["verdict"] == "partial"
    assert report["created"] == 1
    assert [(one["record"], one["field"], one["code"]) for one in report["rejected"]] == [
        (1, "email", "bad_email"),
        (2, "phone", "phone_country_unknown"),
        (3, "birthday", "bad_date"),
        (4, "store", "unknown_store"),
        (5, "notes", "card_number"),
        (6, "consent_sms", "unknown_choice"),
        (7, "consent_sms", "household_consent"),
        (8, "display_name", "no_name"),
    ]
    assert report["records"] == report["created"] + len(report["rejected"])


def test_a_file_that_can_mean_two_things_is_asked_about(crm: CrmHarness) -> None:
    text = "external_id,first_name,birthday\n1,Anna,03/04/1984\n"
    before = crm.dump()
    asked = crm.import_text("customer", text)
    assert (asked["verdict"], asked["records"]) == ("ask", 0)
    assert [one["option"] for one in asked["questions"]] == ["date_order"]
    assert crm.dump() == before
    assert crm.import_text("customer", text, date_order="dmy")["created"] == 1
    birthday = only_customer(crm).birthday
    assert str(birthday) == "1984-04-03"


def test_a_refused_file_leaves_no_row(crm: CrmHarness) -> None:
    before = crm.dump()
    report = crm.import_text("customer", "shoe size,colour\n42,red\n")
    assert (report["verdict"], report["records"], report["notes"][0]["code"]) == ("reject", 0, "missing_column")
    assert crm.dump() == before


def test_a_trial_run_tells_the_truth_and_writes_nothing(crm: CrmHarness) -> None:
    text = "external_id,first_name,email\n1,Anna,anna@example.com\n1,Anna,\n2,Eva,bad\n"
    before = crm.dump()
    trial = crm.import_text("customer", text, dry_run=True)
    assert crm.dump() == before
    real = crm.import_text("customer", text)
    assert {key: trial[key] for key in trial if key != "run"} == {key: real[key] for key in real if key != "run"}


@pytest.mark.parametrize(("mode", "expected"), [("create", ("already_exists", 1)), ("update", ("not_found", 2))])
def test_modes(crm: CrmHarness, mode: str, expected: tuple[str, int]) -> None:
    crm.import_text("customer", "external_id,first_name\n1,Anna\n")
    report = crm.import_text("customer", "external_id,first_name\n1,Anne\n2,Eva\n", mode=mode)
    assert [(one["code"], one["record"]) for one in report["rejected"]] == [expected]
    assert report["created"] + report["updated"] == 1


def test_consent_is_never_taken_back_or_forged_by_a_blank_or_an_old_file(crm: CrmHarness) -> None:
    def consents() -> list[tuple[str, str]]:
        return [(one.channel, one.state) for one in only_customer(crm).consents]

    header = "external_id,first_name,consent_email,consent_date,consent_source\n"
    crm.import_text("customer", header + "1,Anna,yes,,\n")
    assert consents() == [("email", "unproven")]
    crm.import_text("customer", header + "1,Anna,yes,2024-01-01,till\n")
    assert consents() == [("email", "granted")]
    crm.import_text("customer", header + "1,Anna,no,2024-06-01,mail\n")
    assert consents() == [("email", "withdrawn")]
    stale = crm.import_text("customer", header + "1,Anna,yes,2024-03-01,old list\n")
    assert [one["code"] for one in stale["notes"]] == ["older_consent"]
    crm.import_text("customer", header + "1,Anna,,,\n")
    assert consents() == [("email", "withdrawn")]


def test_undo_gives_back_created_and_updated_and_keeps_what_was_changed_since(crm: CrmHarness) -> None:
    header = "external_id,first_name,last_name,email,city,tags,consent_email,consent_date,consent_source,birthday\n"
    crm.import_text("customer", header + "1,Anna,Ek,anna@example.com,Lund,old,,,,1980-01-01\n")
    before = crm.dump()
    run = crm.import_text(
        "customer",
        header
        + "1,Anne,Ek,anne@work.se,Malmö,old; new,yes,2024-01-01,till,1980-01-02\n2,Eva,Ek,eva@example.com,Lund,new,,,,\n3,Ulf,Ek,,,,,,,\n",
    )
    result = undo(crm, run["run"])
    assert (result["deleted"] > 0, result["kept"]) == (True, [])
    assert crm.dump() == before

    again = crm.import_text("customer", header + "1,Anne,Ek,,,,,,,\n4,Zoë,Ek,zoe@example.com,,,,,,\n")
    touched = next(one for one in every_customer(crm) if one.first_name == "Zoë")
    crm.customers.update(touched.id, {"notes": "Called today"})
    kept = undo(crm, again["run"])["kept"]
    assert [(one["table"], one["id"]) for one in kept] == [("customer", touched.id)]
    assert sorted(one.first_name or "" for one in every_customer(crm)) == ["Anna", "Zoë"]


def test_a_customer_without_a_number_comes_back_by_its_uid(crm: CrmHarness, tmp_path: Path) -> None:
    crm.customers.create({"first_name": "Nobody", "last_name": "Known"})
    report = crm.import_file("customer", crm.export_file("customer", tmp_path / "out.csv"))
    assert (report["unchanged"], report["created"]) == (1, 0)


def test_the_dump_names_customers_by_their_number(crm: CrmHarness) -> None:
    crm.import_text("customer", "external_id,first_name\n7,Anna\n")
    records = [json.loads(line) for line in crm.dump()]
    assert [one["name"] for one in records if one["record"] == "customer"] == ["import:7"]
    assert not [one for one in records if "id" in one or "created_at" in one]


def every_customer(crm: CrmHarness) -> list[CustomerView]:
    from regulars_plugin_api.views import SYSTEM

    with crm.read() as session:
        return crm.customers.page(session, SYSTEM).rows


def only_customer(crm: CrmHarness) -> CustomerView:
    (customer,) = every_customer(crm)
    return customer


def _without(report: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in names}
