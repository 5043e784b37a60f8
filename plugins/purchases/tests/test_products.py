"""Products in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regulars_purchases import api

Summary = Callable[[dict[str, Any]], dict[str, Any]]
ALL = "sku,name,brand,department,category,subcategory,price,cost,currency,barcode"
LAMP = "007,Lamp,Norrvik,Light,Lamps,Table lamps,99.95,12.3456,SEK,7312345678907"


def test_a_product_with_everything(chain: Any, summary: Summary) -> None:
    assert summary(chain.load("product", ALL, LAMP)) == {"created": 1}
    with chain.crm.read() as session:
        product = api.product_by_sku(session, "007")
    assert product is not None
    assert {name: str(getattr(product, name)) for name in ALL.split(",")} == dict(
        zip(ALL.split(","), LAMP.replace("99.95", "99.9500").split(","), strict=True)
    )
    assert not product.is_stub
    before = chain.crm.dump()
    assert summary(chain.load("product", ALL, LAMP)) == {"unchanged": 1}
    assert chain.crm.dump() == before


def test_what_the_file_does_not_say_stays(chain: Any, summary: Summary) -> None:
    chain.load("product", ALL, LAMP)
    assert summary(chain.load("product", "sku,name,brand", "007,Table lamp,")) == {"updated": 1}
    assert chain.rows("SELECT name, brand, price FROM purchases_product") == [("Table lamp", "Norrvik", 999500)]


def test_the_same_product_twice_is_merged_and_stays_so(chain: Any, summary: Summary) -> None:
    rows = ("007,Lamp,", "007,,Norrvik", "007,Other,Other")
    assert summary(chain.load("product", "sku,name,brand", *rows)) == {"created": 1, "merged": 2, "notes": {"product_repeated": 1}}
    assert chain.rows("SELECT name, brand FROM purchases_product") == [("Lamp", "Norrvik")]
    before = chain.crm.dump()
    report = summary(chain.load("product", "sku,name,brand", *rows))
    assert {name: report.get(name) for name in ("created", "updated", "unchanged", "merged")} == {
        "created": None, "updated": None, "unchanged": 1, "merged": 2,
    }  # fmt: skip
    assert chain.crm.dump() == before


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (",Lamp,,", "sku", "blank"),
        ("7,Lamp,1.23456,", "price", "too_precise"),
        ("7,Lamp,1,KRONOR", "currency", "unknown_currency"),
        ("7,4111 1111 1111 1111,1,", "name", "card_number"),
        ("5555555555554444,Lamp,1,", "sku", "card_number"),
    ],
)
def test_what_is_refused(chain: Any, summary: Summary, row: str, field: str, code: str) -> None:
    report = chain.load("product", "sku,name,price,currency", row, decimal=".")
    assert summary(report) == {"rejected": [(1, field, code)]}


def test_modes(chain: Any, summary: Summary) -> None:
    chain.load("product", "sku,name", "A,Lamp")
    assert summary(chain.load("product", "sku,name", "A,Lamp", "B,Chair", mode="create")) == {
        "created": 1,
        "rejected": [(1, "sku", "already_exists")],
    }
    assert summary(chain.load("product", "sku,name", "A,Sofa", "C,Bed", mode="update")) == {
        "updated": 1,
        "rejected": [(2, "sku", "not_found")],
    }
