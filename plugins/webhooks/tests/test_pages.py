"""Pages: who is told of what, what was sent, and sending again."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

MAY = ["webhooks.view", "webhooks.manage"]


@pytest.fixture
def olga(house: Any, staff_client: Callable[..., Any]) -> Any:
    """Somebody who may do everything with webhooks."""
    return staff_client(may=MAY)


def secret_on(page: str) -> str:
    return html.unescape(re.findall(r'readonly value="(whsec_[^"]+)"', page)[0])


def fill(receiver: Any, **other: Any) -> dict[str, Any]:
    return {"title": "Warehouse", "url": receiver.url("/in"), "which": "some", "types": ["store.updated"], "active": "true", **other}


def test_an_endpoint_is_added_changed_and_removed(house: Any, receiver: Any, olga: Any) -> None:
    assert "Nobody is told yet" in olga.get("/webhooks").text
    form = olga.get("/webhooks/new").text
    assert "A store&#39;s data changed; changed names the fields, sorted." in form
    made = olga.post("/webhooks/new", fill(receiver))
    assert made.status_code == 201
    secret = secret_on(made.text)
    stored = house.rows("SELECT secret FROM webhooks_endpoint")[0][0]
    assert secret not in stored
    for path in ("/webhooks", "/webhooks/1", "/webhooks/1/edit"):
        page = olga.get(path)
        assert (page.status_code, "Warehouse" in page.text, "whsec_" in page.text) == (200, True, False)
    changed = olga.post("/webhooks/1/edit", fill(receiver, title="Depot", which="all", active="", version="1"))
    assert (changed.status_code, changed.location) == (302, "/webhooks/1")
    assert house.rows("SELECT title, active, version FROM webhooks_endpoint") == [("Depot", 0, 2)]
    stale = olga.post("/webhooks/1/edit", fill(receiver, title="Shed", version="1"))
    assert (stale.status_code, 'value="Shed"' in stale.text, "Load it anew" in stale.text) == (409, True, True)
    assert olga.post("/webhooks/1/delete").location == "/webhooks"
    assert olga.get(f"/webhooks/{10**20}").status_code == 404
    assert (olga.get("/webhooks/1").status_code, house.rows("SELECT id FROM webhooks_endpoint")) == (404, [])


def test_what_cannot_be_taken_is_refused_beside_the_field(house: Any, receiver: Any, olga: Any) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"title": " "}, "Say what it is"),
        ({"url": "warehouse"}, "begins with https://"),
        ({"url": "ftp://example.com/"}, "begins with https://"),
        ({"url": "https://user:password@example.com/"}, "without a password"),
        ({"url": "https://example.com:99999/"}, "begins with https://"),
        ({"url": "https://[::1/"}, "begins with https://"),
        ({"types": ["store.exploded"]}, "There is no event store.exploded."),
    ]
    for given, words in refused:
        reply = olga.post("/webhooks/new", fill(receiver, **given))
        page = html.unescape(reply.text)
        assert (reply.status_code, words in page, 'aria-invalid="true"' in page or "types" in given) == (422, True, True)
        assert all(str(value) in page for name, value in given.items() if name != "types")
    assert house.rows("SELECT id FROM webhooks_endpoint") == []


def test_a_ping_shows_the_answer(house: Any, receiver: Any, olga: Any) -> None:
    _id, secret = house.add("/in")
    receiver.answer("/in", 200, b"Welcome, <b>" + secret.encode() + b"</b>")
    page = olga.post("/webhooks/1/test").text
    assert ("Answered 200" in page, "Welcome, &lt;b&gt;…&lt;/b&gt;" in page, secret in page) == (True, True, False)
    assert [(got.json["type"], got.headers["webhook-type"]) for got in receiver.got] == [("ping", "ping")]
    receiver.answer("/in", 302, Location="http://127.0.0.1/")
    assert "Redirects are not followed" in olga.post("/webhooks/1/test").text
    receiver.close()
    assert "No answer" in olga.post("/webhooks/1/test").text
    assert house.rows("SELECT id FROM webhooks_delivery") == []


def test_a_new_secret_signs_beside_the_old_one(house: Any, receiver: Any, olga: Any) -> None:
    _id, old = house.add("/in")
    new = secret_on(olga.post("/webhooks/1/secret").text)
    olga.post("/webhooks/1/test")
    assert new != old
    assert receiver.got[-1].headers["webhook-signature"] == house.signature(receiver.got[-1], new, old)
    house.crm.clock = house.later(hours=25)
    olga.post("/webhooks/1/test")
    assert receiver.got[-1].headers["webhook-signature"] == house.signature(receiver.got[-1], new)


def test_the_log_shows_tries_and_sends_again(house: Any, receiver: Any, olga: Any) -> None:
    house.set(tries=2)
    house.add("/in")
    receiver.answer("/in", 503, b"closed <for> lunch")
    house.tell("a", "b")
    house.work_off(until=lambda: house.states()[:1] == [("parked", 2)])
    page = olga.get("/webhooks/1").text
    assert ("1 delivery is parked." in page, page.count("store.updated") >= 2) == (True, True)
    one = olga.get("/webhooks/1/deliveries/1").text
    assert (one.count("Answered 503"), "closed &lt;for&gt; lunch" in one, "It was tried 2 times" in one) == (2, True, True)
    assert "&#34;code&#34;: &#34;a&#34;" in one
    notices = olga.get("/notices").text
    assert "does not take in what it is sent" in notices
    receiver.answer("/in", 204)
    again = olga.post("/webhooks/1/replay")
    assert again.location == "/webhooks/1"
    house.work_off(until=lambda: house.states() == [("delivered", 1), ("delivered", 1)])
    assert [code for _store, code in receiver.told("/in")] == ["a", "a", "a", "b"]
    assert len(set(receiver.ids("/in"))) == 2


def test_a_parked_delivery_is_left_out(house: Any, receiver: Any, olga: Any) -> None:
    house.set(tries=1)
    house.add("/in")
    receiver.answers["/in"] = lambda request, got: receiver.status(400 if b'"a"' in got.raw else 204)(request, got)
    house.tell("a", "b")
    house.work_off(until=lambda: house.states()[:1] == [("parked", 1)])
    assert house.states() == [("parked", 1), ("waiting", 0)]
    assert olga.post("/webhooks/1/deliveries/2/skip").status_code == 409
    assert olga.post("/webhooks/1/deliveries/1/skip").status_code == 302
    house.work_off(until=lambda: house.states() == [("skipped", 1), ("delivered", 1)])
    assert "Left out" in olga.get("/webhooks/1/deliveries/1").text


def test_a_span_of_time_is_sent_again(house: Any, receiver: Any, olga: Any) -> None:
    house.add("/in")
    house.tell("a", "b", "c")
    house.work_off(until=lambda: [state for state, _tries in house.states()] == ["delivered"] * 3)
    for bad in ({"since": ""}, {"since": "yesterday"}):
        reply = olga.post("/webhooks/1/replay", bad)
        assert (reply.status_code, 'id="since-wrong"' in reply.text) == (422, True)
    olga.post("/webhooks/1/replay", {"since": "2026-01-01T00:00", "until": "2026-01-02T00:00"})
    assert [state for state, _tries in house.states()] == ["delivered"] * 3
    olga.post("/webhooks/1/replay", {"since": "2026-01-01T00:00", "until": ""})
    house.work_off(until=lambda: len(receiver.got) == 6)
    assert [code for _store, code in receiver.told("/in")] == ["a", "b", "c", "a", "b", "c"]


def test_strangers_and_those_who_see_a_part_of_the_chain_change_nothing(
    house: Any, receiver: Any, staff_client: Callable[..., Any]
) -> None:
    house.add("/in")
    house.tell("a")
    house.crm.import_text("store", "code,name,timezone,currency,country\nM1,Malmö,Europe/Stockholm,SEK,SE\n")
    reading, posting = ["", "/1", "/1/edit", "/new"], ["/new", "/1/edit", "/1/delete", "/1/secret", "/1/test", "/1/replay"]
    stranger, reader, local = staff_client(may=["stores.view"]), staff_client(may=["webhooks.view"]), staff_client(may=MAY, stores=["M1"])
    before = house.crm.dump()
    for somebody in (stranger, local):
        assert [somebody.get(f"/webhooks{path}").status_code for path in reading] == [403] * 4
    assert [reader.get(f"/webhooks{path}").status_code for path in reading] == [200, 200, 403, 403]
    for somebody in (stranger, reader, local):
        assert [somebody.post(f"/webhooks{path}", fill(receiver)).status_code for path in posting] == [403] * 6
    assert (house.crm.dump(), receiver.got) == (before, [])


def test_lists_ask_the_same_for_one_and_three(house: Any, olga: Any, query_count: Callable[[], AbstractContextManager[list[str]]]) -> None:
    house.add("/in")
    house.tell("a")
    house.work_off(until=lambda: house.states() == [("delivered", 1)])
    counts = []
    for _round in range(2):
        for path in ("/webhooks", "/webhooks/1"):
            olga.get(path)
            with query_count() as statements:
                olga.get(path)
            counts.append(len(statements))
        house.add("/b")
        house.add("/c")
        house.tell("b", "c")
        house.work_off(until=lambda: set(house.states()) == {("delivered", 1)})
    assert counts[:2] == counts[2:]
