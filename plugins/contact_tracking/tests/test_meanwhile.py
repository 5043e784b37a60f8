"""What others did while somebody was typing: changed the contact, closed the follow-up, left the staff, threw the customer away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_testkit.staff import Staff

CALL = {"channel": "phone", "direction": "in", "text": "Wants the grey fabric.", "outcome": "Will think about it"}
STEP = {"next_step": "Ring about the fabric", "due_on": "2026-11-23"}
HTMX = {"HX-Request": "true"}
FOLLOW_UP = "/contact_tracking/follow-ups/1"
BOTH_WAYS = pytest.mark.parametrize("in_place", [True, False])


def wrote(chain: Any, somebody: Staff, **typed: str) -> int:
    ada = int(chain.customer("Ada Öberg"))
    assert somebody.post(f"/contact_tracking/customers/{ada}/interactions", {**CALL, **typed}).status_code == 302
    return ada


def thrown_away(chain: Any, name: str) -> int:
    customer_id = int(chain.customer(name))
    with chain.crm.transaction() as session:
        chain.crm.customers.trash(session, customer_id)
    return customer_id


def ordered(chain: Any, statement: str, **values: Any) -> None:
    with chain.crm.transaction() as session:
        session.execute(sa.text(statement), values)


def version_in(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


def test_a_contact_somebody_else_has_changed_shows_theirs_and_is_saved_the_second_time(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, manager = staff("Anna", "clerk"), staff("Maja", "manager")
    wrote(chain, anna)
    path = "/contact_tracking/interactions/1/edit"
    version = version_in(anna.get(path).text)
    assert manager.post(path, {**CALL, "text": "Wants <b>blue.", "outcome": "Ordered", "version": version}).status_code == 302
    refused = anna.post(path, {**CALL, "text": "Wants green.", "version": version})
    assert refused.status_code == 409
    for shown in ("Somebody else has changed this in the meantime.", "Wants green.</textarea>", "Wants &lt;b&gt;blue.", "Ordered"):
        assert shown in refused.text
    assert chain.contacts()[0][3:] == ("Wants <b>blue.", "Ordered")
    assert anna.post(path, {**CALL, "text": "Wants green.", "version": version_in(refused.text)}).status_code == 302
    assert chain.contacts()[0][3:] == ("Wants green.", "Will think about it")


@BOTH_WAYS
@pytest.mark.parametrize(
    ("what", "typed"), [("move", {"days": "1"}), ("close", {"outcome": "Never answered"}), ("assign", {"assignee": "1"})]
)
def test_what_somebody_else_has_closed_stays_as_they_left_it(
    chain: Any, staff: Callable[..., Staff], what: str, typed: dict[str, str], in_place: bool
) -> None:
    anna, manager = staff("Anna", "clerk"), staff("Maja", "manager")
    ada = wrote(chain, anna, **STEP)
    manager.post(f"{FOLLOW_UP}/close", {"outcome": "Ordered it"})
    before = chain.crm.dump()
    for back in ("list", "home", "customer"):
        reply = anna.post(f"{FOLLOW_UP}/{what}", {**typed, "back": back}, headers=HTMX if in_place else {})
        assert (reply.status_code, "Somebody else has closed this already." in reply.text) == (409, True)
        assert typed.get("outcome", "") in reply.text
        assert ("<html" in reply.text) is not in_place
        assert not in_place or reply.text.lstrip().startswith('<div class="rg-next"' if back == "customer" else "<li")
    assert chain.crm.dump() == before
    assert "is moved" not in anna.get(f"/customers/{ada}").text


def test_closed_by_a_double_click_is_closed_once_and_without_a_word(chain: Any, staff: Callable[..., Staff]) -> None:
    anna = staff("Anna", "clerk")
    wrote(chain, anna, **STEP)
    assert [anna.post(f"{FOLLOW_UP}/close", {"outcome": "Ordered it"}).status_code for _time in range(2)] == [302, 302]
    told = chain.rows("SELECT count(*) FROM event WHERE type = 'contact_tracking.follow_up_closed'")
    again = anna.post(f"{FOLLOW_UP}/close", {"outcome": "Came by herself"})
    assert (again.status_code, "You have closed this already." in again.text, "Came by herself" in again.text) == (409, True, True)
    assert (told, chain.follow_ups()[0][5]) == ([(1,)], "Ordered it")


@BOTH_WAYS
def test_what_came_of_it_is_refused_where_it_was_typed(chain: Any, staff: Callable[..., Staff], in_place: bool) -> None:
    anna = staff("Anna", "clerk")
    wrote(chain, anna, **STEP)
    typed = {"outcome": "Paid with 4111 1111 1111 1111", "back": "list"}
    reply = anna.post(f"{FOLLOW_UP}/close", typed, headers=HTMX if in_place else {})
    assert (reply.status_code, "payment card number" in reply.text, typed["outcome"] in reply.text) == (422, True, True)
    assert ("<html" in reply.text) is not in_place


def test_handed_to_who_has_left_is_refused_beside_the_field(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, _olle = staff("Anna", "clerk"), staff("Olle", "clerk")
    wrote(chain, anna, **STEP)
    left = chain.rows("SELECT id FROM user_account WHERE name = 'Olle'")[0][0]
    ordered(chain, "UPDATE user_account SET active = :no WHERE id = :left", no=False, left=left)
    reply = anna.post(f"{FOLLOW_UP}/assign", {"assignee": left})
    assert reply.status_code == 422
    for shown in ('id="assignee-wrong"', "This is nobody of staff.", 'name="assignee"', 'aria-describedby="assignee-wrong"'):
        assert shown in reply.text
    assert chain.follow_ups()[0][3] == "Anna"


@BOTH_WAYS
def test_nothing_is_written_down_about_a_customer_in_the_trash(chain: Any, staff: Callable[..., Staff], in_place: bool) -> None:
    anna, ada = staff("Anna", "clerk"), thrown_away(chain, "Ada Öberg")
    before = chain.crm.dump()
    reply = anna.post(f"/contact_tracking/customers/{ada}/interactions", {**CALL, **STEP}, headers=HTMX if in_place else {})
    assert (reply.status_code, "This customer is in the trash." in reply.text) == (409, True)
    assert [typed for typed in ("Wants the grey fabric.", "Will think about it", *STEP.values()) if typed not in reply.text] == []
    assert ("<html" in reply.text) is not in_place
    assert chain.crm.dump() == before


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("details", {"kind": "size", "title": "Shoes", "value": "39"}),
        ("plans", {"what": "Say hello", "every": "3", "unit": "weeks", "starts_on": "2026-12-01"}),
    ],
)
def test_nothing_is_kept_in_mind_of_a_customer_in_the_trash(
    chain: Any, staff: Callable[..., Staff], path: str, typed: dict[str, str]
) -> None:
    anna, ada = staff("Anna", "clerk"), thrown_away(chain, "Ada Öberg")
    before = chain.crm.dump()
    reply = anna.post(f"/contact_tracking/customers/{ada}/{path}", typed)
    assert (reply.status_code, "This customer is in the trash." in reply.text) == (409, True)
    assert [value for value in typed.values() if f'value="{value}"' not in reply.text] == []
    assert chain.crm.dump() == before


def test_a_customer_in_the_trash_goes_into_nobodys_book(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk"), thrown_away(chain, "Ada Öberg")
    reply = anna.post(f"/contact_tracking/customers/{ada}/take")
    page = anna.get(reply.location).text
    assert ("Take it out of there first." in page, "is in your client book" in page) == (True, False)
    assert chain.rows("SELECT count(*) FROM contact_tracking_client") == [(0,)]


def test_the_composer_says_that_the_customer_is_gone(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk"), thrown_away(chain, "Ada Öberg")
    ordered(chain, "UPDATE customer SET erased_at = deleted_at WHERE id = :ada", ada=ada)
    reply = anna.post(f"/contact_tracking/customers/{ada}/interactions", CALL, headers=HTMX)
    assert (reply.status_code, reply.text) == (404, "")
    assert "There is no such customer." in reply.headers["HX-Trigger"]
    assert chain.contacts() == []
