"""Exports through pages: asked for, written by the worker, fetched by nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from regulars_core.crm import Crm
from regulars_core.exchange import export_desk
from regulars_core.exchange.models import ExportRun
from regulars_testkit.staff import Staff, add_store

BLOCKED = json.dumps({"all": [{"field": "status", "op": "eq", "value": "blocked"}]})


@pytest.fixture
def manager(staff: Callable[..., Staff]) -> Staff:
    """Somebody who may export customers."""
    return staff(role="manager")


def ask(somebody: Staff, **given: str) -> str:
    reply = somebody.post("/exports/new", {"kind": "customer", "format": "csv", **given})
    assert reply.status_code == 302, reply.text
    return str(reply.location)


def test_a_file_is_asked_for_written_and_fetched(crm: Crm, manager: Staff) -> None:
    crm.customers.create({"display_name": "Åsa Holm"})
    address = ask(manager)
    assert "You may leave this page" in manager.get(address).text
    assert export_desk.work_once(crm)
    assert not export_desk.work_once(crm)
    page = manager.get(address).text
    assert "1 record was written." in page
    with crm.transaction() as session:
        session.execute(sa.update(ExportRun).values(written=2999))
    assert "2,999 records were written." in manager.get(address).text
    reply = manager.get(f"{address}/file")
    assert "attachment" in reply.headers["Content-Disposition"]
    assert "Åsa Holm" in reply.data.decode("utf-8-sig")
    assert "The export is ready: 1 record." in manager.get("/notices").text


def test_only_what_the_filter_selects_and_the_viewer_sees_is_written(crm: Crm, staff: Callable[..., Staff]) -> None:
    for store in ("LUND", "UMEA"):
        add_store(crm, store, store)
        crm.customers.create({"display_name": f"Blocked {store}", "status": "blocked", "store": store})
        crm.customers.create({"display_name": f"Active {store}", "store": store})
    somebody = staff(role="manager", stores=["LUND"])
    address = ask(somebody, filter=BLOCKED)
    export_desk.work_once(crm)
    text = somebody.get(f"{address}/file").data.decode("utf-8-sig")
    assert [name for name in ("Blocked LUND", "Blocked UMEA", "Active LUND") if name in text] == ["Blocked LUND"]


def test_a_cancelled_export_leaves_no_file(crm: Crm, manager: Staff) -> None:
    address = ask(manager)
    manager.post(f"{address}/cancel")
    assert not export_desk.work_once(crm)
    assert "The export was cancelled." in manager.get(address).text
    assert manager.get(f"{address}/file").status_code == 404
    again = manager.post(f"{address}/again").location
    export_desk.work_once(crm)
    assert manager.get(f"{again}/file").status_code == 200


def test_an_export_is_nobody_elses(crm: Crm, manager: Staff, staff: Callable[..., Staff]) -> None:
    address = ask(manager)
    export_desk.work_once(crm)
    other = staff(role="administrator")
    for what in ("", "/file", "/progress"):
        assert other.get(f"{address}{what}").status_code == 404
    assert other.post(f"{address}/cancel").status_code == 404
    assert "No exports yet" in other.get("/exports").text


@pytest.mark.parametrize(
    ("given", "field"),
    [({"format": "doc"}, "format"), ({"kind": "weather"}, "kind"), ({"filter": "{"}, "filter"), ({"filter": '{"a": 1}'}, "filter")],
)
def test_a_wrong_choice_is_refused_beside_its_field(manager: Staff, given: dict[str, str], field: str) -> None:
    reply = manager.post("/exports/new", {"kind": "customer", "format": "csv", **given})
    assert (reply.status_code, f'id="{field}-wrong"' in reply.text) == (422, True)


def test_a_clerk_takes_nothing_out(crm: Crm, staff: Callable[..., Staff]) -> None:
    clerk = staff(may=["customers.view"])
    assert clerk.post("/exports/new", {"kind": "customer", "format": "csv"}).status_code == 403
    assert "Nothing to export" in clerk.get("/exports/new").text
    assert not export_desk.work_once(crm)


def test_whoever_may_no_longer_export_gets_no_file(crm: Crm, manager: Staff) -> None:
    address = ask(manager)
    with crm.transaction() as session:
        from regulars_core.users import roles

        roles.set_permissions(session, "manager", ["customers.view"])
    export_desk.work_once(crm)
    assert "Stopped" in manager.get(address).text
    assert manager.get(f"{address}/file").status_code == 404


def test_lists_take_as_many_statements_for_three_rows_as_for_one(manager: Staff, crm: Crm, statements: list[str]) -> None:
    counts = []
    for number in range(2):
        for _one in range(1 + number):
            ask(manager)
        crm.plugins.refresh()
        statements.clear()
        assert manager.get("/exports").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
