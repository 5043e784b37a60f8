"""Two customers become one and two again: nothing lost, nothing doubled, everything as before."""

from __future__ import annotations

import pytest

from regulars_core.customers.models import ExternalId
from regulars_plugin_api.errors import NotAllowedYet, NotFound
from regulars_plugin_api.views import CustomerView
from regulars_testkit.crm import CrmHarness

PEOPLE = (
    "external_id,first_name,last_name,email,phone,birthday,city,street,tags,notes,consent_email,consent_sms,consent_date,consent_source\n"
    "A,Åsa,Öberg,asa@example.com,+46701740631,,Lund,Storgatan 1,vip;mode,,yes,,2024-05-01,kassa\n"
    "B,Åsa,Oberg,Asa@Example.com;asa@work.example,+46701740631;+46701740632,1984-03-12,Lund,Storgatan 1,"
    "vip;hund,ringer,no,yes,2024-06-01,webb\n"
    "C,Eva,Ek,eva@example.com,,,,,,,,,,\n"
)


@pytest.fixture
def people(crm: CrmHarness) -> dict[str, int]:
    """Ids of A, B and C."""
    crm.import_text("customer", PEOPLE)
    return {name: find(crm, name).id for name in "ABC"}


def find(crm: CrmHarness, number: str) -> CustomerView:
    with crm.read() as session:
        found = session.query(ExternalId).filter_by(value=number).one()
        customer = crm.customers.get(found.customer_id, session=session)
    assert customer is not None
    return customer


def test_everything_of_both_is_in_the_one_that_stays(crm: CrmHarness, people: dict[str, int]) -> None:
    crm.customers.merge(people["A"], people["B"])
    one = crm.customers.get(people["A"])
    assert one is not None
    assert (one.first_name, one.last_name, str(one.birthday), one.notes) == ("Åsa", "Öberg", "1984-03-12", "ringer")
    assert [email.address for email in one.emails] == ["asa@example.com", "asa@work.example"]
    assert [phone.e164 for phone in one.phones] == ["+46701740631", "+46701740632"]
    assert [address.street for address in one.addresses] == ["Storgatan 1"]
    assert one.external_ids == (("import", "A"), ("import", "B"))
    assert one.tags == ("hund", "mode", "vip")
    assert [(said.channel, said.state, str(said.given_at), said.source) for said in one.consents] == [
        ("email", "withdrawn", "2024-06-01", "webb"), ("sms", "granted", "2024-06-01", "webb"),
    ]  # fmt: skip
    assert crm.customers.get(people["B"]) == one, "the dropped id resolves"


def test_taken_back_all_is_as_before(crm: CrmHarness, people: dict[str, int]) -> None:
    before = crm.dump()
    merge = crm.customers.merge(people["A"], people["B"])
    assert crm.dump() != before
    crm.customers.unmerge(merge)
    assert crm.dump() == before
    with pytest.raises(NotAllowedYet, match="taken back already"):
        crm.customers.unmerge(merge)


def test_merges_are_taken_back_last_first(crm: CrmHarness, people: dict[str, int]) -> None:
    before = crm.dump()
    first = crm.customers.merge(people["B"], people["C"])
    second = crm.customers.merge(people["A"], people["B"])
    assert [crm.customers.get(one) for one in people.values()] == [crm.customers.get(people["A"])] * 3
    with pytest.raises(NotAllowedYet, match="merged again later"):
        crm.customers.unmerge(first)
    crm.customers.unmerge(second)
    crm.customers.unmerge(first)
    assert crm.dump() == before


def test_what_cannot_be_merged(crm: CrmHarness, people: dict[str, int]) -> None:
    company = crm.customers.create({"display_name": "Öberg AB", "kind": "company"})
    before = crm.dump()
    for keep, drop, error, why in (
        (people["A"], people["A"], NotAllowedYet, "one customer already"),
        (people["A"], 99999, NotFound, "no such customer"),
        (people["A"], company, NotAllowedYet, "one kind"),
    ):
        with pytest.raises(error, match=why):
            crm.customers.merge(keep, drop)
    with crm.transaction() as session:
        crm.customers.trash(session, people["B"])
    with pytest.raises(NotAllowedYet, match="in the trash"):
        crm.customers.merge(people["A"], people["B"])
    with crm.transaction() as session:
        crm.customers.restore(session, people["B"])
    assert crm.dump() == before
