"""Changing a customer: where the facts stand, beside somebody else, and never twice by a double click."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from regulars_core.crm import Crm
from regulars_testkit.staff import Staff
from regulars_web.conflicts import Difference, compare

HTMX = {"HX-Request": "true"}


@pytest.fixture
def clerk(staff: Callable[..., Staff]) -> Staff:
    """A clerk."""
    return staff(role="clerk")


@pytest.fixture
def asa(crm: Crm) -> int:
    """A customer."""
    return crm.customers.create(
        {"display_name": "Åsa Holm", "city": "Lund", "notes": "Likes blue.", "phones": "+46701740631", "tags": "vip"}
    )


def form_of(page: str) -> dict[str, str]:
    """What a browser would send of the page's form."""
    form = page[page.index('<form class="rg-stack rg-narrow"') :]
    given = {name: html.unescape(value) for name, value in re.findall(r'<input[^>]* name="([a-z_]+)"[^>]* value="([^"]*)"', form)}
    given |= {name: html.unescape(value) for name, value in re.findall(r'<textarea[^>]* name="([a-z_]+)"[^>]*>([^<]*)<', form)}
    for name, options in re.findall(r'<select[^>]* name="([a-z_]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        given[name] = chosen[1] if chosen else ""
    return given | {"version": re.findall(r'name="version" value="(\d+)"', form)[0]}


def test_what_each_changed_alone_is_put_together(crm: Crm, clerk: Staff, asa: int) -> None:
    mine = form_of(clerk.get(f"/customers/{asa}/edit").text) | {"city": "Malmö"}
    crm.customers.update(asa, {"notes": "Likes green.", "tags": "vip; sofa"})
    reply = clerk.post(f"/customers/{asa}/edit", mine)
    assert reply.status_code == 409
    assert "unchanged: theirs is kept" in reply.text
    assert reply.text.count('type="radio"') == 0
    again = form_of(reply.text)
    assert (again["city"], again["notes"], again["tags"]) == ("Malmö", "Likes green.", "sofa; vip")
    clerk.post(f"/customers/{asa}/edit", again)
    customer = crm.customers.get(asa)
    assert customer is not None
    assert (customer.addresses[0].city, customer.notes, customer.tags) == ("Malmö", "Likes green.", ("sofa", "vip"))


@pytest.mark.parametrize(("choice", "left"), [("mine", "Mine."), ("theirs", "Theirs.")])
def test_where_both_changed_the_same_one_chooses(crm: Crm, clerk: Staff, asa: int, choice: str, left: str) -> None:
    mine = form_of(clerk.get(f"/customers/{asa}/edit").text) | {"notes": "Mine."}
    crm.customers.update(asa, {"notes": "Theirs."})
    page = clerk.post(f"/customers/{asa}/edit", mine).text
    for shown in ("Likes blue.", "Theirs.", 'name="take-notes" value="theirs"'):
        assert shown in page
    clerk.post(f"/customers/{asa}/edit", form_of(page) | {"take-notes": choice})
    customer = crm.customers.get(asa)
    assert customer is not None
    assert customer.notes == left


def test_a_third_one_in_between_is_seen_as_well(crm: Crm, clerk: Staff, asa: int) -> None:
    mine = form_of(clerk.get(f"/customers/{asa}/edit").text) | {"notes": "Mine."}
    crm.customers.update(asa, {"notes": "Theirs."})
    again = form_of(clerk.post(f"/customers/{asa}/edit", mine).text)
    crm.customers.update(asa, {"notes": "A third."})
    reply = clerk.post(f"/customers/{asa}/edit", again)
    assert (reply.status_code, "A third." in reply.text) == (409, True)


def test_a_change_that_touches_no_field_of_the_form_costs_nobody_the_save(crm: Crm, clerk: Staff, asa: int) -> None:
    mine = form_of(clerk.get(f"/customers/{asa}/edit").text) | {"city": "Malmö"}
    crm.customers.update(asa, {"notes": "Else."})
    crm.customers.update(asa, {"notes": "Likes blue."})
    assert clerk.post(f"/customers/{asa}/edit", mine).status_code == 302


def test_a_form_that_says_nonsense_of_its_beginning_overwrites_nothing(crm: Crm, clerk: Staff, asa: int) -> None:
    for before in ("{", "[]", "7", '{"city": ["x"]}'):
        mine = form_of(clerk.get(f"/customers/{asa}/edit").text) | {"city": "Malmö", "before": before}
        crm.customers.update(asa, {"city": f"Ystad{len(before)}"})
        assert clerk.post(f"/customers/{asa}/edit", mine).status_code == 409


def test_three_ways() -> None:
    before = {"a": "1", "b": "1", "c": "1", "d": "1"}
    merged, differences = compare(before, {**before, "b": "2", "c": "2", "d": "2"}, {"a": "9", "b": "1", "c": "9", "d": "2"})
    assert merged == {"a": "9", "b": "2", "c": "9", "d": "2"}
    assert differences == [Difference("b", "1", "2", "1", False), Difference("c", "1", "2", "9", True)]


def test_a_fact_is_changed_where_it_stands(crm: Crm, clerk: Staff, asa: int) -> None:
    assert f'hx-get="/customers/{asa}/quick/contact"' in clerk.get(f"/customers/{asa}").text
    form = clerk.get(f"/customers/{asa}/quick/contact", headers=HTMX).text
    assert "<html" not in form
    assert "+46701740631</textarea>" in form
    reply = clerk.post(f"/customers/{asa}/quick/contact", {"phones": "+46701740632", "version": "1"}, headers=HTMX)
    assert reply.headers["HX-Retarget"] == "#head"
    assert "+46701740632" in reply.text
    assert "<html" not in reply.text
    customer = crm.customers.get(asa)
    assert customer is not None
    assert (customer.phone, customer.addresses[0].city, customer.notes) == ("+46701740632", "Lund", "Likes blue.")


def test_without_scripts_a_fact_has_a_small_page(crm: Crm, clerk: Staff, asa: int) -> None:
    assert "<html" in clerk.get(f"/customers/{asa}/quick/notes").text
    assert clerk.post(f"/customers/{asa}/quick/notes", {"notes": "Prefers red.", "version": "1"}).location == f"/customers/{asa}"
    assert clerk.get(f"/customers/{asa}/quick/shoes").status_code == 404


def test_a_small_form_keeps_what_was_typed_and_refuses_beside_the_field(crm: Crm, clerk: Staff, asa: int) -> None:
    reply = clerk.post(f"/customers/{asa}/quick/contact", {"emails": "nobody", "version": "1"}, headers=HTMX)
    assert (reply.status_code, 'id="emails-wrong"' in reply.text, ">nobody</textarea>" in reply.text) == (422, True, True)
    crm.customers.update(asa, {"city": "Malmö"})
    stale = clerk.post(f"/customers/{asa}/quick/notes", {"notes": "Mine.", "version": "1"}, headers=HTMX)
    assert (stale.status_code, ">Mine.</textarea>" in stale.text, 'name="version" value="2"' in stale.text) == (409, True, True)


@pytest.mark.parametrize("path", ["quick/notes", "edit"])
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["in place", "a page"])
def test_in_the_trash_nothing_is_changed_and_what_was_typed_is_kept(
    crm: Crm, clerk: Staff, asa: int, path: str, headers: dict[str, str]
) -> None:
    with crm.transaction() as session:
        crm.customers.trash(session, asa)
    reply = clerk.post(f"/customers/{asa}/{path}", {"notes": "Mine.", "version": "2"}, headers=headers)
    assert (reply.status_code, "This customer is in the trash. Take it out" in reply.text, ">Mine.</textarea>" in reply.text) == (
        409,
        True,
        True,
    )


def test_of_a_customer_who_is_gone_the_reason_is_said_beside_what_was_typed(crm: Crm, clerk: Staff, asa: int) -> None:
    with crm.transaction() as session:
        session.execute(sa.text("UPDATE customer SET erased_at = created_at"))
    refused = clerk.post(f"/customers/{asa}/quick/notes", {"notes": "Mine.", "version": "1"}, headers=HTMX)
    assert (refused.status_code, refused.text, refused.headers["HX-Reswap"]) == (404, "", "none")
    assert json.loads(refused.headers["HX-Trigger"]) == {"refused": {"reason": "There is no such customer."}}
    page = clerk.post(f"/customers/{asa}/quick/notes", {"notes": "Mine.", "version": "1"})
    assert (page.status_code, "There is no such customer." in page.text, "<html" in page.text) == (404, True, True)


def test_who_may_not_edit_has_no_small_forms(staff: Callable[..., Staff], asa: int, contents: Callable[[], list[str]]) -> None:
    analyst = staff(role="analyst")
    before = contents()
    assert "/quick/" not in analyst.get(f"/customers/{asa}").text
    assert analyst.get(f"/customers/{asa}/quick/notes").status_code == 403
    assert analyst.post(f"/customers/{asa}/quick/notes", {"notes": "Mine."}).status_code == 403
    assert contents() == before


def test_a_form_sent_twice_adds_one_customer(crm: Crm, clerk: Staff) -> None:
    given = form_of(clerk.get("/customers/new").text.replace("</form>", '<input name="version" value="0"></form>'))
    given |= {"first_name": "Nils", "last_name": "Ek"}
    assert [clerk.post("/customers/new", given).location for _twice in range(2)] == ["/customers/1", "/customers/1"]
    assert crm.customers.get(2) is None


def test_a_form_sent_twice_at_once_adds_one_customer(crm: Crm, app: Flask, clerk: Staff) -> None:
    given = form_of(clerk.get("/customers/new").text.replace("</form>", '<input name="version" value="0"></form>'))
    given |= {"first_name": "Nils", "last_name": "Ek", "csrf_token": clerk.token()}
    cookie = clerk.client.get_cookie("regulars")
    assert cookie is not None
    answers: list[int] = []

    def send() -> None:
        client = app.test_client()
        client.set_cookie("regulars", cookie.value)
        answers.append(client.post("/customers/new", data=given).status_code)

    threads = [threading.Thread(target=send) for _one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 4
    assert crm.customers.get(2) is None


def test_the_name_of_somebody_elses_record_adds_nothing(crm: Crm, clerk: Staff, asa: int) -> None:
    customer = crm.customers.get(asa)
    assert customer is not None
    assert clerk.post("/customers/new", {"first_name": "Thief", "uid": customer.uid}).location == f"/customers/{asa}"
    for uid in ("x", "'; drop table", "0" * 36):
        assert clerk.post("/customers/new", {"first_name": f"New {len(uid)}", "uid": uid}).status_code == 302


def test_messages_nobody_looks_at_do_not_fill_the_cookie_until_the_browser_drops_it(clerk: Staff) -> None:
    form = {"kind": "person", "status": "active", "csrf_token": clerk.token()}
    for number in range(30):
        reply = clerk.client.post("/customers/new", data={**form, "display_name": f"Unseen {number}"})
        assert reply.status_code == 302
        assert all(len(cookie) < 1000 for cookie in reply.headers.getlist("Set-Cookie"))
    assert clerk.get("/customers").text.count("The customer is added.") == 5
    assert "The customer is added." not in clerk.get("/customers").text
