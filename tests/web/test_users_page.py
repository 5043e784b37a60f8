"""Users and roles: added with a link, granted, closed at once, never by somebody who has less."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from regulars_core.crm import Crm
from regulars_core.users import roles, service
from regulars_testkit.staff import PASSWORD, Staff, add_store, csrf_token
from regulars_web import invitations

MANAGE = ["users.manage"]


@pytest.fixture
def admin(staff: Callable[..., Staff]) -> Staff:
    """An administrator."""
    return staff(role="administrator")


def uid_of(crm: Crm, email: str) -> str:
    with crm.read() as session:
        return service.find(session, email).uid


def link_in(page: str) -> str:
    found = re.search(r'value="http://localhost(/account/welcome/[^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_new_user_chooses_a_password_by_the_link_and_signs_in(crm: Crm, app: Flask, admin: Staff, malmo: int) -> None:
    page = admin.post("/users/new", {"name": "Nils Ek", "email": "Nils@example.com", "roles": ["clerk"], "stores": ["MALMO"]}).text
    link, somebody = link_in(page), app.test_client()
    assert "Welcome, Nils Ek" in somebody.get(link).text
    short = somebody.post(link, data={"password": "short", "csrf_token": csrf_token(somebody.get(link).text)})
    assert (short.status_code, "Use at least 10 characters." in short.text) == (422, True)
    chosen = somebody.post(link, data={"password": PASSWORD, "csrf_token": csrf_token(somebody.get(link).text)})
    assert chosen.location == "/sign-in"
    with crm.read() as session:
        user = service.get(session, uid_of(crm, "nils@example.com"))
    assert (user.roles, user.stores, user.active) == (("clerk",), ("MALMO",), True)
    assert somebody.get(link).status_code == 410


@pytest.mark.parametrize("token", ["x", "é", "WyJhIl0.x.y", "a" * 3000])
def test_a_link_somebody_made_up_says_so(app: Flask, token: str) -> None:
    reply = app.test_client().get(f"/account/welcome/{token}")
    assert (reply.status_code, "This link no longer works" in reply.text) == (410, True)


def test_a_link_is_void_once_the_account_is_closed(crm: Crm, app: Flask, admin: Staff, staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk")
    with app.test_request_context(), crm.transaction() as session:
        link = invitations.link(session, clerk.email).removeprefix("http://localhost")
        service.disable(session, clerk.email)
    assert app.test_client().get(link).status_code == 410


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nobody", "name": "N", "roles": ["clerk"]}, "email"),
        ({"email": "n@example.com", "name": " ", "roles": ["clerk"]}, "name"),
        ({"email": "n@example.com", "name": "N"}, "roles"),
        ({"email": "n@example.com", "name": "N", "roles": ["clerk"], "stores": ["NOWHERE"]}, "stores"),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    admin: Staff, contents: Callable[[], list[str]], given: dict[str, object], field: str
) -> None:
    before = contents()
    reply = admin.post("/users/new", given)
    assert reply.status_code == 422
    assert f'id="{field}-wrong"' in reply.text
    assert contents() == before


def test_a_closed_account_is_signed_out_at_once_and_can_be_opened_again(crm: Crm, admin: Staff, staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk")
    uid = uid_of(crm, clerk.email)
    assert clerk.get("/customers").status_code == 200
    assert "This account is closed." in admin.get(admin.post(f"/users/{uid}/disable").location).text
    assert clerk.get("/customers").location.startswith("/sign-in")
    admin.post(f"/users/{uid}/enable")
    with crm.read() as session:
        assert service.get(session, uid).active


def test_the_last_administrator_stays(crm: Crm, admin: Staff) -> None:
    reply = admin.post(f"/users/{uid_of(crm, admin.email)}/disable")
    assert (reply.status_code, "This is the last administrator." in reply.text) == (422, True)


def test_grants_count_at_once_and_the_page_says_what_they_add_up_to(crm: Crm, admin: Staff, staff: Callable[..., Staff]) -> None:
    add_store(crm, "LUND", "Lund Nova")
    add_store(crm, "UMEA", "Umeå Avion")
    crm.customers.create({"display_name": "Here", "store": "LUND"})
    crm.customers.create({"display_name": "There", "store": "UMEA"})
    clerk = staff(role="clerk")
    uid = uid_of(crm, clerk.email)
    assert "2 customers" in admin.get(f"/users/{uid}").text
    admin.post(f"/users/{uid}", {"roles": ["manager"], "stores": ["LUND"]})
    page = admin.get(f"/users/{uid}").text
    assert "1 store" in page
    assert "1 customer<" in page
    assert clerk.get("/customers").status_code == 302


def test_nobody_gives_more_than_they_have(
    crm: Crm, staff: Callable[..., Staff], admin: Staff, contents: Callable[[], list[str]], malmo: int
) -> None:
    add_store(crm, "LUND", "Lund Nova")
    somebody = staff(may=MANAGE, stores=["MALMO"])
    before = contents()
    for role in ("administrator", "manager"):
        reply = somebody.post("/users/new", {"email": "x@example.com", "name": "X", "roles": [role], "stores": ["MALMO"]})
        assert (reply.status_code, 'id="roles-wrong"' in reply.text) == (422, True)
    for stores in ([], ["LUND"]):
        reply = somebody.post("/users/new", {"email": "x@example.com", "name": "X", "roles": ["role-1"], "stores": stores})
        assert reply.status_code == 422
    uid = uid_of(crm, admin.email)
    for what in ("", "/disable", "/enable", "/link"):
        assert somebody.post(f"/users/{uid}{what}", {"roles": ["clerk"]}).status_code == 403
    assert somebody.post("/users/roles/clerk", {"permission": ["users.manage"]}).status_code == 403
    assert contents() == before


def test_what_a_role_may_do_is_changed_and_counts_at_once(crm: Crm, admin: Staff, staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk")
    assert clerk.get("/imports").status_code == 403
    page = admin.get("/users/roles/clerk").text
    assert 'value="customers.view" checked' in page
    admin.post("/users/roles/clerk", {"permission": ["customers.view", "imports.run", "made.up"]})
    assert clerk.get("/imports").status_code == 200
    with crm.read() as session:
        held = {role.name: role.permissions for role in roles.listed(session)}
    assert held["clerk"] == {"customers.view", "imports.run"}
    assert admin.post("/users/roles/administrator", {"permission": []}).status_code == 409
    assert admin.get("/users/roles/nobody").status_code == 404


@pytest.mark.parametrize("role", ["manager", "clerk", "marketer", "analyst"])
@pytest.mark.parametrize("path", ["/users", "/users/new", "/users/x", "/users/roles", "/users/roles/clerk"])
def test_users_are_an_administrators_business(staff: Callable[..., Staff], role: str, path: str) -> None:
    assert staff(role=role).get(path).status_code == 403


def test_a_list_takes_as_many_statements_for_three_users_as_for_one(
    crm: Crm, admin: Staff, staff: Callable[..., Staff], statements: list[str]
) -> None:
    counts = []
    for _round in range(2):
        admin.get("/users")
        crm.plugins.refresh()
        statements.clear()
        assert admin.get("/users").status_code == 200
        counts.append(len(statements))
        staff(role="clerk")
        staff(role="clerk")
    assert counts[0] == counts[1]
