"""What programs rely on: tokens, pages, ETags, keys for sending again, and refusals that change nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from regulars_core.crm import Crm
from regulars_core.users import tokens
from regulars_plugin_api.errors import InvalidInput
from regulars_testkit.staff import Staff, add_store

CUSTOMERS = "/api/v1/customers"
Contents = Callable[[], list[str]]


class Program:
    """A program with a token."""

    def __init__(self, app: Flask, secret: str) -> None:
        self.app, self.headers = app, {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        return self.app.test_client().open(path, method=method, headers={**self.headers, **(headers or {})}, buffered=True, **options)


@pytest.fixture
def program(crm: Crm, app: Flask, staff: Callable[..., Staff]) -> Callable[..., Program]:
    """``program(may=[…], scopes=[…])``: a program of a user with exactly these permissions."""

    def make(*, scopes: tuple[str, ...] = ("*",), lasts: dt.timedelta | None = None, **who: Any) -> Program:
        user = staff(**(who or {"role": "administrator"}))
        with crm.transaction() as session:
            known = tokens.known_scopes(crm)
            _made, secret = tokens.create(session, user.email, name="till", scopes=scopes, known=known, at=crm.clock.now(), lasts=lasts)
        return Program(app, secret)

    return make


def wrong_fields(reply: TestResponse) -> list[str]:
    return sorted(one["field"] for one in reply.get_json()["errors"])


def test_a_customer_comes_and_goes_by_id_and_uid(program: Callable[..., Program]) -> None:
    call = program()
    given = {"first_name": "Åsa", "last_name": "Berg", "email": "asa@example.com", "birthday": "1980-02-29", "tags": ["vip"]}
    made = call("POST", CUSTOMERS, json=given)
    body = made.get_json()
    assert (made.status_code, made.location) == (201, f"{CUSTOMERS}/{body['uid']}")
    assert {name: body[name] for name in given} == given
    assert (body["display_name"], body["emails"], body["version"]) == ("Åsa Berg", ["asa@example.com"], 1)
    for name in ("id", "uid"):
        assert call("GET", f"{CUSTOMERS}/{body[name]}").get_json() == body
    assert call("GET", f"{CUSTOMERS}/lookup?identifier=ASA@example.com").get_json() == body
    assert call("DELETE", f"{CUSTOMERS}/{body['id']}").status_code == 204
    assert call("GET", CUSTOMERS).get_json()["items"] == []
    assert call("POST", f"{CUSTOMERS}/{body['id']}/restore").status_code == 200
    assert [one["id"] for one in call("GET", CUSTOMERS).get_json()["items"]] == [body["id"]]


def test_an_etag_saves_reading_and_keeps_from_overwriting(program: Callable[..., Program], contents: Contents) -> None:
    call = program()
    address = f"{CUSTOMERS}/{call('POST', CUSTOMERS, json={'first_name': 'Ann'}).get_json()['id']}"
    seen = call("GET", address).headers["ETag"]
    unchanged = call("GET", address, {"If-None-Match": seen})
    assert (unchanged.status_code, unchanged.text) == (304, "")
    changed = call("PATCH", address, {"If-Match": seen}, json={"city": "Lund"})
    assert (changed.status_code, changed.get_json()["city"]) == (200, "Lund")
    before = contents()
    late = call("PATCH", address, {"If-Match": seen}, json={"city": "Ystad"})
    told = late.get_json()
    assert (late.status_code, told["current"], told["sent"]) == (412, changed.get_json(), {"city": "Ystad"})
    assert late.headers["ETag"] == changed.headers["ETag"]
    assert call("DELETE", address, {"If-Match": seen}).status_code == 412
    assert call("DELETE", f"{address}/personal-data").status_code == 428
    assert contents() == before
    assert call("DELETE", f"{address}/personal-data", {"If-Match": changed.headers["ETag"]}).status_code == 200


def test_a_key_sent_again_gets_the_same_answer(program: Callable[..., Program], contents: Contents) -> None:
    call, key = program(), {"Idempotency-Key": "order-1"}
    first = call("POST", CUSTOMERS, key, json={"first_name": "Ann"})
    before = contents()
    again = call("POST", CUSTOMERS, key, json={"first_name": "Ann"})
    assert (again.status_code, again.data, again.headers["ETag"]) == (201, first.data, first.headers["ETag"])
    assert again.headers["Idempotency-Replayed"] == "true"
    other = call("POST", CUSTOMERS, key, json={"first_name": "Bo"})
    assert (other.status_code, wrong_fields(other)) == (422, ["Idempotency-Key"])
    assert contents() == before
    assert program()("POST", CUSTOMERS, key, json={"first_name": "Ann"}).get_json()["id"] != first.get_json()["id"]


def test_an_answer_under_a_lost_key_is_neither_given_nor_done_again(crm: Crm, program: Callable[..., Program], contents: Contents) -> None:
    call, key = program(), {"Idempotency-Key": "order-1"}
    assert call("POST", CUSTOMERS, key, json={"first_name": "Ann"}).status_code == 201
    with crm.transaction() as session:
        session.execute(sa.text("UPDATE idempotency_key SET body = 'deadbeef:' || body"))
    before = contents()
    assert call("POST", CUSTOMERS, key, json={"first_name": "Ann"}).status_code == 409
    assert contents() == before


def test_a_refused_request_leaves_its_key_free(program: Callable[..., Program]) -> None:
    call, key = program(), {"Idempotency-Key": "order-2"}
    assert call("POST", CUSTOMERS, key, json={}).status_code == 422
    assert call("POST", CUSTOMERS, key, json={"first_name": "Ann"}).status_code == 201


def test_a_race_for_one_key_makes_one_customer(program: Callable[..., Program]) -> None:
    call = program()

    def send(_number: int) -> int:
        return call("POST", CUSTOMERS, {"Idempotency-Key": "race"}, json={"first_name": "Ann"}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(8)))
    assert 201 in answers
    assert answers <= {201, 409}
    assert len(call("GET", CUSTOMERS).get_json()["items"]) == 1


@pytest.mark.parametrize("sort", ["name", "-name", "created", "-created"])
def test_pages_follow_each_other(program: Callable[..., Program], sort: str) -> None:
    call = program()
    names = ["Bo", "Ann", "Bo", "Cy", "Ann"]
    for name in names:
        call("POST", CUSTOMERS, json={"first_name": name})
    whole = [one["id"] for one in call("GET", f"{CUSTOMERS}?sort={sort}").get_json()["items"]]
    address, found = f"{CUSTOMERS}?sort={sort}&limit=2", []
    while address:
        reply = call("GET", address)
        found += [one["id"] for one in reply.get_json()["items"]]
        address = reply.headers.get("Link", "").partition(">")[0].removeprefix("<http://localhost")
    assert found == whole
    assert len(set(found)) == len(names)


def test_search_and_filter_narrow_a_list(program: Callable[..., Program]) -> None:
    call = program()
    for name, city in (("Ann", "Lund"), ("Bo", "Ystad")):
        call("POST", CUSTOMERS, json={"first_name": name, "city": city})
    where = '{"field": "city", "op": "eq", "value": "Lund"}'
    for query in ({"q": "ann"}, {"filter": where}):
        reply = call("GET", CUSTOMERS, query_string=query)
        assert [one["display_name"] for one in reply.get_json()["items"]] == ["Ann"]
    broken = call("GET", CUSTOMERS, query_string={"filter": '{"all": [{"field": "city", "op": "gt"}]}'})
    assert (broken.status_code, broken.content_type) == (422, "application/problem+json")
    for no_filter in ("Saved.", "{", "NaN", "[" * 50 + "]" * 50):
        reply = call("GET", CUSTOMERS, query_string={"filter": no_filter})
        assert reply.status_code == 422, no_filter
        assert all(one["field"].startswith("filter") for one in reply.get_json()["errors"])


BAD_BODIES = {
    "no JSON": (b"{", 400),
    "no UTF-8": (b'{"first_name": "\xff"}', 400),
    "no number": (b'{"first_name": NaN}', 400),
    "deep": (b"[" * 5000, 400),
    "half a character": (b'{"first_name": "\\ud800"}', 422),
    "NUL": (b'{"first_name": "a\\u0000"}', 422),
    "huge": (b'{"first_name": 1%s}' % (b"0" * 400), 422),
    "a list": (b"[]", 422),
    "unknown": (b'{"first_name": "a", "shoe_size": 1}', 422),
    "for reading": (b'{"first_name": "a", "id": 1}', 422),
    "twice the same": (b'{"email": "a@example.com", "emails": []}', 422),
    "too large": (b'{"notes": "%s"}' % (b"a" * 1_100_000), 413),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_bad_bodies_are_refused_in_words_and_change_nothing(program: Callable[..., Program], contents: Contents, case: str) -> None:
    call, (body, status) = program(), BAD_BODIES[case]
    before = contents()
    reply = call("POST", CUSTOMERS, data=body, content_type="application/json")
    assert (reply.status_code, reply.content_type) == (status, "application/problem+json")
    assert reply.get_json()["detail"]
    assert contents() == before


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", f"{CUSTOMERS}?limit=0", {}, 422),
        ("GET", f"{CUSTOMERS}?limit=1&limit=2", {}, 422),
        ("GET", f"{CUSTOMERS}?colour=red", {}, 422),
        ("GET", f"{CUSTOMERS}?q=a%00", {}, 422),
        ("GET", f"{CUSTOMERS}?cursor=x", {}, 422),
        ("GET", f"{CUSTOMERS}?sort=shoe_size", {}, 422),
        ("GET", f"{CUSTOMERS}?include=nobody.offers", {}, 422),
        ("GET", f"{CUSTOMERS}/1?x=1", {}, 422),
        ("GET", f"{CUSTOMERS}/999999999999999", {}, 404),
        ("GET", CUSTOMERS, {"Accept": "text/html"}, 406),
        ("PUT", CUSTOMERS, {}, 405),
        ("POST", CUSTOMERS, {"Idempotency-Key": "å"}, 422),
    ],
)
def test_what_is_not_understood_is_refused(
    program: Callable[..., Program], method: str, path: str, headers: dict[str, str], status: int
) -> None:
    reply = program()(method, path, headers)
    assert (reply.status_code, reply.content_type) == (status, "application/problem+json")
    assert ("Allow" in reply.headers) == (status == 405)


def test_another_content_type_is_refused(program: Callable[..., Program]) -> None:
    assert program()("POST", CUSTOMERS, data={"first_name": "Ann"}).status_code == 415
    assert program()("POST", "/api/v1/imports", json={}).status_code == 415


def test_scopes_narrow_what_the_user_may_do(program: Callable[..., Program], contents: Contents) -> None:
    call = program(may=["customers.view", "customers.edit"], scopes=("customers.view",))
    before = contents()
    assert call("GET", CUSTOMERS).status_code == 200
    assert call("POST", CUSTOMERS, json={"first_name": "Ann"}).status_code == 403
    assert contents() == before
    with pytest.raises(InvalidInput):
        program(may=["customers.view"], scopes=("customers.edit",))


def test_tokens_end(crm: Crm, app: Flask, program: Callable[..., Program]) -> None:
    assert program(lasts=dt.timedelta(seconds=-1))("GET", CUSTOMERS).status_code == 401
    call = program()
    assert call("GET", CUSTOMERS).status_code == 200
    with crm.read() as session:
        newest = tokens.listed(session)[0]
    assert newest.last_used_at is not None
    with crm.transaction() as session:
        tokens.revoke(session, newest.uid, crm.clock.now())
    reply = call("GET", CUSTOMERS)
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Regulars"')


def test_guessing_tokens_is_limited(program: Callable[..., Program], app: Flask) -> None:
    wrong = Program(app, "rgl_wrong")
    answers = [wrong("GET", CUSTOMERS) for _attempt in range(31)]
    assert [one.status_code for one in answers] == [401] * 30 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert program()("GET", CUSTOMERS).status_code == 200


def test_a_browser_s_session_needs_its_form_token(staff: Callable[..., Staff], contents: Contents) -> None:
    clerk = staff(may=["customers.view", "customers.edit"])
    before = contents()
    assert clerk.client.post(CUSTOMERS, json={"first_name": "Ann"}).status_code == 400
    assert contents() == before
    made = clerk.client.post(CUSTOMERS, json={"first_name": "Ann"}, headers={"X-CSRFToken": clerk.token()})
    assert made.status_code == 201


def test_rows_out_of_scope_are_not_there(crm: Crm, program: Callable[..., Program], malmo: int) -> None:
    add_store(crm, "LUND", "Lund")
    made = program()("POST", CUSTOMERS, json={"first_name": "Ann", "store": "LUND"}).get_json()
    call = program(may=["customers.view", "customers.edit", "stores.view"], stores=["MALMO"])
    assert call("GET", CUSTOMERS).get_json()["items"] == []
    assert [one["code"] for one in call("GET", "/api/v1/stores").get_json()["items"]] == ["MALMO"]
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/timeline"), ("GET", "/consents")):
        assert call(method, f"{CUSTOMERS}/{made['uid']}{path}").status_code == 404
    assert call("GET", "/api/v1/stores/LUND").status_code == 404


def test_a_list_asks_as_much_for_three_as_for_one(program: Callable[..., Program], statements: list[str]) -> None:
    call = program()
    counts = []
    for number in range(3):
        call("POST", CUSTOMERS, json={"first_name": "Ann", "email": f"a{number}@example.com", "tags": ["vip"]})
        statements.clear()
        call("GET", CUSTOMERS)
        # Who is enabled is asked now and then, whatever the page.
        counts.append(sum("customer" in one for one in statements))
    assert counts[0] == counts[2] <= 3


def test_a_merged_customer_is_answered_by_the_one_it_is_part_of(program: Callable[..., Program]) -> None:
    call = program()
    keep, drop = (call("POST", CUSTOMERS, json={"first_name": name}).get_json() for name in ("Ann", "Anna"))
    assert call("POST", f"{CUSTOMERS}/{keep['id']}/merge", json={"drop": drop["uid"]}).status_code == 200
    assert call("GET", f"{CUSTOMERS}/{drop['id']}").get_json()["id"] == keep["id"]
    assert call("GET", f"{CUSTOMERS}/{drop['uid']}").get_json()["id"] == keep["id"]


def test_options_and_head_are_answered(program: Callable[..., Program]) -> None:
    call = program()
    assert set(call("OPTIONS", CUSTOMERS).headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    head = call("HEAD", CUSTOMERS)
    assert (head.status_code, head.data) == (200, b"")
    assert "Access-Control-Allow-Origin" not in head.headers


def test_the_description_is_for_those_who_are_signed_in(app: Flask, program: Callable[..., Program], staff: Callable[..., Staff]) -> None:
    assert app.test_client().get("/api/v1/openapi.json").status_code == 401
    assert program(may=[])("GET", "/api/v1/openapi.json").get_json()["openapi"] == "3.1.0"
    page = staff(may=[]).get("/api/docs")
    assert (page.status_code, "swagger-ui-bundle.js" in page.text) == (200, True)


def test_a_customer_is_found_by_a_number_as_it_is_dialled_in_the_country_of_a_store(program: Callable[..., Program]) -> None:
    call = program()
    call("POST", "/api/v1/stores", json={"code": "LYON", "name": "Lyon", "country": "FR"})
    made = call("POST", CUSTOMERS, json={"first_name": "Anaïs", "phones": ["+33 6 39 98 00 69"]}).get_json()
    assert call("GET", f"{CUSTOMERS}/lookup?identifier=06+39+98+00+69").get_json() == made
    assert call("GET", f"{CUSTOMERS}/lookup?identifier=06+39+98+00+70").status_code == 404


def test_the_code_of_a_store_may_hold_a_slash(program: Callable[..., Program]) -> None:
    call = program()
    made = call("POST", "/api/v1/stores", json={"code": "a b/c", "name": "Corner"})
    assert call("GET", made.location).get_json() == made.get_json()
    assert call("PATCH", made.location, json={"city": "Lund"}).get_json()["city"] == "Lund"


def test_a_store_is_changed_by_whoever_has_seen_it(crm: Crm, program: Callable[..., Program], contents: Contents) -> None:
    call, address = program(), "/api/v1/stores/MALMO"
    add_store(crm, "MALMO", "Malmö")
    add_store(crm, "LUND", "Lund")
    near = program(may=["stores.view", "stores.edit"], stores=["LUND"])
    read = call("GET", address)
    assert call("GET", address, {"If-None-Match": read.headers["ETag"]}).status_code == 304
    changed = call("PATCH", address, {"If-Match": read.headers["ETag"]}, json={"city": "Malmö", "region": "South", "country": None})
    expected = {**read.get_json(), "city": "Malmö", "region": "South", "country": None}
    assert (changed.status_code, changed.get_json(), call("GET", address).get_json()) == (200, expected, expected)
    with crm.read() as session:
        payload = session.scalar(sa.text("SELECT payload FROM event WHERE type = 'store.updated'"))
    told = json.loads(payload) if isinstance(payload, str) else payload
    assert (told["code"], told["changed"]) == ("MALMO", ["city", "country", "region"])
    before = contents()
    stale = call("PATCH", address, {"If-Match": read.headers["ETag"]}, json={"city": "Ystad"})
    assert (stale.status_code, stale.get_json()["current"]) == (412, expected)
    wrong = {"code": "M1", "name": " ", "timezone": "Malmö", "currency": None, "colour": "red", "opened_on": "soon"}
    assert wrong_fields(call("PATCH", address, json=wrong)) == ["code", "colour", "currency", "opened_on"]
    assert wrong_fields(call("PATCH", address, json={"name": " ", "timezone": "Malmö"})) == ["name", "timezone"]
    assert call("PATCH", address, json={"city": "Malmö"}).status_code == 200
    assert [near("PATCH", address, json={"city": "x"}).status_code, call("PATCH", "/api/v1/stores/X", json={}).status_code] == [404, 404]
    assert contents() == before
