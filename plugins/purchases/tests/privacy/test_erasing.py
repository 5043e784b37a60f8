"""A customer is forgotten: no trace in tables, journal, rejects or files, and every total as before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.audit import chain
from regulars_core.bus.models import Event
from regulars_core.customers.models import Customer
from regulars_core.exchange.models import ImportReject
from regulars_core.privacy import upkeep
from regulars_plugin_api.errors import NotAllowedYet, NotFound
from regulars_testkit.crm import CrmHarness

MARK = "Qzxmark"
Traces = Callable[[str], list[str]]


def erase(crm: CrmHarness, customer_id: int) -> dict[str, Any]:
    """Erase, scrub, and return the receipt."""
    number = crm.privacy.erase(customer_id)
    upkeep.scrub(crm)
    return dict(crm.privacy.receipt(number))


def verdict(crm: CrmHarness) -> chain.Verdict:
    """Seal and verify."""
    upkeep.seal(crm)
    with crm.read() as session:
        return chain.verify(session)


def test_a_planted_marker_leaves_no_trace(crm: CrmHarness, person: int, traces: Traces) -> None:
    crm.customers.update(person, {"emails": f"{MARK}.new@example.com", "phones": "+46701740699", "notes": f"{MARK} again", "city": MARK})
    crm.customers.update(person, {"emails": "", "notes": "nothing", "first_name": f"{MARK}else"})
    assert traces(MARK) != []
    said = erase(crm, person)
    assert traces(MARK) == []
    assert traces("6701740631") == []
    assert traces("46701740699") == []
    assert said["scrubbed_at"] is not None
    assert MARK not in json.dumps(said)
    assert {name: said["rows"][name] for name in ("customer", "consent", "purchases_receipt")} == {
        "customer": 1, "consent": 2, "purchases_receipt": 1,
    }  # fmt: skip
    assert verdict(crm).problems == []


def test_books_stay_without_the_name(crm: CrmHarness, person: int) -> None:
    def totals() -> list[Any]:
        with crm.read() as session:
            return list(session.execute(sa.text("SELECT count(*), sum(total_minor), sum(units) FROM purchases_receipt")))

    before = totals()
    erase(crm, person)
    assert totals() == before
    assert crm.customers.get(person) is None
    with crm.read() as session:
        row = session.get_one(Customer, person)
        assert (row.display_name, row.first_name, row.birthday, row.notes, row.fold_last) == ("Erased customer", None, None, None, None)
        events = session.scalars(sa.select(Event).where(Event.type == "customer.erased")).all()
    assert [(one.subject, one.payload) for one in events] == [(f"customer:{person}", {"customer_id": person, "uid": row.uid})]


def test_only_once_and_only_who_is_there(crm: CrmHarness, person: int) -> None:
    erase(crm, person)
    with pytest.raises(NotAllowedYet, match="erased already"):
        crm.privacy.erase(person)
    with pytest.raises(NotFound):
        crm.privacy.erase(99999)
    with pytest.raises(NotFound), crm.transaction() as session:
        crm.customers.restore(session, person)


def test_who_was_merged_is_erased_as_well(crm: CrmHarness, person: int, id_of: Callable[[str], int], traces: Traces) -> None:
    other = id_of("B")
    merge = crm.customers.merge(other, person)
    erase(crm, person)
    assert (traces(MARK), traces("eva@example.com")) == ([], [])
    with pytest.raises(NotAllowedYet, match="erased"):
        crm.customers.unmerge(merge)
    assert verdict(crm).problems == []


def test_rejected_records_that_name_somebody_are_emptied(crm: CrmHarness, person: int, traces: Traces) -> None:
    rows = f"external_id,first_name,email\n1,{MARK},{MARK}@example.com;no-address\n2,Eva,no-address\n"
    run = crm.import_text("customer", rows)["run"]
    before = crm.report(run)
    assert len(before["rejected"]) == 2
    erase(crm, person)
    after = crm.report(run)
    assert [one["record"] for one in after["rejected"]] == [1, 2]
    assert after["rejected"][1] == before["rejected"][1]
    with crm.read() as session:
        assert [one.cells for one in session.scalars(sa.select(ImportReject).order_by(ImportReject.record))] == [
            [],
            ["2", "Eva", "no-address"],
        ]
    assert traces(MARK) == []
