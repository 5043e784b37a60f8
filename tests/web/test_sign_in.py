"""Signing in and out (K06, V3.7.2, V6.2.4, V6.3.1, V6.3.8, V7.2.4, V7.4.1, V7.4.2, V7.4.3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from regulars_core.crm import Crm
from regulars_core.users import service
from regulars_testkit.staff import PASSWORD, Staff, csrf_token

EMAIL = "clerk@example.com"


@pytest.fixture(autouse=True)
def clerk(crm: Crm) -> None:
    """Somebody who may sign in."""
    with crm.transaction() as session:
        service.create(session, email=EMAIL, name="Cleo Clerk", password=PASSWORD, roles=["clerk"], at=crm.clock.now())


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """A visitor that is not signed in."""
    return app.test_client()


def sign_in(visitor: FlaskClient, email: str = EMAIL, password: str = PASSWORD, **more: str) -> TestResponse:
    token = csrf_token(visitor.get("/sign-in").text)
    return visitor.post("/sign-in", data={"email": email, "password": password, "csrf_token": token, **more})


def test_the_right_password_opens_the_door(visitor: FlaskClient, crm: Crm) -> None:
    reply = sign_in(visitor, email="Clerk@Example.com", next="/customers")
    assert (reply.status_code, reply.location) == (302, "/customers")
    assert "Cleo Clerk" in visitor.get("/").text
    with crm.read() as session:
        assert service.find(session, EMAIL).last_sign_in_at is not None


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(visitor: FlaskClient) -> None:
    answers = []
    for email in (EMAIL, "nobody@example.com"):
        page = sign_in(visitor, email, "wrong password").text.replace(email, "…")
        answers.append(re.sub(r'(csrf_token" value=|X-CSRFToken": )"[^"]*"', "", page))
    assert answers[0] == answers[1]
    assert "do not belong together" in answers[0]
    assert visitor.get("/").status_code == 302


def test_a_disabled_user_stays_outside(visitor: FlaskClient, crm: Crm) -> None:
    with crm.transaction() as session:
        service.disable(session, EMAIL)
    assert "do not belong together" in sign_in(visitor).text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nSet-Cookie: a=b"]
)
def test_nobody_is_led_elsewhere_after_signing_in(visitor: FlaskClient, target: str) -> None:
    page = visitor.get("/sign-in", query_string={"next": target}).text
    offered = re.search(r'name="next" value="([^"]*)"', page)
    assert offered is not None
    assert offered[1] == "/"
    reply = sign_in(visitor, next=target)
    assert reply.status_code == 200 or re.fullmatch(r"/(?![/\\])[^\r\n\\]*", reply.location or "")


@pytest.mark.parametrize("change", ["disable", "set_password", "grant"])
def test_a_session_ends_at_once_with_what_its_user_may_do(visitor: FlaskClient, crm: Crm, change: str) -> None:
    sign_in(visitor)
    assert visitor.get("/customers").status_code == 200
    with crm.transaction() as session:
        if change == "disable":
            service.disable(session, EMAIL)
        elif change == "set_password":
            service.set_password(session, service.find(session, EMAIL), "en helt annan mening")
        else:
            service.grant(session, EMAIL, roles=["analyst"])
    assert visitor.get("/customers").location == "/sign-in?next=%2Fcustomers"


def test_a_copied_cookie_is_worthless_after_signing_out(app: Flask, visitor: FlaskClient) -> None:
    sign_in(visitor)
    cookie = visitor.get_cookie("regulars")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("regulars", cookie.value)
    assert thief.get("/customers").status_code == 200
    reply = visitor.post("/sign-out", data={"csrf_token": csrf_token(visitor.get("/").text)})
    assert (reply.status_code, reply.location) == (302, "/sign-in")
    assert [one.get("/customers").status_code for one in (visitor, thief)] == [302, 302]


def test_signing_out_takes_a_post(visitor: FlaskClient) -> None:
    sign_in(visitor)
    assert visitor.get("/sign-out").status_code == 405
    assert visitor.get("/").status_code == 200


def test_the_token_of_forms_changes_with_signing_in(visitor: FlaskClient) -> None:
    visitor.get("/sign-in")
    with visitor.session_transaction() as cookie:
        before = cookie["csrf_token"]
    sign_in(visitor)
    visitor.get("/")
    with visitor.session_transaction() as cookie:
        assert cookie["csrf_token"] != before


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: FlaskClient) -> None:
    cookie = sign_in(visitor).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_whoever_is_idle_for_eight_hours_is_signed_out_and_whoever_works_is_not(visitor: FlaskClient) -> None:
    with time_machine.travel("2026-03-02T08:00:00+00:00", tick=False) as clock:
        sign_in(visitor)
        for hours in (4, 7, 7.9):
            clock.shift(dt.timedelta(hours=hours))
            assert "Set-Cookie" in visitor.get("/").headers
            assert "Set-Cookie" not in visitor.get("/").headers, "signed anew now and then is enough"
        clock.shift(dt.timedelta(hours=8.1))
        assert visitor.get("/").location == "/sign-in?next=%2F"


def test_guessing_is_slowed_down_by_account(visitor: FlaskClient) -> None:
    codes = [sign_in(visitor, password=f"guess number {number}").status_code for number in range(12)]
    assert codes == [200] * 10 + [429] * 2
    assert sign_in(visitor).status_code == 429
    assert sign_in(visitor, email="other@example.com", password="another guess").status_code == 200


def test_a_new_password_signs_other_browsers_out_and_not_this_one(app: Flask, visitor: FlaskClient) -> None:
    other = app.test_client()
    sign_in(visitor)
    sign_in(other)
    data = {"current": PASSWORD, "password": "en helt annan mening", "csrf_token": csrf_token(visitor.get("/profile").text)}
    assert visitor.post("/profile/password", data=data).location == "/profile"
    assert "Your password is changed" in visitor.get("/profile").text
    assert other.get("/").status_code == 302
    assert sign_in(app.test_client(), password="en helt annan mening").status_code == 302


@pytest.mark.parametrize(
    ("current", "new", "told"),
    [
        ("not the present one", "en helt annan mening", "This is not your present password."),
        (PASSWORD, "kort", "Use at least 10 characters."),
        (PASSWORD, "password123", "easy to guess"),
    ],
)
def test_a_password_that_will_not_do_is_refused_beside_its_field(visitor: FlaskClient, current: str, new: str, told: str) -> None:
    sign_in(visitor)
    data = {"current": current, "password": new, "csrf_token": csrf_token(visitor.get("/profile").text)}
    reply = visitor.post("/profile/password", data=data)
    assert reply.status_code == 422
    assert told in reply.text
    assert new not in reply.text


def test_language_and_theme_are_kept(staff: Callable[..., Staff]) -> None:
    anna = staff(may=[])
    assert anna.post("/profile", {"locale": "sv", "theme": "dark"}).location == "/profile"
    page = anna.get("/profile").text
    assert '<html lang="sv" dir="ltr" data-bs-theme="dark">' in page
    assert anna.post("/profile/theme", {"theme": "light", "next": "/stores?after=x"}).location == "/stores?after=x"
    assert anna.post("/profile/theme", {"theme": "light", "next": "//evil.example"}).location == "/"
    assert anna.post("/profile", {"locale": "tlh", "theme": "dark"}).status_code == 422
