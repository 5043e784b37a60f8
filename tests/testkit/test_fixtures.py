"""The fixtures that plugins' tests are given."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from regulars_plugin_api.events import CustomerUpdated, DomainEvent
from regulars_plugin_api.views import CustomerView
from regulars_testkit.crm import CrmHarness
from regulars_testkit.staff import RestClient, Staff


def test_a_customer_is_there(crm: CrmHarness, customer: CustomerView) -> None:
    assert (customer.display_name, customer.email, customer.external_ids) == ("Ada Öberg", "ada@example.com", (("import", "K1"),))
    assert crm.customers.get(customer.id) == customer


def test_staff_sees_what_it_may(customer: CustomerView, staff_client: Callable[..., Staff]) -> None:
    page = f"/customers/{customer.id}"
    assert [staff_client(may=may).get(page).status_code for may in ([], ["customers.view"])] == [403, 200]
    assert "Ada Öberg" in staff_client(role="clerk").get(page).text


def test_a_program_reads_and_writes(customer: CustomerView, rest_client: Callable[..., RestClient], crm: CrmHarness) -> None:
    program = rest_client(may=["customers.view", "customers.edit"])
    address = f"/api/v1/customers/{customer.id}"
    assert program.get(address).get_json()["display_name"] == "Ada Öberg"
    assert program.send("PATCH", address, {"city": "Lund"}).status_code == 200
    assert rest_client(may=["customers.view"]).send("PATCH", address, {"city": "Ystad"}).status_code == 403
    kept = crm.customers.get(customer.id)
    assert kept is not None
    assert [one.city for one in kept.addresses] == ["Lund"]


def test_events_are_told_once_they_are_committed(crm: CrmHarness, customer: CustomerView, sent_events: list[DomainEvent]) -> None:
    with crm.transaction() as session:
        crm.customers.update(customer.id, {"notes": "Likes tea"}, session=session)
        assert sent_events == []
    assert sent_events == [CustomerUpdated(customer_id=customer.id, uid=customer.uid, changed=("notes",))]


def test_statements_are_counted(
    crm: CrmHarness, customer: CustomerView, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with query_count() as statements:
        crm.customers.get_many([customer.id])
    once = len(statements)
    crm.customers.create({"display_name": "Bo"})
    with query_count() as statements:
        crm.customers.get_many([customer.id, customer.id + 1])
    assert len(statements) == once > 0
