"""Parts of words that many customers share are found like any others, and cost PostgreSQL no look into its index."""

from __future__ import annotations

import random
from pathlib import Path

import sqlalchemy as sa

from regulars_core.customers.fragments import looked_up
from regulars_plugin_api.values import fold
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.crm import CrmHarness, open_harness

ADDRESSES = [f"{name}{number}.%_o'{number % 9}@example{number % 41}.org" for number, name in enumerate(("anna", "liexa", "åsa") * 50)]


def fill(crm: CrmHarness) -> None:
    rows = "".join(f"K{number},{address}\n" for number, address in enumerate(ADDRESSES))
    assert crm.import_text("customer", f"external_id,email\n{rows}")["rejected"] == []
    with crm.transaction() as session:
        session.execute(sa.text("ANALYZE"))


def found(crm: CrmHarness, fragment: str) -> list[str]:
    with crm.read() as session:
        page = crm.customers.page(session, SYSTEM, query=fragment, limit=len(ADDRESSES))
    return sorted(one.emails[0].address for one in page.rows)


def test_any_part_of_an_address_finds_all_who_have_it_and_nobody_else(crm: CrmHarness) -> None:
    fill(crm)
    chance = random.Random(7)
    for _round in range(150):
        address = chance.choice(ADDRESSES)
        begin = chance.randrange(len(address) - 3)
        fragment = address[begin : begin + chance.randrange(3, 20)]
        others = chance.choice(("", " example", " .org", " @example1"))
        wanted = [one for one in ADDRESSES if fold(fragment) in fold(one) and others.strip() in one]
        assert found(crm, fragment + others) == sorted(wanted), fragment + others


def test_postgres_does_not_look_up_what_everybody_has(postgres_url: str, tmp_path: Path) -> None:
    crm = open_harness(postgres_url, tmp_path / "home")
    with crm.read() as session:
        assert looked_up(session, ["anna0@example"]) == ["%anna0@example%"], "before anything is known of the table"
    fill(crm)
    asked = {
        ("82.x@exam",): ["%82.x@%%%%%"],
        ("o'1@example",): ["%o'1@example%"],
        ("example16.org",): ["%%%%%%%e16.%%%%"],
        ("example",): ["%example%"],
        ("example", ".org"): ["%example%", "%.org%"],
        ("anna82", "example"): ["%%%na82%", "%%%na82%"],
        ("50/_%", "zzz"): ["%50///_/%%", "%zzz%"],
    }
    anew = open_harness(postgres_url, tmp_path / "other")
    with anew.read() as session:
        assert {words: looked_up(session, words) for words in asked} == asked
