"""Getting about: the till, the command bar, shortcuts, notices, the store one works in, a session that ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from regulars_core.crm import Crm
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import PASSWORD, Staff, add_store, csrf_token, plugin
from regulars_web.app import create_app


@pytest.fixture
def clerk(staff: Callable[..., Staff]) -> Staff:
    """A clerk."""
    return staff(role="clerk")


@pytest.fixture
def asa(crm: Crm) -> int:
    """A customer with a phone, a mail and a number."""
    given = {"display_name": "Åsa Holm", "phones": "070-174 06 31", "emails": "asa@example.com", "external_id": "C-1000", "country": "SE"}
    return crm.customers.create(given)


@pytest.mark.parametrize("wanted", ["0701740631", "+46 70 174 06 31", "ASA@example.com", " C-1000 "])
def test_the_till_opens_the_customer_at_once(clerk: Staff, asa: int, wanted: str) -> None:
    assert clerk.get("/till", query_string={"find": wanted}).location == f"/customers/{asa}"


def test_the_till_shows_whom_a_name_fits_and_offers_to_add_who_is_new(crm: Crm, clerk: Staff, asa: int) -> None:
    assert f'href="/customers/{asa}"' in clerk.get("/till?find=holm").text
    page = clerk.get("/till?find=070-999 99 99").text
    assert "Nobody known by" in page
    assert 'href="/customers/new?phones=070-999+99+99"' in page
    assert 'value="070-999 99 99"' in page
    assert "070-999 99 99</textarea>" in clerk.get("/customers/new?phones=070-999+99+99").text


def test_the_till_finds_nobody_out_of_sight(crm: Crm, staff: Callable[..., Staff]) -> None:
    for store in ("LUND", "UMEA"):
        add_store(crm, store, store)
    crm.customers.create({"display_name": "There", "emails": "there@example.com", "store": "UMEA"})
    assert "Nobody known by" in staff(role="clerk", stores=["LUND"]).get("/till?find=there@example.com").text


def test_plugins_know_cards_and_receipts(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    @hookimpl
    def find_customer(session: Any, identifier: str) -> Any:
        return 1 if identifier == "R-77" else None

    crm = make_crm(plugin("toy", find_customer=find_customer))
    crm.customers.create({"display_name": "Åsa Holm"})
    assert staff(role="clerk", on=create_app(crm)).get("/till?find=R-77").location == "/customers/1"


def test_the_search_box_answers_while_one_types(clerk: Staff, asa: int) -> None:
    def answer(words: str) -> Any:
        return clerk.get(f"/search?q={words}", headers={"HX-Request": "true"})

    found = answer("holm")
    assert (found.status_code, found.headers["Vary"], "<html" in found.text) == (200, "HX-Request, Cookie", False)
    assert re.findall(r'<a [^>]*href="([^"]+)"', found.text) == [f"/customers/{asa}", "/search?q=holm"]
    nobody = answer("<b>x").text
    assert ("No customer fits" in nobody, re.findall(r'<a [^>]*href="([^"]+)"', nobody)) == (True, ["/search?q=%3Cb%3Ex"])


def test_the_command_bar_finds_pages_actions_and_customers_one_may_use(staff: Callable[..., Staff], clerk: Staff, asa: int) -> None:
    page = clerk.get("/commands?go=cust").text
    assert 'href="/customers"' in page
    assert 'href="/customers/new"' in page
    assert f'href="/customers/{asa}"' in clerk.get("/commands?go=holm").text
    assert 'href="/users"' not in clerk.get("/commands?go=user").text
    assert 'href="/users"' in staff(role="administrator").get("/commands?go=user").text
    part = clerk.get("/commands?go=<b>x", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "<b>x" not in part
    assert "&lt;b&gt;x" in part


def test_shortcuts_are_listed(clerk: Staff) -> None:
    assert "Go to the till" in clerk.get("/shortcuts").text


def test_notices_are_told_once_read_and_lead_somewhere(crm: Crm, staff: Callable[..., Staff], clerk: Staff, asa: int) -> None:
    for _twice in range(2):
        with crm.transaction() as session:
            crm.notices.tell(session, [1], "follow-up:7", "Call <Åsa> back", f"/customers/{asa}", icon="phone", customer_id=asa)
    page = clerk.get("/customers").text
    assert "Notices, 1 unread" in page
    notices = clerk.get("/notices").text
    assert "Call &lt;Åsa&gt; back" in notices
    other = staff(role="clerk")
    assert "Call" not in other.get("/notices").text.split("<main")[1]
    assert other.post("/notices/1").location == "/"
    assert "Notices, 1 unread" in clerk.get("/customers").text
    assert clerk.post("/notices/1").location == f"/customers/{asa}"
    assert "unread" not in clerk.get("/customers").text


def test_all_notices_are_read_at_once(crm: Crm, clerk: Staff) -> None:
    with crm.transaction() as session:
        for number in range(60):
            crm.notices.tell(session, [1], f"n:{number}", f"Notice {number}", "/")
    assert "Earlier" in clerk.get("/notices").text
    clerk.post("/notices/read")
    assert "unread" not in clerk.get("/notices").text


def test_the_store_one_works_in_is_chosen_and_used(crm: Crm, clerk: Staff, malmo: int) -> None:
    crm.customers.create({"display_name": "Here", "store": "MALMO"})
    assert "Malmö Triangeln" in clerk.get("/stores/mine").text
    clerk.post("/stores/mine", {"store": "MALMO", "next": "/customers"})
    assert 'href="/customers?store=MALMO"' in clerk.get("/customers").text
    assert '<option value="MALMO" selected' in clerk.get("/customers/new").text
    clerk.post("/stores/mine", {"store": "NOWHERE"})
    assert "All stores" in clerk.get("/customers").text


def test_looks_and_sessions_are_ones_own(crm: Crm, app: Flask, clerk: Staff, staff: Callable[..., Staff]) -> None:
    clerk.post("/profile", {"locale": "en", "theme": "dark", "density": "compact"})
    page = clerk.get("/profile").text
    assert 'class="rg-app rg-compact"' in page
    other = app.test_client()
    signing = {"email": clerk.email, "password": PASSWORD, "csrf_token": csrf_token(other.get("/sign-in").text)}
    other.post("/sign-in", data=signing, headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Version/17.0 Safari/604.1"})
    assert other.get("/profile").status_code == 200
    assert "Safari, iPhone" in clerk.get("/profile").text
    clerk.post("/profile/sessions/end")
    assert other.get("/profile").status_code == 302
    assert clerk.get("/profile").status_code == 200


def test_a_form_that_comes_after_the_session_ended_says_so_and_leads_back(app: Flask, clerk: Staff) -> None:
    token = clerk.token()
    clerk.post("/sign-out")
    late = {"first_name": "Late", "csrf_token": token}
    reply = clerk.client.post("/customers/new", data=late, headers={"Referer": "http://localhost/customers/new"})
    assert reply.location == "/sign-in?next=%2Fcustomers%2Fnew%3Fagain%3D1"
    assert "Your session had ended" in clerk.get(reply.location).text
    elsewhere = clerk.client.post("/customers/new", data=late, headers={"Referer": "http://evil.example/customers/new"})
    assert elsewhere.location == "/sign-in?next=%2F"


@pytest.mark.parametrize("path", ["/till", "/till?find=x"])
def test_whoever_sees_no_customers_has_no_till(staff: Callable[..., Staff], path: str) -> None:
    assert staff(may=["stores.view"]).get(path).status_code == 403


def test_a_list_of_notices_takes_as_many_statements_for_three_as_for_one(crm: Crm, clerk: Staff, statements: list[str]) -> None:
    counts = []
    clerk.get("/notices")
    for number in range(2):
        with crm.transaction() as session:
            for one in range(1 + number):
                crm.notices.tell(session, [1], f"n:{number}-{one}", "Told", "/")
        crm.plugins.refresh()
        statements.clear()
        clerk.get("/notices")
        counts.append(len(statements))
    assert counts[0] == counts[1]
