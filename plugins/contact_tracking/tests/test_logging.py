"""Writing down a contact on the customer's page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from regulars_testkit.staff import Staff

CALL = {"channel": "phone", "direction": "in", "text": "Wants the grey fabric.", "outcome": "Will think about it"}
STEP = {"next_step": "Ring about the fabric", "due_on": "2026-11-23"}


def token_in(page: str) -> str:
    found = re.search(r'name="uid" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_call_with_a_next_step_is_on_the_timeline_and_at_home(chain: Any, staff: Callable[..., Staff]) -> None:
    clerk, ada = staff("Anna", "clerk", stores=["M1"]), chain.customer("Ada Öberg")
    reply = clerk.post(f"/contact_tracking/customers/{ada}/interactions", {**CALL, **STEP})
    assert (reply.status_code, reply.location) == (302, f"/customers/{ada}")
    assert chain.contacts() == [("Ada Öberg", "phone", "in", "Wants the grey fabric.", "Will think about it")]
    assert chain.follow_ups() == [("Ada Öberg", "Ring about the fabric", "2026-11-23", "Anna", False, None)]
    page = clerk.get(f"/customers/{ada}").text
    for shown in (
        "The customer called",
        "Wants the grey fabric.",
        "Anna · Will think about it · Malmö",
        "Ring about the fabric",
        "Tomorrow",
    ):
        assert shown in page
    assert "Ring about the fabric" in clerk.get("/home/widgets/contact_tracking/tile").text
    told = chain.rows("SELECT type, subject FROM event WHERE type LIKE 'contact_tracking.%' ORDER BY id")
    assert told == [("contact_tracking.follow_up_added", f"customer:{ada}"), ("contact_tracking.interaction_logged", f"customer:{ada}")]


def test_what_is_sent_twice_is_written_down_once(chain: Any, staff: Callable[..., Staff]) -> None:
    clerk, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    uid = token_in(clerk.get(f"/customers/{ada}").text)
    for _time in range(2):
        assert clerk.post(f"/contact_tracking/customers/{ada}/interactions", {**CALL, **STEP, "uid": uid}).status_code == 302
    assert (len(chain.contacts()), len(chain.follow_ups())) == (1, 1)
    assert token_in(clerk.get(f"/customers/{ada}").text) != uid


def test_a_next_step_alone_is_a_follow_up_and_no_contact(chain: Any, staff: Callable[..., Staff]) -> None:
    clerk, ada = staff("Anna", "clerk", stores=["M1"]), chain.customer("Ada Öberg")
    uid = token_in(clerk.get(f"/customers/{ada}").text)
    for _time in range(2):
        reply = clerk.post(f"/contact_tracking/customers/{ada}/interactions", {"channel": "visit", **STEP, "uid": uid})
        assert reply.status_code == 302
    assert (chain.contacts(), chain.follow_ups()) == ([], [("Ada Öberg", "Ring about the fabric", "2026-11-23", "Anna", False, None)])


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"text": "", "outcome": "", "next_step": ""}, "text", "Write down what was said"),
        ({"text": "Paid with 4111 1111 1111 1111"}, "text", "payment card number"),
        ({"next_step": "Ring", "due_on": ""}, "due_on", "Say by which day"),
        ({"next_step": "Ring", "due_on": "31 February"}, "due_on", "is not a date"),
        ({"outcome": "x" * 201}, "outcome", "too long"),
    ],
)
@pytest.mark.parametrize("in_place", [True, False])
def test_what_cannot_be_taken_is_told_beside_the_field(
    chain: Any, staff: Callable[..., Staff], typed: dict[str, str], field: str, words: str, in_place: bool
) -> None:
    clerk, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    before = chain.crm.dump()
    headers = {"HX-Request": "true"} if in_place else {}
    reply = clerk.post(f"/contact_tracking/customers/{ada}/interactions", {**CALL, **STEP, **typed}, headers=headers)
    assert (reply.status_code, reply.text.startswith("<!doctype")) == (422, not in_place)
    assert f'aria-describedby="{field}-wrong"' in reply.text
    assert words in reply.text
    kept = {**CALL, **STEP, **typed}
    assert [name for name in ("text", "outcome", "next_step") if kept[name] not in reply.text] == []
    assert chain.crm.dump() == before


def test_all_that_is_wrong_with_the_whole_form_is_told_at_once(chain: Any, staff: Callable[..., Staff]) -> None:
    clerk, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    wrong = {
        "store": "424242",
        "people": "424242",
        "assignee": "424242",
        "at": "soon",
        "outcome": "x" * 201,
        "next_step": "Ring",
        "due_on": "",
    }
    reply = clerk.post(f"/contact_tracking/customers/{ada}/interactions", {**CALL, **wrong})
    named = ("store", "people", "assignee", "at", "outcome", "due_on")
    assert (reply.status_code, [name for name in named if f'id="{name}-wrong"' not in reply.text]) == (422, [])
    clerk.post(f"/contact_tracking/customers/{ada}/interactions", CALL)
    mended = clerk.post("/contact_tracking/interactions/1/edit", {**CALL, "store": "424242", "at": "soon", "version": "1"})
    assert (mended.status_code, [name for name in ("store", "at") if f'id="{name}-wrong"' not in mended.text]) == (422, [])


def test_in_place_the_composer_comes_back_empty_and_tells_the_rest_of_the_page(chain: Any, staff: Callable[..., Staff]) -> None:
    clerk, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    path = f"/contact_tracking/customers/{ada}/interactions"
    reply = clerk.post(path, {**CALL, "uid": token_in(clerk.get(f"/customers/{ada}").text)}, headers={"HX-Request": "true"})
    assert (reply.status_code, reply.headers["HX-Trigger"]) == (200, "timeline-changed, follow-ups-changed")
    assert "Written down" in reply.text
    assert "Wants the grey fabric." not in reply.text


def test_a_stranger_changes_nothing(chain: Any, staff: Callable[..., Staff]) -> None:
    clerk, ada, bo = staff("Anna", "clerk", stores=["M1"]), chain.customer("Ada Öberg"), chain.customer("Bo")
    clerk.post(f"/contact_tracking/customers/{ada}/interactions", {**CALL, **STEP})
    analyst = staff("Olle", "analyst")
    stranger = staff("Nils", may=["customers.view"])
    before = chain.crm.dump()
    for path in (
        *(f"customers/{ada}/interactions", "interactions/1/edit", "interactions/1/delete"),
        *(f"follow-ups/1/{what}" for what in ("close", "reopen", "move", "assign")),
    ):
        assert {one.post(f"/contact_tracking/{path}", CALL).status_code for one in (analyst, stranger)} == {403}
    for path in ("interactions/1", "interactions/1/edit", "follow-ups", "follow-ups/1", f"customers/{ada}/interactions/new"):
        assert stranger.get(f"/contact_tracking/{path}").status_code == 403
    assert "Wants the grey fabric." not in stranger.get(f"/customers/{ada}").text
    assert clerk.post(f"/contact_tracking/customers/{bo}/interactions", CALL).status_code == 404
    assert chain.crm.dump() == before
