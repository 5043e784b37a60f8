"""``/api/v1/webhooks``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PATH = "/api/v1/webhooks"
MAY = ["webhooks.view", "webhooks.manage"]


@pytest.fixture
def program(house: Any, rest_client: Callable[..., Any]) -> Any:
    """A program that may do everything with webhooks."""
    return rest_client(may=MAY)


def test_an_endpoint_from_beginning_to_end(house: Any, receiver: Any, program: Any) -> None:
    body = {"title": "Warehouse", "url": receiver.url("/in"), "types": ["store.updated"]}
    made = program.send("POST", PATH, body, Idempotency_Key="k1")
    assert (made.status_code, made.location, made.json["secret"][:6]) == (201, f"{PATH}/1", "whsec_")
    again = program.send("POST", PATH, body, Idempotency_Key="k1")
    assert (again.json, len(house.rows("SELECT id FROM webhooks_endpoint"))) == (made.json, 1)
    assert made.json["secret"] not in house.rows("SELECT body FROM idempotency_key")[0][0]
    read = program.get(f"{PATH}/1")
    expected = {
        **body,
        "active": True,
        "state": "ok",
        "failures": 0,
        "retry_at": None,
        "parked_at": None,
        "gone_at": None,
        "old_secret_until": None,
        "id": 1,
    }
    assert {name: value for name, value in read.json.items() if name not in ("uid", "created_at")} == {**expected, "version": 1}
    changed = program.send("PATCH", f"{PATH}/1", {"active": False}, If_Match=read.headers["ETag"])
    assert (changed.status_code, changed.json["state"], changed.json["title"]) == (200, "off", "Warehouse")
    stale = program.send("PATCH", f"{PATH}/1", {"active": True}, If_Match=read.headers["ETag"])
    assert (stale.status_code, stale.json["current"]["active"]) == (412, False)
    rotated = program.send("POST", f"{PATH}/1/secret")
    assert (rotated.status_code, rotated.json["secret"] != made.json["secret"], rotated.json["old_secret_until"] is not None) == (
        200,
        True,
        True,
    )
    tested = program.send("POST", f"{PATH}/1/test").json
    assert (tested["status"], tested["problem"], receiver.got[-1].json["type"]) == (204, None, "ping")
    assert program.send("DELETE", f"{PATH}/1").status_code == 204
    assert program.get(f"{PATH}/1").status_code == program.get(f"{PATH}/{10**20}").status_code == 404


def test_the_log_in_pages_and_what_is_sent_again(house: Any, receiver: Any, program: Any) -> None:
    house.set(tries=1)
    house.add("/in")
    receiver.answers["/in"] = lambda request, got: receiver.status(500 if b'"b"' in got.raw else 204)(request, got)
    for store, code in enumerate("abc", 1):
        house.tell(code, store=store)
    house.work_off(until=lambda: sorted(state for state, _tries in house.states()) == ["delivered", "delivered", "parked"])
    found, path = [], f"{PATH}/1/deliveries?limit=2"
    while path:
        page = program.get(path)
        found += [(one["subject"], one["state"], one["attempts"]) for one in page.json["items"]]
        path = page.headers["Link"].partition("<")[2].partition(">")[0].removeprefix("http://localhost") if page.json["next"] else ""
    assert found == [("store:3", "delivered", 1), ("store:2", "parked", 1), ("store:1", "delivered", 1)]
    parked = program.get(f"{PATH}/1/deliveries?state=parked").json["items"]
    one = program.get(f"{PATH}/1/deliveries/{parked[0]['id']}").json
    assert (one["event_id"], one["body"]["code"], [try_["status"] for try_ in one["tries"]]) == (parked[0]["event_id"], "b", [500])
    assert program.send("POST", f"{PATH}/1/replay", {}).status_code == 422
    assert program.send("POST", f"{PATH}/1/replay", {"state": "parked"}).json == {"replayed": 1}
    assert program.send("POST", f"{PATH}/1/replay", {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}).json == {
        "replayed": 0
    }
    house.work_off(until=lambda: [state for state, _tries in house.states()].count("parked") == 1)
    assert program.send("POST", f"{PATH}/1/deliveries/{one['id']}/skip").status_code == 204
    assert program.send("POST", f"{PATH}/1/deliveries/{one['id']}/skip").status_code == 409
    assert program.send("POST", f"{PATH}/1/deliveries/{one['id']}/replay").status_code == 204
    assert program.get(f"{PATH}/2/deliveries").status_code == program.get(f"{PATH}/1/deliveries/99").status_code == 404


def test_what_cannot_be_taken_is_refused_by_field(house: Any, program: Any) -> None:
    good = {"title": "Warehouse", "url": "https://example.com/"}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"title": ""}, "title"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"types": ["store.exploded"]}, "types"),
        ({"types": "store.updated"}, "types"),
        ({"active": "yes"}, "active"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"failures": 0}, "failures"),
    ]
    for bad, field in refused:
        reply = program.send("POST", PATH, {**good, **bad})
        assert (reply.status_code, [one["field"] for one in reply.json["errors"]]) == (422, [field])
    assert house.rows("SELECT id FROM webhooks_endpoint") == []


def test_who_may_only_look_changes_nothing(house: Any, receiver: Any, rest_client: Callable[..., Any]) -> None:
    house.add("/in")
    reader, stranger = rest_client(may=["webhooks.view"]), rest_client(may=["jobs.manage"])
    before = house.crm.dump()
    assert [reader.get(f"{PATH}{path}").status_code for path in ("", "/types", "/1", "/1/deliveries")] == [200] * 4
    assert [stranger.get(f"{PATH}{path}").status_code for path in ("", "/types", "/1", "/1/deliveries")] == [403] * 4
    for somebody in (reader, stranger):
        calls = [("POST", ""), ("PATCH", "/1"), ("DELETE", "/1"), ("POST", "/1/secret"), ("POST", "/1/test"), ("POST", "/1/replay")]
        assert [somebody.send(method, f"{PATH}{path}", {}).status_code for method, path in calls] == [403] * 6
    assert (house.crm.dump(), receiver.got) == (before, [])
    kinds = {one["type"]: one["meaning"] for one in reader.get(f"{PATH}/types").json}
    assert kinds["customer.deleted"] == "A customer was moved to the trash."
