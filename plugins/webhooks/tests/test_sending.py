"""Events reach endpoints: signed, in order, and again until they are taken in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from regulars_webhooks.sending import result


def test_an_event_reaches_the_endpoints_that_want_it_signed(house: Any, receiver: Any) -> None:
    _id, secret = house.add("/all")
    house.add("/stores", "store.updated", "store.created")
    house.add("/customers", "customer.updated")
    house.add("/off", active=False)
    with house.worker():
        house.tell("N")
        assert house.soon(lambda: len(receiver.got) == 2)
    assert sorted(got.path for got in receiver.got) == ["/all", "/stores"]
    got = next(got for got in receiver.got if got.path == "/all")
    ((uid,),) = house.rows("SELECT uid FROM event WHERE type = 'store.updated'")
    body = {"store_id": 1, "code": "N", "changed": ["name"]}
    told = {"id": uid, "type": "store.updated", "version": 1, "subject": "store:1", "actor": "system", "body": body}
    assert {name: value for name, value in got.json.items() if name != "at"} == told
    assert got.json["at"].endswith("+00:00")
    assert [got.headers[name] for name in ("content-type", "webhook-id", "webhook-type")] == ["application/json", uid, "store.updated"]
    assert got.headers["webhook-signature"] == house.signature(got, secret)
    assert house.states() == [("delivered", 1), ("delivered", 1)]


def test_what_fails_is_tried_again_and_holds_back_its_object_only(house: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result, "LONGEST_WAIT", dt.timedelta(seconds=2))
    house.add("/in")
    house.add("/other")
    receiver.answer("/in", 500)
    with house.worker():
        house.tell("a1", "a2", store=1)
        assert house.soon(lambda: len(receiver.told("/in")) >= 2 and len(receiver.told("/other")) == 2)
        assert set(receiver.told("/in")) == {("store:1", "a1")}
        receiver.answers["/in"] = lambda request, got: receiver.status(500 if got.json["body"]["code"] == "a1" else 204)(request, got)
        house.tell("b1", "b2", store=2)
        assert house.soon(lambda: ("store:2", "b2") in receiver.told("/in"))
        assert ("store:1", "a2") not in receiver.told("/in")
        receiver.answer("/in", 204)
        assert house.soon(lambda: ("store:1", "a2") in receiver.told("/in"))
    assert len(set(receiver.ids("/in"))) == 4
    assert [one for one in receiver.told("/other") if one[0] == "store:1"] == [("store:1", "a1"), ("store:1", "a2")]
    taken = [code for _store, code in receiver.told("/in")]
    assert (taken.index("b1") < taken.index("b2"), taken[-1], taken.count("a2")) == (True, "a2", 1)
