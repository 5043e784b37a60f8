"""``/api/v1/receipts`` and ``/api/v1/products``: what tills and shops send."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from regulars_testkit.staff import RestClient, sign_in
from regulars_web.app import create_app

RECEIPTS, PRODUCTS = "/api/v1/receipts", "/api/v1/products"
RECEIPT = {"store": "M1", "till": "2", "receipt_no": "10482", "sold_at": "2026-11-21T14:30:00+01:00"}
LINES = [
    {"sku": "A", "quantity": "2", "unit_price": "649.00", "discount": "100.00"},
    {"sku": "B", "kind": "return", "amount": "69.00"},
]
MAY = ("customers.view", "purchases.view", "purchases.record", "purchases.edit")

Program = Callable[..., RestClient]


@pytest.fixture
def app(chain: Any) -> Flask:
    return create_app(chain.crm)


@pytest.fixture
def program(app: Flask) -> Program:
    """``program("purchases.record", …, stores=["M1"])``: a till with these permissions, or all it needs."""
    return lambda *may, stores=(): RestClient(sign_in(app, may=may or MAY, stores=stores))


@contextmanager
def listening(statements: list[str]) -> Iterator[None]:
    """Note every statement that is sent to a database."""

    def note(_connection: Any, _cursor: Any, statement: str, *_about: Any) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_a_receipt_is_taken_in_with_its_figures(chain: Any, program: Program) -> None:
    chain.load("customer", "external_id,display_name", "K1,Ada Öberg")
    till = program()
    made = till.send("POST", RECEIPTS, {**RECEIPT, "cashier": "Åsa", "customer_external_id": "K1", "lines": LINES})
    assert (made.status_code, made.headers["Location"]) == (201, f"{RECEIPTS}/{made.json['id']}")
    expected = {"result": "created", "store": "M1", "till": "2", "business_date": "2026-11-21", "total": "1129.00", "units": "1.000"}
    assert {name: made.json[name] for name in expected} == expected
    assert [note["code"] for note in made.json["notes"]] == ["unknown_product", "unknown_product"]
    assert chain.lines() == [
        ("10482", 1, "A", "sale", 2000, 6490000, 119800, 10000),
        ("10482", 2, "B", "return", -1000, None, -6900, 0),
    ]
    assert chain.figures() == [("Ada Öberg", "SEK", 1, 112900)]
    chain.figures_are_exact()
    read = till.get(made.headers["Location"]).json
    assert ([line["amount"] for line in read["lines"]], read["total"]) == (["1198.00", "-69.00"], "1129.00")


def test_the_same_receipt_again_changes_nothing_and_another_line_changes_it(chain: Any, program: Program) -> None:
    till = program()
    first = till.send("POST", RECEIPTS, {**RECEIPT, "lines": LINES})
    before = chain.crm.dump()
    again = till.send("POST", RECEIPTS, {**RECEIPT, "lines": LINES})
    assert (again.status_code, again.json) == (200, {**first.json, "result": "unchanged", "notes": []})
    assert chain.crm.dump() == before
    more = till.send("POST", RECEIPTS, {**RECEIPT, "lines": [LINES[0], {**LINES[1], "amount": "70.00"}]})
    assert (more.status_code, more.json["result"], more.json["total"], more.json["line_count"]) == (200, "updated", "1128.00", 2)
    tomorrow = till.send("POST", RECEIPTS, {**RECEIPT, "sold_at": "2026-11-22T00:30:00+01:00", "lines": LINES})
    assert (tomorrow.status_code, tomorrow.json["business_date"]) == (201, "2026-11-22")
    chain.figures_are_exact()


def test_a_key_sent_again_gets_the_same_answer(chain: Any, program: Program) -> None:
    till = program()
    answers = [till.send("POST", RECEIPTS, {**RECEIPT, "lines": LINES}, Idempotency_Key="till-2-10482") for _time in range(2)]
    assert [(one.status_code, one.headers.get("Idempotency-Replayed")) for one in answers] == [(201, None), (201, "true")]
    assert (answers[0].data, len(chain.receipts())) == (answers[1].data, 1)


def test_whose_receipt_it_is(chain: Any, program: Program) -> None:
    chain.load("customer", "external_id,display_name,email,phone", "K1,Ada Öberg,ada@example.com,+46 70 174 06 10", "K2,Bo,,")
    chain.load("customer", "external_id,display_name,email", "C-7,Eva,eva@example.com", source="card")
    ids = dict(chain.rows("SELECT display_name, id FROM customer"))
    (bos_uid,) = chain.rows("SELECT uid FROM customer WHERE display_name = 'Bo'")[0]
    chain.crm.customers.merge(ids["Ada Öberg"], ids["Bo"])
    till = program()
    ways = {
        "Ada Öberg": (
            {"customer": ids["Ada Öberg"]},
            {"customer": str(ids["Bo"])},
            {"customer": bos_uid},
            {"customer_external_id": "K1"},
            {"customer_email": "ADA@example.com"},
            {"customer_phone": "070-174 06 10"},
        ),
        "Eva": ({"customer_external_id": "C-7", "source": "card"},),
        None: ({}, {"customer_external_id": "C-7"}, {"customer_email": "new@example.com"}, {"customer_email": "misspelt@"}),
    }
    for expected, ways_of_one in ways.items():
        for number, way in enumerate(ways_of_one):
            made = till.send("POST", RECEIPTS, {**RECEIPT, "receipt_no": f"{expected}{number}", **way, "lines": [{"amount": "1.00"}]})
            assert (made.status_code, made.json["customer_id"]) == (201, ids.get(expected)), way
            assert {note["code"] for note in made.json["notes"]} <= {"unknown_customer", "bad_email"}, way
    chain.load("customer", "display_name,email", "Newcomer,new@example.com")
    chain.work()
    assert chain.figures() == [("Ada Öberg", "SEK", 6, 600), ("Eva", "SEK", 1, 100), ("Newcomer", "SEK", 1, 100)]
    chain.figures_are_exact()


WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no line": ({"lines": []}, ["lines"]),
    "no store": ({"store": "NOWHERE"}, ["store"]),
    "no offset": ({"sold_at": "2026-11-21T14:30:00"}, ["sold_at"]),
    "no such day": ({"sold_at": "1066-10-14T09:00:00Z"}, ["sold_at"]),
    "a number": ({"lines": [{"amount": 12.5}]}, ["lines[0].amount"]),
    "öre of öre": ({"lines": [{"amount": "1.00"}, {"amount": "0.005"}]}, ["lines[1].amount"]),
    "exponent": ({"lines": [{"amount": "1e999999999"}]}, ["lines[0].amount"]),
    "no amount": ({"lines": [{"sku": "A"}, {"amount": "1", "kind": "gift"}]}, ["lines[1].kind"]),
    "nothing of its worth": ({"lines": [{"sku": "A"}]}, ["lines[0].amount"]),
    "two lines alike": ({"lines": [{"line_no": 1, "amount": "1"}, {"line_no": 1, "amount": "2"}]}, ["lines[1].line_no"]),
    "a payment card": ({"cashier": "4111 1111 1111 1111"}, ["cashier"]),
    "no currency": ({"currency": "KRONOR"}, ["currency"]),
    "another currency": ({"receipt_no": "1", "currency": "EUR"}, ["currency"]),
    "two names": ({"customer": 1, "customer_external_id": "K1"}, ["customer"]),
    "nobody": ({"customer": 424242}, ["customer"]),
    "for reading": ({"total": "1.00"}, ["total"]),
    "unknown": ({"lines": [{"amount": "1", "colour": "red"}]}, ["lines[0].colour"]),
    "all of it": (
        {"store": "X", "till": 7, "lines": [{"amount": "x"}, {"quantity": "y"}]},
        ["lines[0].amount", "lines[1].quantity", "till"],
    ),
}


def test_what_cannot_be_taken_is_refused_by_field_and_nothing_is_written(chain: Any, program: Program) -> None:
    till = program()
    chain.sales("1,2026-11-21 10:00,M1,2,1.00", columns="receipt_no,sold_at,store,till,amount")
    before = chain.crm.dump()
    for case, (changes, fields) in WRONG.items():
        reply = till.send("POST", RECEIPTS, {**RECEIPT, "lines": LINES, **changes})
        assert (reply.status_code, reply.content_type) == (422, "application/problem+json"), case
        assert sorted(one["field"] for one in reply.json["errors"]) == fields, case
    assert chain.crm.dump() == before


NO_REQUESTS: tuple[tuple[str, dict[str, Any], int], ...] = (
    (RECEIPTS, {"data": "{", "content_type": "application/json"}, 400),
    (RECEIPTS, {"data": {"store": "M1"}}, 415),
    (RECEIPTS, {"data": '{"store": "%s"}' % ("a" * 1_100_000), "content_type": "application/json"}, 413),
    (f"{RECEIPTS}?dry_run=1", {"json": {**RECEIPT, "lines": LINES}}, 422),
    (f"{RECEIPTS}/batch", {"json": {"receipts": [{**RECEIPT, "lines": LINES}] * 101}}, 422),
    (f"{RECEIPTS}/batch", {"data": "[", "content_type": "application/json"}, 400),
    (f"{RECEIPTS}/batch", {"data": "<receipts/>", "content_type": "text/xml"}, 415),
    (f"{RECEIPTS}/batch", {"data": b"\0" * 1_100_000, "content_type": "application/json"}, 413),
    (f"{RECEIPTS}/batch?x=1", {"json": {"receipts": [{**RECEIPT, "lines": LINES}]}}, 422),
)


def test_what_is_no_request_is_refused_in_words(chain: Any, app: Flask) -> None:
    somebody = sign_in(app, may=MAY)
    headers, before = {"X-CSRFToken": somebody.token()}, chain.crm.dump()
    for path, options, status in NO_REQUESTS:
        reply = somebody.client.post(path, headers=headers, **options)
        assert (reply.status_code, reply.content_type) == (status, "application/problem+json"), (path, options)
    assert chain.crm.dump() == before


def test_a_till_sends_what_its_permissions_and_stores_allow(chain: Any, program: Program) -> None:
    chain.load("customer", "external_id,display_name,store", "K1,Ada,M1", "K2,Bo,NY")
    ids = dict(chain.rows("SELECT display_name, id FROM customer"))
    body = {**RECEIPT, "lines": LINES}
    assert program("purchases.view", "purchases.import").send("POST", RECEIPTS, body).status_code == 403
    mine = program("purchases.record", "customers.view", stores=["M1"])
    for wrong, field in (({"store": "NY"}, "store"), ({"customer": ids["Bo"]}, "customer")):
        reply = mine.send("POST", RECEIPTS, {**body, **wrong})
        assert (reply.status_code, [one["field"] for one in reply.json["errors"]]) == (422, [field])
    assert mine.send("POST", RECEIPTS, {**body, "customer": ids["Ada"]}).json["customer_id"] == ids["Ada"]
    blind = program("purchases.record", stores=["M1"])
    assert blind.send("POST", RECEIPTS, {**body, "customer": ids["Ada"]}).status_code == 422
    # Whoever brings a card is served in every town; whose card it is, the till is not told.
    visitor = blind.send("POST", RECEIPTS, {**body, "receipt_no": "2", "customer_external_id": "K2"})
    assert (visitor.status_code, visitor.json["customer_id"]) == (201, None)
    assert chain.figures() == [("Ada", "SEK", 1, 112900), ("Bo", "SEK", 1, 112900)]


def test_what_is_sent_is_told_and_noted(chain: Any, program: Program) -> None:
    chain.load("customer", "external_id,display_name", "K1,Ada Öberg")
    till = program()
    one = till.send("POST", RECEIPTS, {**RECEIPT, "customer_external_id": "K1", "lines": LINES}).json["id"]
    till.send("POST", RECEIPTS, {**RECEIPT, "lines": [{**LINES[0], "discount": None}]})
    events = chain.rows("SELECT payload FROM event WHERE type = 'purchases.receipts_imported' ORDER BY id")
    payloads = [json.loads(payload) if isinstance(payload, str) else payload for (payload,) in events]
    who = till.get(f"{RECEIPTS}/{one}").json["customer_id"]
    assert payloads == [
        {"run_id": None, "created": [[one, one]], "updated": [], "customers": [who]},
        {"run_id": None, "created": [], "updated": [one], "customers": [who]},
    ]
    noted = chain.rows("SELECT table_name, column_name, cause FROM change WHERE table_name LIKE 'purchases%' ORDER BY id")
    assert ("purchases_receipt", "*", "rest") in noted
    assert ("purchases_receipt_line", "amount_minor", "rest") in noted


def test_many_receipts_at_once_are_taken_in_all_or_none(chain: Any, program: Program) -> None:
    till = program()
    many = [{**RECEIPT, "receipt_no": str(number), "lines": LINES} for number in range(3)]
    done = till.send("POST", f"{RECEIPTS}/batch", {"receipts": many})
    assert (done.status_code, [one["receipt_no"] for one in done.json["items"]]) == (200, ["0", "1", "2"])
    assert {one["result"] for one in done.json["items"]} == {"created"}
    before = chain.crm.dump()
    some_wrong = [{**many[0], "lines": [{"amount": "5"}]}, {**many[1], "store": "X"}, {**many[2], "lines": [*LINES, {"amount": "1,5"}]}]
    wrong = till.send("POST", f"{RECEIPTS}/batch", {"receipts": some_wrong})
    assert [one["field"] for one in wrong.json["errors"]] == ["receipts[2].lines[2].amount"]
    wrong = till.send("POST", f"{RECEIPTS}/batch", {"receipts": [*some_wrong[:2], {**many[2], "lines": [{"amount": "1.005"}]}]})
    assert [one["field"] for one in wrong.json["errors"]] == ["receipts[1].store", "receipts[2].lines[0].amount"]
    twice = till.send("POST", f"{RECEIPTS}/batch", {"receipts": [many[0], many[0]]})
    assert [one["field"] for one in twice.json["errors"]] == ["receipts[1].receipt_no"]
    assert chain.crm.dump() == before


def test_one_receipt_sent_by_many_at_the_same_time_is_there_once(chain: Any, program: Program) -> None:
    chain.load("customer", "external_id,display_name", "K1,Ada Öberg")
    tills = [program() for _till in range(4)]

    def send(number: int) -> int:
        body = {**RECEIPT, "customer_external_id": "K1", "receipt_no": str(number // 4), "lines": LINES}
        return int(tills[number % 4].send("POST", RECEIPTS, body).status_code)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(16)))
    assert sorted(answers) == [200] * 12 + [201] * 4
    assert chain.figures() == [("Ada Öberg", "SEK", 4, 4 * 112900)]
    chain.figures_are_exact()


def test_a_hundred_receipts_take_no_more_statements_than_one(program: Program) -> None:
    till = program()
    statements: list[str] = []

    def send(first: int, amount: int) -> int:
        statements.clear()
        many = [
            {**RECEIPT, "receipt_no": str(first + number), "customer_external_id": f"K{number}", "lines": LINES} for number in range(amount)
        ]
        assert till.send("POST", f"{RECEIPTS}/batch", {"receipts": many}).status_code == 200
        return len(statements)

    with listening(statements):
        send(0, 1)
        # Many rows are given to the driver at once, which nobody listens to.
        assert send(1000, 100) <= send(2000, 1)


def test_a_product_is_added_read_and_changed(chain: Any, program: Program) -> None:
    shop, reader = program(), program("purchases.view")
    given = {"sku": "LC-140", "name": "Linen curtains", "price": "649.00", "currency": "SEK", "barcode": "7350012345671"}
    made = shop.send("POST", PRODUCTS, given)
    read = shop.get(made.headers["Location"])
    assert (made.status_code, read.json, read.headers["ETag"]) == (201, made.json, made.headers["ETag"])
    assert {name: made.json[name] for name in given} == {**given, "price": "649.0000"}
    assert shop.get(made.headers["Location"], If_None_Match=read.headers["ETag"]).status_code == 304
    changed = shop.send("PATCH", made.headers["Location"], {"price": "599", "name": None}, If_Match=read.headers["ETag"])
    expected = {**made.json, "price": "599.0000", "name": None}
    assert (changed.status_code, changed.json, shop.get(made.headers["Location"]).json) == (200, expected, expected)
    before = chain.crm.dump()
    stale = shop.send("PATCH", made.headers["Location"], {"price": "1"}, If_Match=read.headers["ETag"])
    assert (stale.status_code, stale.json["current"], stale.json["sent"]) == (412, expected, {"price": "1"})
    wrong = (
        ("POST", PRODUCTS, given, ["sku"]),
        ("POST", PRODUCTS, {"name": "Nameless"}, ["sku"]),
        ("POST", PRODUCTS, {"sku": "X", "price": 12.5, "is_stub": False, "colour": "red"}, ["colour", "is_stub", "price"]),
        ("POST", PRODUCTS, {"sku": "X", "price": "1.00005"}, ["price"]),
        ("POST", PRODUCTS, {"sku": "X", "currency": "KRONOR"}, ["currency"]),
        ("PATCH", made.headers["Location"], {"sku": "LC-141"}, ["sku"]),
        ("PATCH", made.headers["Location"], {"currency": None}, ["currency"]),
        ("PATCH", made.headers["Location"], {"name": "4111 1111 1111 1111"}, ["name"]),
        ("PATCH", f"{made.headers['Location']}?force=1", {"name": "x"}, ["force"]),
    )
    for method, path, body, names in wrong:
        reply = shop.send(method, path, body)
        assert (reply.status_code, sorted(one["field"] for one in reply.json["errors"])) == (422, names), body
    assert shop.send("PATCH", f"{PRODUCTS}/424242", {"name": "x"}).status_code == 404
    assert reader.send("PATCH", made.headers["Location"], {"name": "x"}).status_code == 403
    assert chain.crm.dump() == before


def test_what_a_till_met_first_becomes_a_product(chain: Any, program: Program) -> None:
    shop = program()
    shop.send("POST", RECEIPTS, {**RECEIPT, "lines": [{"sku": "A", "amount": "5.00"}]})
    (stub,) = shop.get(PRODUCTS).json["items"]
    told = shop.send("POST", PRODUCTS, {"sku": "A", "name": "Candle", "cost": "2.50"})
    assert (told.status_code, told.json) == (200, {**stub, "name": "Candle", "currency": "EUR", "is_stub": False})
    assert chain.rows("SELECT sku, cost FROM purchases_product") == [("A", 25000)]
    noted = {
        (column, cause) for column, cause in chain.rows("SELECT column_name, cause FROM change WHERE table_name = 'purchases_product'")
    }
    assert {("*", "rest"), ("name", "rest"), ("cost", "rest")} <= noted


def test_what_the_description_gives_as_examples_is_taken(program: Program) -> None:
    shop = program()
    paths = shop.get("/api/v1/openapi.json").json["paths"]

    def described(path: str, method: str) -> tuple[Any, Any]:
        operation = paths[path][method]
        answer = operation["responses"].get("201", {}).get("content", {}).get("application/json", {}).get("example")
        return operation["requestBody"]["content"]["application/json"]["example"], answer

    sent, answer = described(RECEIPTS, "post")
    made = shop.send("POST", RECEIPTS, sent)
    assert (made.status_code, made.json.keys(), made.json["total"]) == (201, answer.keys(), answer["total"])
    many = shop.send("POST", f"{RECEIPTS}/batch", described(f"{RECEIPTS}/batch", "post")[0])
    assert [one["result"] for one in many.json["items"]] == ["unchanged", "created"]
    product = shop.send("POST", PRODUCTS, described(PRODUCTS, "post")[0])
    assert (product.status_code, product.json["is_stub"]) == (200, False)
    assert shop.send("PATCH", product.headers["Location"], described(PRODUCTS + "/{product_id}", "patch")[0]).status_code == 200
