"""Figures stay exact through any sequence of imports, changes, returns, claims, merges and undos."""

from __future__ import annotations

import random
from typing import Any

import pytest

from regulars_core.exchange import undo
from regulars_purchases import claims, figures

COLUMNS = "receipt_no,line_no,sold_at,store,currency,customer_external_id,customer_email,sku,quantity,amount,kind"
PEOPLE = "external_id,display_name,email"


def _line(chance: random.Random) -> str:
    number, line, day, store = chance.randint(1, 12), chance.randint(1, 3), chance.randint(1, 3), chance.choice(("M1", "NY", "TY"))
    who = chance.choice(("K1,", "K2,", "K3,", ",late1@example.com", ",late2@example.com", ","))
    amount, kind = chance.randint(0, 500), chance.choice(("sale", "sale", "return", ""))
    currency = chance.choice(("", "", "EUR"))
    return f"{number},{line},2025-03-0{day} 12:00,{store},{currency},{who},S{chance.randint(1, 4)},{chance.randint(0, 5)},{amount},{kind}"


@pytest.mark.parametrize("seed", range(4))
def test_figures_after_every_step(chain: Any, seed: int) -> None:
    chance = random.Random(seed)
    chain.load("customer", PEOPLE, "K1,Ada,", "K2,Bo,", "K3,Cy,")
    done: list[int] = []
    for step in range(14):
        doing = chance.choice(("import", "import", "import", "undo", "claim"))
        if doing == "import":
            report = chain.sales(*(_line(chance) for _row in range(chance.randint(1, 25))), columns=COLUMNS)
            done.append(report["run"])
        elif doing == "undo" and done:
            undo.undo(chain.crm, done.pop(chance.randrange(len(done))))
        elif doing == "claim":
            chain.load("customer", PEOPLE, f"L{step},Late {step},late{chance.randint(1, 2)}@example.com")
            ids = [customer_id for (customer_id,) in chain.rows("SELECT id FROM customer")]
            with chain.crm.transaction() as session:
                claims.claim_guest_receipts(session, ids)
        chain.figures_are_exact()


def test_two_customers_become_one(chain: Any) -> None:
    chain.load("customer", PEOPLE, "K1,Ada,", "K2,Bo,")
    chain.sales(
        "1,1,2025-03-01 12:00,M1,,K1,,A,1,10.00,sale",
        "2,1,2025-03-03 12:00,M1,,K2,,A,1,5.00,sale",
        "3,1,2025-02-01 12:00,NY,,K2,,A,2,7.00,sale",
        columns=COLUMNS,
    )
    ids = dict(chain.rows("SELECT display_name, id FROM customer"))
    with chain.crm.transaction() as session:
        figures.unite(session, ids["Ada"], ids["Bo"])
    assert chain.figures() == [("Ada", "SEK", 2, 1500), ("Ada", "USD", 1, 700)]
    with chain.crm.transaction() as session:
        figures.recompute(session, ids.values())
    chain.figures_are_exact()
