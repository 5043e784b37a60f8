"""What a receiver asks for is done: to be left in peace for a while, or for good."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_plugin_api.services import HttpReply
from regulars_testkit.staff import sign_in
from regulars_web.app import create_app
from regulars_webhooks import endpoints
from regulars_webhooks.endpoints import Draft
from regulars_webhooks.models import Endpoint
from regulars_webhooks.sending.resting import asked_rest

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (429, "120", 120),
        (503, " 7 ", 7),
        (429, "0", 0),
        (429, "Sun, 22 Nov 2026 12:30:00 GMT", 1800),
        (503, "Sun, 22 Nov 2026 11:00:00 GMT", 0),
        (503, "Sun, 22 Nov 2026 13:30:00 +0100", 1800),
        (429, "86400", 6 * 3600),
        (429, "9" * 5000, 6 * 3600),
        (503, "Mon, 22 Nov 2027 12:00:00 GMT", 6 * 3600),
        (429, "soon", None),
        (429, "-5", None),
        (429, "1.5", None),
        (429, "٣", None),
        (429, "", None),
        (500, "120", None),
        (200, "120", None),
    ],
)
def test_how_long_a_receiver_asks_to_be_left_in_peace(status: int, said: str, seconds: int | None) -> None:
    reply = HttpReply(status, {"rEtRy-AfTeR": said})
    assert asked_rest(reply, NOW) == (None if seconds is None else dt.timedelta(seconds=seconds))
    assert asked_rest(HttpReply(status), NOW) is None


@pytest.mark.parametrize("code", [429, 503])
def test_who_asks_for_a_rest_gets_it(house: Any, receiver: Any, code: int) -> None:
    endpoint_id, _secret = house.add("/in")
    receiver.answers["/in"] = receiver.status(code, **{"Retry-After": "3600"})
    with house.worker():
        house.tell("a1", store=1)
        assert house.soon(lambda: house.states() == [("waiting", 1)])
        house.tell("b1", store=2)
        house.add("/other")
        house.tell("c1", store=3)
        assert house.soon(lambda: receiver.told("/other") == [("store:3", "c1")])
    assert receiver.told("/in") == [("store:1", "a1")], "nothing else is sent to it meanwhile"
    with house.crm.read() as session:
        endpoint = session.get_one(Endpoint, endpoint_id)
    assert endpoint.retry_at is not None
    assert 3000 < (endpoint.retry_at - dt.datetime.now(dt.UTC)).total_seconds() <= 3600
    receiver.answer("/in", 204)
    house.wake(endpoint_id)
    house.execute("UPDATE webhooks_delivery SET due_at = at")
    with house.worker():
        assert house.soon(lambda: len(house.taken("/in")) == 3)


def test_who_is_gone_is_switched_off_with_the_reason(house: Any, receiver: Any) -> None:
    admin = sign_in(create_app(house.crm), role="administrator")
    endpoint_id, _secret = house.add("/in")
    receiver.answer("/in", 410)
    with house.worker():
        house.tell("a1", "a2", store=1)
        assert house.soon(lambda: house.rows("SELECT count(*) FROM webhooks_attempt") == [(1,)])
        house.tell("b1", store=2)
        house.add("/other")
        house.tell("c1", store=3)
        assert house.soon(lambda: receiver.told("/other") == [("store:3", "c1")])
    assert receiver.told("/in") == [("store:1", "a1")], "it is not called again"
    with house.crm.read() as session:
        gone = session.get_one(Endpoint, endpoint_id)
        assert (gone.active, gone.gone_at is not None, gone.version) == (False, True, 2)
    assert "the receiver answered 410, which means that it is gone for good" in admin.get(f"/webhooks/{endpoint_id}").text
    shown = admin.get(f"/api/v1/webhooks/{endpoint_id}").get_json()
    assert (shown["state"], shown["gone_at"] is not None) == ("off", True)
    assert "/in was switched off, for it says it is gone" in admin.get("/notices").text
    with house.crm.transaction() as session:
        endpoints.change(session, endpoint_id, Draft("/in", receiver.url("/in")))
    receiver.answer("/in", 204)
    house.execute("UPDATE webhooks_delivery SET due_at = at")
    with house.worker():
        assert house.soon(lambda: len(house.taken("/in")) == 2), "what it had not taken in comes when it is switched on again"
    with house.crm.read() as session:
        assert session.scalar(sa.select(Endpoint.gone_at).where(Endpoint.id == endpoint_id)) is None
