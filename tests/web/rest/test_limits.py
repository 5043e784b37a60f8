"""How often programs may ask, and that pages are not counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from limits.errors import StorageError
from limits.storage import MemoryStorage
from werkzeug.test import TestResponse

from regulars_core.config import WrongSetting
from regulars_core.crm import Crm
from regulars_core.users import tokens
from regulars_testkit.staff import sign_in
from regulars_web.app import create_app

STORES = "/api/v1/stores"


@pytest.fixture
def few(crm: Crm) -> Flask:
    """An application whose users may ask three times a minute."""
    crm.config = replace(crm.config, api_limit=3)
    return create_app(crm)


def token_of(crm: Crm, email: str) -> dict[str, str]:
    with crm.transaction() as session:
        _made, secret = tokens.create(session, email, name="till", known=(), at=crm.clock.now())
    return {"Authorization": f"Bearer {secret}"}


def told(reply: TestResponse) -> tuple[int, str | None, str | None]:
    return reply.status_code, reply.headers.get("RateLimit-Limit"), reply.headers.get("RateLimit-Remaining")


def test_each_token_and_each_user_asks_so_often_a_minute_and_pages_are_free(crm: Crm, few: Flask) -> None:
    somebody = sign_in(few, role="administrator")
    till, shop = (token_of(crm, somebody.email) for _program in range(2))
    ask: Callable[..., TestResponse] = few.test_client().get
    answers = [ask(STORES, headers=till) for _time in range(5)]
    assert [told(one) for one in answers] == [(200, "3", "2"), (200, "3", "1"), (200, "3", "0"), (429, "3", "0"), (429, "3", "0")]
    refused = answers[-1]
    assert refused.content_type == "application/problem+json"
    assert "3 a minute" in refused.get_json()["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
    assert told(ask(STORES, headers=shop)) == (200, "3", "2")
    assert [somebody.get(STORES).status_code for _time in range(4)] == [200, 200, 200, 429]
    pages = [somebody.get("/stores") for _time in range(5)]
    assert [told(one) for one in pages] == [(200, None, None)] * 5


def test_refusals_count_too(crm: Crm, few: Flask) -> None:
    headers = token_of(crm, sign_in(few, may=()).email)
    ask: Callable[..., TestResponse] = few.test_client().get
    paths = (STORES, "/api/v1/nothing", STORES, STORES)
    assert [ask(path, headers=headers).status_code for path in paths] == [403, 404, 403, 429]


def test_nought_is_no_limit(crm: Crm) -> None:
    crm.config = replace(crm.config, api_limit=0)
    app = create_app(crm)
    somebody = sign_in(app, role="administrator")
    assert told(somebody.get(STORES)) == (200, None, None)


def test_a_store_of_counts_that_fails_lets_each_process_count_alone(crm: Crm, few: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = token_of(crm, sign_in(few, role="administrator").email)
    ask: Callable[..., TestResponse] = few.test_client().get
    counter = few.extensions["regulars_counter"]

    def gone(*_about: object) -> None:
        raise StorageError(OSError("connection refused"))

    monkeypatch.setattr(counter._shared, "hit", gone)
    assert [ask(STORES, headers=headers).status_code for _time in range(4)] == [200, 200, 200, 429]


def test_processes_with_one_place_to_count_count_together(crm: Crm, few: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    other = create_app(crm)
    shared = MemoryStorage()
    for app in (few, other):
        monkeypatch.setattr(app.extensions["regulars_counter"]._shared, "storage", shared)
    headers = token_of(crm, sign_in(few, role="administrator").email)
    answers = [app.test_client().get(STORES, headers=headers).status_code for app in (few, other, few, other)]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize("url", ["nowhere", "abacus://host"])
def test_a_place_that_cannot_count_stops_the_start(crm: Crm, url: str) -> None:
    crm.config = replace(crm.config, limits_url=url)
    with pytest.raises(WrongSetting, match="REGULARS_LIMITS_URL"):
        create_app(crm)
