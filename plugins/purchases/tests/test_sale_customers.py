"""Whose receipt it is: matching, guests, and claims when the customer turns up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regulars_purchases import claims

Summary = Callable[[dict[str, Any]], dict[str, Any]]
WHO = "receipt_no,sold_at,store,amount,customer_external_id,customer_email,customer_phone"
PEOPLE = "external_id,display_name,email,phone"


def owners(chain: Any) -> list[Any]:
    return [owner for _number, owner, *_rest in chain.receipts()]


@pytest.mark.parametrize(
    ("clues", "owner", "notes"),
    [
        ("K1,,", "Ada", {}),
        ("K9,,", None, {"unknown_customer": 1}),
        (",ADA@Example.com,", "Ada", {}),
        (",,070-174 06 05", "Ada", {}),
        (",family@example.com,", None, {"ambiguous_customer": 1}),
        (",family@example.com,070-174 06 06", "Bo", {}),
        ("K9,ada@example.com,", None, {"unknown_customer": 1}),
        ("K1,family@example.com,", "Ada", {}),
        (",nobody@example.com,", None, {"unknown_customer": 1}),
        (",not an address,", None, {"bad_email": 1}),
        (",,12", None, {"bad_phone": 1}),
        (",,", None, {}),
    ],
)
def test_whose_receipt_it_is(chain: Any, summary: Summary, clues: str, owner: str | None, notes: dict[str, int]) -> None:
    people = ("K1,Ada,ada@example.com;family@example.com,+46701740605", "K2,Bo,family@example.com,+46701740606")
    assert summary(chain.load("customer", PEOPLE, *people)) == {"created": 2}
    report = chain.sales(f"7,2025-03-01 10:00,M1,1.00,{clues}", columns=WHO)
    assert summary(report) == {"created": 1} | ({"notes": notes} if notes else {})
    assert owners(chain) == [owner]
    chain.figures_are_exact()


def test_numbers_belong_to_their_source(chain: Any) -> None:
    chain.load("customer", PEOPLE, "K1,Ada,,", source="till")
    chain.sales("7,2025-03-01 10:00,M1,1.00,K1,,", columns=WHO)
    chain.sales("8,2025-03-01 10:00,M1,1.00,K1,,", columns=WHO, source="till")
    assert owners(chain) == [None, "Ada"]


def test_the_worker_gives_guest_receipts_to_customers_who_come_later(chain: Any) -> None:
    rows = (
        "1,2025-03-01 10:00,M1,1.00,K1,,",
        "2,2025-03-01 10:00,M1,2.00,,ada@example.com,",
        "3,2025-03-01 10:00,M1,4.00,,,+46701740605",
        "4,2025-03-01 10:00,M1,8.00,,other@example.com,",
        "5,2025-03-01 10:00,M1,16.00,,,",
    )
    chain.sales(*rows, columns=WHO)
    assert owners(chain) == [None] * 5
    chain.load("customer", PEOPLE, "K1,Ada,ada@example.com,+46701740605")
    chain.work()
    assert owners(chain) == ["Ada", "Ada", "Ada", None, None]
    assert chain.figures() == [("Ada", "SEK", 3, 700)]
    chain.crm.customers.create({"display_name": "Otto", "emails": "other@example.com"})
    chain.work()
    assert owners(chain) == ["Ada", "Ada", "Ada", "Otto", None]
    before = chain.crm.dump()
    assert chain.sales(*rows, columns=WHO)["unchanged"] == 5
    assert chain.crm.dump() == before


def test_a_receipt_that_two_could_claim_waits(chain: Any) -> None:
    chain.sales("1,2025-03-01 10:00,M1,1.00,,family@example.com,", columns=WHO)
    chain.load("customer", PEOPLE, "K1,Ada,family@example.com,", "K2,Bo,family@example.com,")
    with chain.crm.transaction() as session:
        assert claims.claim_guest_receipts(session, [1, 2]) == 0
    assert owners(chain) == [None]


def test_a_file_that_names_the_customer_gives_a_guest_receipt_an_owner(chain: Any, summary: Summary) -> None:
    chain.sales("1,2025-03-01 10:00,M1,1.00,,,", columns=WHO)
    chain.load("customer", PEOPLE, "K1,Ada,,")
    assert summary(chain.sales("1,2025-03-01 10:00,M1,1.00,K1,,", columns=WHO)) == {"updated": 1}
    assert (owners(chain), chain.figures()) == (["Ada"], [("Ada", "SEK", 1, 100)])


def test_a_row_without_a_customer_takes_nobodys_receipt_away(chain: Any, summary: Summary) -> None:
    chain.load("customer", PEOPLE, "K1,Ada,,")
    chain.sales("1,2025-03-01 10:00,M1,1.00,K1,,", columns=WHO)
    before = chain.crm.dump()
    assert summary(chain.sales("1,2025-03-01 10:00,M1,1.00,,,", columns=WHO)) == {"unchanged": 1}
    assert summary(chain.sales("1,2025-03-01 10:00,M1,1.00,K9,,", columns=WHO)) == {"unchanged": 1, "notes": {"unknown_customer": 1}}
    assert chain.crm.dump() == before


def test_guest_receipts_forget_who_is_erased(chain: Any) -> None:
    chain.load("customer", PEOPLE, "K1,Ada,family@example.com,", "K2,Bo,family@example.com,")
    chain.sales("1,2025-03-01 10:00,M1,1.00,,family@example.com,", "2,2025-03-01 10:00,M1,1.00,,other@example.com,", columns=WHO)
    ids = dict(chain.rows("SELECT display_name, id FROM customer"))
    with chain.crm.transaction() as session:
        assert claims.forget_clues(session, ids["Ada"]) == 1
    assert chain.rows("SELECT customer_email FROM purchases_receipt ORDER BY id") == [(None,), ("other@example.com",)]
