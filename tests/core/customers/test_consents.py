"""What people agreed to: nothing said is no, a blank takes nothing back, a yes needs its proof, and of two answers one counts."""

from __future__ import annotations

import datetime as dt

import pytest

from regulars_core.customers import consents
from regulars_core.customers.models import Consent, ConsentState
from regulars_plugin_api.errors import InvalidInput
from regulars_testkit.crm import CrmHarness

HEAD = "external_id,first_name,kind,consent_email,consent_sms,consent_date,consent_source\n"


def said(crm: CrmHarness, customer_id: int = 1) -> dict[str, str]:
    return {one.channel: one.state for one in crm.consents.of([customer_id])[customer_id]}


def permitted(crm: CrmHarness, channel: str) -> set[int]:
    with crm.read() as session:
        return crm.consents.permitting(session, [1, 2, 3, 4], channel)


def test_a_blank_is_unknown_and_takes_nothing_back(crm: CrmHarness) -> None:
    crm.import_text("customer", HEAD + "1,Eva,,yes,,2024-05-01,kassa\n2,Bo,,,,,\n")
    assert (said(crm), said(crm, 2)) == ({"email": "granted"}, {})
    crm.import_text("customer", HEAD + "1,Eva,,,,,\n")
    assert said(crm) == {"email": "granted"}
    assert (permitted(crm, "email"), permitted(crm, "sms")) == ({1}, set())
    crm.import_text("customer", HEAD + "1,Eva,,no,,2024-06-01,kassa\n")
    assert said(crm) == {"email": "withdrawn"}


@pytest.mark.parametrize("proof", [",", "2024-05-01,", ",kassa"])
def test_a_yes_without_date_and_source_is_unproven_and_nobody_is_written_to_on_it(crm: CrmHarness, proof: str) -> None:
    crm.import_text("customer", f"{HEAD}1,Eva,,yes,,{proof}\n")
    assert (said(crm), permitted(crm, "email")) == ({"email": "unproven"}, set())
    with crm.transaction() as session:
        crm.consents.record(session, 1, "email", "granted", given_at=dt.date(2024, 7, 1), source="letter")
    assert (said(crm), permitted(crm, "email")) == ({"email": "granted"}, {1})


def test_who_is_not_there_or_blocked_is_not_written_to(crm: CrmHarness) -> None:
    crm.import_text("customer", HEAD + "".join(f"{n},P{n},,yes,,2024-05-01,kassa\n" for n in range(1, 5)))
    assert permitted(crm, "email") == {1, 2, 3, 4}
    crm.customers.update(1, {"status": "blocked"})
    with crm.transaction() as session:
        crm.customers.trash(session, 2)
    crm.customers.merge(4, 3)
    assert permitted(crm, "email") == {4}
    crm.privacy.erase(4)
    assert permitted(crm, "email") == set()


def test_households_can_not_consent(crm: CrmHarness) -> None:
    report = crm.import_text("customer", HEAD + "1,Ek,household,yes,,2024-05-01,kassa\n2,Ek AB,company,yes,,2024-05-01,kassa\n")
    assert [(one["record"], one["code"]) for one in report["rejected"]] == [(1, "household_consent")]
    household = crm.customers.create({"display_name": "Ek", "kind": "household"})
    with pytest.raises(InvalidInput, match="household can't consent"), crm.transaction() as session:
        crm.consents.record(session, household, "email", "granted", given_at=dt.date(2024, 7, 1), source="letter")


MAY, JUNE = dt.date(2024, 5, 1), dt.date(2024, 6, 1)


@pytest.mark.parametrize(
    ("mine", "theirs", "counts"),
    [
        (("granted", MAY), ("granted", JUNE), "mine"),
        (("granted", MAY), ("withdrawn", JUNE), "theirs"),
        (("granted", JUNE), ("withdrawn", MAY), "mine"),
        (("granted", MAY), ("withdrawn", MAY), "theirs"),
        (("withdrawn", MAY), ("granted", MAY), "mine"),
        (("withdrawn", MAY), ("granted", JUNE), "theirs"),
        (("granted", MAY), ("withdrawn", None), "theirs"),
        (("unproven", None), ("granted", MAY), "theirs"),
        (("granted", MAY), ("unproven", None), "mine"),
        (("unproven", None), ("withdrawn", None), "theirs"),
        (("withdrawn", None), ("unproven", None), "mine"),
    ],
)
def test_of_two_answers_of_one_person(mine: tuple[str, dt.date | None], theirs: tuple[str, dt.date | None], counts: str) -> None:
    recorded = dt.datetime(2024, 8, 1, tzinfo=dt.UTC)
    one, other = (Consent(channel="email", state=ConsentState(state), given_on=day, recorded_at=recorded) for state, day in (mine, theirs))
    assert consents.overrides(other, one) is (counts == "theirs")
