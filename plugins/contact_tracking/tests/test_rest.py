"""``/api/v1/interactions``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regulars_testkit.staff import Staff

PATH = "/api/v1/interactions"


def send(somebody: Staff, method: str, path: str, body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return somebody.client.open(path, method=method, json=body, headers={"X-CSRFToken": somebody.token(), **named})


def test_a_contact_is_written_down_read_changed_and_removed(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk", stores=["M1"]), chain.customer("Ada Öberg")
    body = {"customer": ada, "channel": "phone", "direction": "in", "text": "Grey, please.", "at": "2026-11-21T23:30:00+01:00"}
    made = send(anna, "POST", PATH, {**body, "next_step": "Ring", "due_on": "2026-11-25"})
    assert (made.status_code, made.location) == (201, f"{PATH}/1")
    expected = {"customer_id": ada, "store": "M1", "business_date": "2026-11-21", "at": "2026-11-21T22:30:00+00:00", "version": 1}
    assert {name: made.json[name] for name in expected} == expected
    assert made.json["staff"] == [{"id": 1, "name": "Anna"}]
    assert chain.follow_ups() == [("Ada Öberg", "Ring", "2026-11-25", "Anna", False, None)]
    read = anna.get(f"{PATH}/1")
    assert (read.json, anna.get(f"{PATH}/1", headers={"If-None-Match": read.headers["ETag"]}).status_code) == (made.json, 304)
    changed = send(anna, "PATCH", f"{PATH}/1", {"outcome": "Ordered"}, If_Match=read.headers["ETag"])
    assert (changed.status_code, changed.json["outcome"], changed.json["text"]) == (200, "Ordered", "Grey, please.")
    stale = send(anna, "PATCH", f"{PATH}/1", {"outcome": "No"}, If_Match=read.headers["ETag"])
    assert (stale.status_code, stale.json["current"]["outcome"]) == (412, "Ordered")
    assert send(anna, "DELETE", f"{PATH}/1").status_code == 204
    assert (anna.get(f"{PATH}/1").status_code, chain.contacts(), len(chain.follow_ups())) == (404, [], 1)


def test_the_same_key_writes_it_down_once(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    body = {"customer": ada, "channel": "chat", "text": "Hello"}
    replies = [send(anna, "POST", PATH, body, Idempotency_Key="k1").json for _time in range(2)]
    assert (replies[0], len(chain.contacts())) == (replies[1], 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"text": "4111 1111 1111 1111"}, "text"),
        ({"text": None}, "text"),
        ({"store": "PARIS"}, "store"),
        ({"people": [424242]}, "people"),
        ({"at": "2026-11-22"}, "at"),
        ({"at": "2030-01-01T00:00:00Z"}, "at"),
        ({"next_step": "Ring"}, "due_on"),
        ({"due_on": "2026-11-25"}, "next_step"),
        ({"assignee": 1, "next_step": " "}, "next_step"),
        ({"customer": 424242}, "customer"),
        ({"version": 3}, "version"),
        ({"mood": "good"}, "mood"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_refused_by_field(chain: Any, staff: Callable[..., Staff], body: dict[str, Any], field: str) -> None:
    anna = staff("Anna", "clerk")
    before = chain.crm.dump()
    reply = send(anna, "POST", PATH, {"customer": chain.customer("Bo"), "channel": "phone", "text": "x", **body})
    assert (reply.status_code, [one["field"] for one in reply.json["errors"]]) == (422, [field])
    assert chain.crm.dump() == before


def test_nothing_is_written_down_about_a_customer_in_the_trash(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, bo = staff("Anna", "clerk"), chain.customer("Bo")
    with chain.crm.transaction() as session:
        chain.crm.customers.trash(session, bo)
    reply = send(anna, "POST", PATH, {"customer": bo, "channel": "phone", "text": "x"})
    assert (reply.status_code, "in the trash" in reply.json["detail"], chain.contacts()) == (409, True, [])


def test_lists_in_pages_within_scope(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, manager = staff("Anna", "clerk", stores=["M1"]), staff("Maja", "manager")
    for number, name in enumerate(("Ada Öberg", "Bo", "李秀英", "Ada Öberg", "Ada Öberg")):
        body = {"channel": ("phone", "visit")[number % 2], "text": f"{number}", "at": f"2026-11-1{number}T10:00:00Z"}
        assert send(manager, "POST", PATH, {"customer": chain.customer(name), **body}).status_code == 201

    def listed(somebody: Staff, query: str = "") -> list[str]:
        found, path = [], f"{PATH}?limit=2{query}"
        while path:
            reply: Any = somebody.get(path)
            assert reply.status_code == 200
            found += [one["text"] for one in reply.json["items"]]
            path = reply.headers["Link"].partition("<")[2].partition(">")[0].removeprefix("http://localhost") if reply.json["next"] else ""
        return found

    assert listed(manager) == ["4", "3", "2", "1", "0"]
    assert listed(anna) == ["4", "3", "2", "0"]
    assert listed(manager, f"&customer={chain.customer('Ada Öberg')}") == ["4", "3", "0"]
    assert listed(manager, "&channel=visit") == ["3", "1"]
    assert listed(manager, "&store=NY") == ["1"]
    assert listed(manager, "&since=2026-11-12&until=2026-11-13") == ["3", "2"]
    assert anna.get(f"{PATH}?customer={chain.customer('Bo')}").status_code == 404
    assert anna.get(f"{PATH}?mood=good").status_code == 422
    assert anna.get(f"{PATH}/2").status_code == 404


def test_a_history_of_who_took_part(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, maja, bo = staff("Anna", "manager"), staff("Maja", "manager"), chain.customer("Bo")
    ids = {}
    for somebody, text in ((anna, "Anna's"), (maja, "Maja's")):
        made = send(somebody, "POST", PATH, {"customer": bo, "channel": "phone", "text": text})
        ids[text] = made.json["staff"][0]["id"]

    def told(person: object) -> list[str]:
        reply: Any = anna.get(f"/api/v1/customers/{bo}/timeline?person={person}")
        return [one["quote"] or one["detail"] for one in reply.json["items"] if one["source"].startswith("contact_tracking")]

    assert {text: told(number) for text, number in ids.items()} == {text: [text] for text in ids}
    assert told(max(ids.values()) + 1) == []
    assert [anna.get(f"/api/v1/customers/{bo}/timeline?person={wrong}").status_code for wrong in ("0", "-1", "Anna", 2**63)] == [422] * 4


def test_strangers_and_others_change_nothing(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle, analyst = staff("Anna", "clerk"), staff("Olle", "clerk"), staff("Lo", "analyst")
    body = {"customer": chain.customer("Bo"), "channel": "phone", "text": "x"}
    send(anna, "POST", PATH, body)
    stranger = staff("Nils", may=["customers.view"])
    before = chain.crm.dump()
    for somebody in (olle, analyst, stranger):
        assert send(somebody, "PATCH", f"{PATH}/1", {"text": "y"}).status_code == 403
        assert send(somebody, "DELETE", f"{PATH}/1").status_code == 403
    assert [send(one, "POST", PATH, body).status_code for one in (analyst, stranger)] == [403, 403]
    assert [stranger.get(path).status_code for path in (PATH, f"{PATH}/1")] == [403, 403]
    assert chain.crm.dump() == before


def test_it_is_described(chain: Any, staff: Callable[..., Staff]) -> None:
    description: Any = staff("Anna", "clerk").get("/api/v1/openapi.json")
    paths = description.json["paths"]
    assert sorted(paths["/api/v1/interactions"]) == ["get", "post"]
    assert {"get", "patch", "delete"} <= set(paths["/api/v1/interactions/{interaction_id}"])
