"""What staff see: panel, pages, search, list columns; who may see it, and what is masked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from regulars_core.users import passwords, service, sessions
from regulars_core.users.models import Role, RolePermission
from regulars_plugin_api.views import SYSTEM, Viewer
from regulars_purchases import contributions
from regulars_testkit.databases import counted
from regulars_testkit.staff import PASSWORD, Staff
from regulars_web.app import create_app
from regulars_web.security import SIGN_IN

EVERYTHING = ("customers.view", "purchases.view", "purchases.all_stores")
SALES = "receipt_no,sold_at,store,till,cashier,customer_external_id,sku,quantity,amount,discount,kind"


@pytest.fixture
def filled(chain: Any) -> Any:
    chain.load("customer", "external_id,display_name,store", "K1,Ada Öberg,M1", "K2,Bo,NY")
    chain.load("product", "sku,name", "A,Linen curtains", "B,<b>Candle</b>")
    chain.sales(
        "1001,2025-03-01 10:15,M1,2,Åsa,K1,A,2,1298.00,100.00,sale",
        "1001,2025-03-01 10:15,M1,2,Åsa,K1,B,1,69.00,,sale",
        "1002,2025-03-05 10:00,M1,2,Åsa,K1,A,1,649.00,,return",
        "2001,2025-04-01 10:00,NY,1,,K1,C,1,12.50,,sale",
        "3001,2025-04-02 10:00,NY,1,,K2,C,1,99.00,,sale",
        "9001,2025-04-03 10:00,NY,1,,,C,1,77.00,,sale",
        columns=SALES,
    )
    return chain


@pytest.fixture
def app(filled: Any) -> Flask:
    return create_app(filled.crm)


@pytest.fixture
def staff(filled: Any, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Staff]:
    """``staff("permission", …, stores=["M1"])``: somebody with these permissions, signed in."""
    monkeypatch.setattr(passwords, "hashed", lambda password: "not for signing in")

    def sign_in(*may: str, stores: list[str] | None = None) -> Staff:
        crm = filled.crm
        with crm.transaction() as session:
            role = Role(name=f"role-{len(may)}-{stores}")
            session.add(role)
            session.flush()
            session.add_all(RolePermission(role_id=role.id, permission=permission) for permission in may)
            email = f"user{role.id}@example.com"
            user = service.create(session, email=email, name="Anna Berg", password=PASSWORD, roles=[role.name], at=crm.clock.now())
            if stores:
                service.grant(session, email, roles=[role.name], stores=stores)
            token = sessions.start(session, user.id, crm.clock.now())
        somebody = Staff(app, email)
        with somebody.client.session_transaction() as cookie:
            cookie.update({"_user_id": user.fs_uniquifier, "_fresh": True, SIGN_IN: token})
        return somebody

    return sign_in


@pytest.fixture
def ids(filled: Any) -> dict[str, int]:
    """Ids of receipts by number and of customers by name."""
    return dict(filled.rows("SELECT receipt_no, id FROM purchases_receipt UNION ALL SELECT display_name, id FROM customer"))


def test_the_panel_shows_what_was_bought(staff: Callable[..., Staff], ids: dict[str, int]) -> None:
    page = staff(*EVERYTHING).get(f"/customers/{ids['Ada Öberg']}").text
    assert "Linen curtains" in page
    assert "718.00\xa0SEK" in page
    assert "12.50\xa0USD" in page
    assert f"/purchases/customers/{ids['Ada Öberg']}" in page
    assert "All 3" in page


def test_without_permission_there_is_no_panel_and_no_page(staff: Callable[..., Staff], ids: dict[str, int]) -> None:
    clerk = staff("customers.view")
    assert "Linen curtains" not in clerk.get(f"/customers/{ids['Ada Öberg']}").text
    assert clerk.get(f"/purchases/customers/{ids['Ada Öberg']}").status_code == 403
    assert clerk.get(f"/purchases/receipts/{ids['1001']}").status_code == 403


def test_a_receipt_with_its_lines(staff: Callable[..., Staff], ids: dict[str, int]) -> None:
    page = staff(*EVERYTHING).get(f"/purchases/receipts/{ids['1001']}").text
    for shown in ("1001", "10:15", "Malmö", "Åsa", "Linen curtains", "1,298.00\xa0SEK", "100.00\xa0SEK", "1,367.00\xa0SEK", "Ada Öberg"):
        assert shown in page
    assert "&lt;b&gt;Candle" in page
    assert "Return" in staff(*EVERYTHING[:2]).get(f"/purchases/receipts/{ids['1002']}").text


def test_amounts_of_other_stores_are_masked(staff: Callable[..., Staff], ids: dict[str, int]) -> None:
    clerk = staff(*EVERYTHING[:2], stores=["M1"])
    page = clerk.get(f"/purchases/customers/{ids['Ada Öberg']}").text
    assert "1,367.00" in page
    assert "12.50" not in page
    assert "12.50" not in clerk.get(f"/customers/{ids['Ada Öberg']}").text
    other = clerk.get(f"/purchases/receipts/{ids['2001']}")
    assert (other.status_code, "12.50" in other.text, "not shown" in other.text) == (200, False, True)
    manager = staff(*EVERYTHING, stores=["M1"])
    assert "12.50" in manager.get(f"/purchases/customers/{ids['Ada Öberg']}").text


def test_what_is_out_of_scope_is_not_there(staff: Callable[..., Staff], ids: dict[str, int]) -> None:
    clerk = staff(*EVERYTHING, stores=["M1"])
    assert clerk.get(f"/purchases/customers/{ids['Bo']}").status_code == 404
    assert clerk.get(f"/purchases/receipts/{ids['3001']}").status_code == 404
    assert clerk.get(f"/purchases/receipts/{ids['9001']}").status_code == 404
    assert clerk.get("/purchases/receipts/424242").status_code == 404
    assert staff(*EVERYTHING).get(f"/purchases/receipts/{ids['9001']}").status_code == 200


def test_pages_go_back_in_time(filled: Any, staff: Callable[..., Staff], ids: dict[str, int]) -> None:
    rows = [f"5{number:03},2025-06-01 {number // 60 + 8:02}:{number % 60:02},M1,,,K1,A,1,1.00,,sale" for number in range(60)]
    filled.sales(*rows, columns=SALES)
    reader = staff(*EVERYTHING)
    path = f"/purchases/customers/{ids['Ada Öberg']}"
    first = reader.get(path).text
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = reader.get(following).text
    shown = [[number for number in range(60) if f">5{number:03}<" in page] for page in (first, second)]
    assert shown == [list(range(10, 60)), list(range(10))]
    assert (">1001<" in second, 'rel="next"' in second) == (True, False)
    assert reader.get(f"{path}?after=nonsense").status_code == 422


def test_receipts_are_found_by_number(filled: Any, staff: Callable[..., Staff], ids: dict[str, int]) -> None:
    assert f"/purchases/receipts/{ids['1001']}" in staff(*EVERYTHING).get("/search?q=1001").text
    assert f"/purchases/receipts/{ids['3001']}" not in staff(*EVERYTHING, stores=["M1"]).get("/search?q=3001").text
    with filled.crm.read() as session:
        from regulars_purchases.plugin import find_customer

        assert find_customer(session, " 1001 ") == ids["Ada Öberg"]
        assert find_customer(session, "9001") is None


@pytest.fixture
def statements(filled: Any) -> Iterator[list[str]]:
    with counted() as sent:
        yield sent


def test_as_many_statements_for_many_receipts_as_for_few(filled: Any, ids: dict[str, int], statements: list[str]) -> None:
    counts = []
    for name in ("Bo", "Ada Öberg"):
        with filled.crm.read() as session:
            customer = filled.crm.customers.seen_by(session, SYSTEM, ids[name])
            statements.clear()
            contributions.history(session, customer, SYSTEM)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6


def test_the_history_does_not_ask_again_for_what_the_panel_beside_it_has_read(
    filled: Any, staff: Callable[..., Staff], ids: dict[str, int], statements: list[str]
) -> None:
    reader, customer = staff(*EVERYTHING), f"/customers/{ids['Ada Öberg']}"
    filled.sales(
        *(f"5{number:03},2025-06-01 {number // 60 + 8:02}:{number % 60:02},M1,,,K1,A,1,1.00,,sale" for number in range(35)), columns=SALES
    )

    def asked(path: str) -> tuple[int, int]:
        statements.clear()
        shown = reader.get(path).text.count("Bought one article")
        return shown, sum("FROM purchases_receipt LEFT OUTER JOIN" in one for one in statements)

    assert asked(customer) == (29, 1), "and the day the record was added"
    assert asked(f"{customer}/timeline") == (29, 1), "without the panel it asks for itself"


def test_columns_of_the_list_and_the_timeline(filled: Any, ids: dict[str, int]) -> None:
    ada, bo = ids["Ada Öberg"], ids["Bo"]
    last, value = contributions.COLUMNS
    source = contributions.TIMELINE
    viewer = Viewer(user_id=1, name="x", permissions=frozenset(EVERYTHING[:2]), store_ids=frozenset())
    with filled.crm.read() as session:
        assert {one: str(day) for one, day in last.load(session, [ada, bo], SYSTEM).items()} == {ada: "2025-04-01", bo: "2025-04-02"}
        assert value.load(session, [ada], viewer) == {}
        assert value.load(session, [ada], SYSTEM) == {ada: "718.00\xa0SEK\xa0+ 12.50\xa0USD"}
        # What was all given back counts for nothing beside what was paid in another currency.
        filled.sales("2001,2025-04-01 10:00,NY,1,,K1,C,1,12.50,,sale", "2002,2025-04-02 10:00,NY,1,,K1,C,1,12.50,,return", columns=SALES)
    with filled.crm.read() as session:
        assert value.load(session, [ada], SYSTEM) == {ada: "718.00\xa0SEK"}
        happened = session.execute(source.select(viewer).where(sa.column("customer_id") == bo)).all()
        assert [tuple(row)[2:4] for row in happened] == [("receipt", None)]
        entry = source.render(session, [ids["3001"]], viewer)[ids["3001"]]
        assert (str(entry.summary), entry.detail, entry.url) == (
            "Bought one article",
            "New York",
            f"/purchases/receipts/{ids['3001']}",
        )
        assert str(source.render(session, [ids["1002"]], viewer)[ids["1002"]].summary) == "Brought back one article"


def test_at_the_till_a_receipt_number_leads_to_its_customer_or_to_the_receipts(
    filled: Any, staff: Callable[..., Staff], ids: dict[str, int]
) -> None:
    filled.sales("3001,2025-05-02 10:00,M1,1,,K1,C,1,99.00,,sale", columns=SALES)
    till = staff(*EVERYTHING)
    assert till.get("/till?find=2001").location == f"/customers/{ids['Ada Öberg']}"
    several = till.get("/till?find=3001").text
    assert (several.count("Receipt 3001"), "Nobody known by" in several) == (2, False)
    assert "Nobody known by" in till.get("/till?find=77777").text
