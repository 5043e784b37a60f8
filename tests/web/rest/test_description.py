"""The OpenAPI document, and schemathesis against every operation in it: all checks, both ways to sign in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case
from schemathesis.checks import CHECKS

from regulars_core.config import Config, create_home
from regulars_core.crm import open_crm
from regulars_core.plugins.switching import enable
from regulars_core.users import service, sessions, tokens
from regulars_testkit.staff import PASSWORD, csrf_token
from regulars_web import demo
from regulars_web.app import create_app
from regulars_web.security import SIGN_IN

EMAIL = "anna@example.com"
NUMBERED = ("customer", "run_id", "product_id", "receipt_id")
THERE = {"store": "WEB", "currency": "SEK"}
REFUSED_BEYOND_THE_SCHEMA = ["2xx", "401", "403", "404", "406", "409", "412", "415", "422", "428"]
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": REFUSED_BEYOND_THE_SCHEMA}}}


@dataclass(frozen=True)
class Caller:
    """The sample chain behind the API, and what a request of somebody who is signed in to it carries."""

    app: Flask
    headers: dict[str, str]
    cookies: dict[str, str]


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[dict[str, Caller]]:
    create_home(tmp_path / "home")
    crm = open_crm(Config(home=tmp_path / "home", database_url=database_url, secret_key="k" * 40))
    for name in crm.plugins.loaded:
        enable(crm, name)
    with crm.transaction() as session:
        user = service.create(session, email=EMAIL, name="Anna", password=PASSWORD, roles=["administrator"], at=crm.clock.now())
        _token, secret = tokens.create(session, EMAIL, name="tests", known=(), at=crm.clock.now())
        in_cookie = sessions.start(session, user.id, crm.clock.now())
    demo.fill(crm, "small")
    app = create_app(crm)
    app.extensions["regulars_limiter"].enabled = False
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie.update({"_user_id": user.fs_uniquifier, "_fresh": True, SIGN_IN: in_cookie})
    form_token = csrf_token(client.get("/profile").text)
    kept = client.get_cookie("regulars")
    assert kept is not None
    bearer = Caller(app, {"Authorization": f"Bearer {secret}"}, {})
    browser = Caller(app, {"X-CSRFToken": form_token}, {"regulars": kept.value})
    yield {"token": bearer, "cookie": browser}
    crm.close()


def described(caller: Caller) -> Any:
    cookie = "; ".join(f"{name}={value}" for name, value in caller.cookies.items())
    document = caller.app.test_client(use_cookies=False).get("/api/v1/openapi.json", headers={**caller.headers, "Cookie": cookie})
    assert document.json is not None
    schema = schemathesis.openapi.from_dict(document.json, config=schemathesis.Config.from_dict(CONFIG))
    schema.app = caller.app
    chance = random.Random(7)

    @schema.auth()
    class SignedIn:
        def get(self, _case: Case[Any], _context: Any) -> Caller:
            return caller

        def set(self, case: Case[Any], data: Caller, _context: Any) -> None:
            case.headers.update(data.headers)
            case.cookies.update(data.cookies)

    @schema.hook
    def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        # Half of the time something that is there.
        if path_parameters and chance.random() < 0.5:
            return {name: str(chance.randint(1, 400)) if name in NUMBERED else value for name, value in path_parameters.items()}
        return path_parameters

    @schema.hook
    def map_body(_context: Any, body: Any) -> Any:
        return naming_what_is_there(body) if chance.random() < 0.5 else body

    return schema


def naming_what_is_there(body: Any) -> Any:
    """The body with a store and a currency that are there in the place of made-up ones; it is as right or as wrong as before."""
    if isinstance(body, list):
        return [naming_what_is_there(one) for one in body]
    if not isinstance(body, dict):
        return body
    return {
        name: THERE[name] if name in THERE and isinstance(value, str) and 0 < len(value) <= 200 else naming_what_is_there(value)
        for name, value in body.items()
    }


def run(caller: Caller, examples: int) -> None:
    checks: Any = [CHECKS.get_one(name) for name in CHECKS.get_all_names()]
    for found in described(caller).get_all_operations():
        operation = found.ok()

        @seed(1)
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def call(case: Case[Any]) -> None:
            case.call_and_validate(checks=checks)

        call()
        print(f"{operation.label}: {examples} cases")  # noqa: T201


@pytest.mark.parametrize(("database_url", "kind"), [("sqlite", "token"), ("postgres", "cookie")], indirect=["database_url"])
def test_every_operation_keeps_its_word(served: dict[str, Caller], kind: str) -> None:
    run(served[kind], 25)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["token", "cookie"])
def test_every_operation_keeps_its_word_for_long(served: dict[str, Caller], kind: str) -> None:
    run(served[kind], 1000)
