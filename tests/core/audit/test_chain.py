"""The chain over the journal: whoever alters, removes or reorders an entry is found out; an erasure is not a fault."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import sqlalchemy as sa
from sample_plugins import rolled_back

from regulars_core.audit import chain
from regulars_core.audit.models import Change
from regulars_core.privacy import upkeep
from regulars_testkit.crm import CrmHarness


@pytest.fixture
def journal(crm: CrmHarness) -> CrmHarness:
    """A journal with imports, changes by hand, and a rolled-back change in it."""
    crm.import_text("customer", "external_id,first_name,email\n" + "".join(f"{n},Eva {n},e{n}@example.com\n" for n in range(20)))
    crm.import_text("customer", "external_id,first_name\n" + "".join(f"{n},Åsa {n}\n" for n in range(10)))
    for name in ("One", "Two", "Three"):
        crm.customers.update(1, {"first_name": name})
    with rolled_back(crm.transaction()) as session:
        crm.customers.update(1, {"first_name": "Lost"}, session=session)
    upkeep.seal(crm)
    return crm


def verify(crm: CrmHarness, head: str = "") -> chain.Verdict:
    with crm.read() as session:
        return chain.verify(session, head)


def tamper(crm: CrmHarness, *statements: str) -> None:
    with crm.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def problems(crm: CrmHarness) -> set[str]:
    return {one["problem"] for one in verify(crm).problems}


def test_an_untouched_journal_is_sound(journal: CrmHarness) -> None:
    found = verify(journal)
    assert found.problems == []
    assert found.entries > 30
    assert found.head.startswith(f"{found.blocks}:")
    assert verify(journal, found.head).is_sound


A_VALUE = "(SELECT max(id) FROM change WHERE column_name = 'first_name')"


def swapped(table: str, column: str, one: int, other: int) -> list[str]:
    moves = ((-1, one), (one, other), (other, -1))
    return [f"UPDATE {table} SET {column} = {to} WHERE {column} = {was}" for to, was in moves]


OUTSIDER = "INSERT INTO change (table_name, row_id, column_name, cause, at) SELECT 'tag', 1, 'name', 'web', at FROM change WHERE id = 1"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([f"UPDATE change SET new = '\"Eve\"' WHERE id = {A_VALUE}"], {"block altered"}),
        (["UPDATE change SET actor_id = 7 WHERE id = (SELECT max(id) FROM change)"], {"block altered", "altered"}),
        (["UPDATE change SET cause = 'web' WHERE id = (SELECT min(id) FROM change)"], {"block altered", "altered"}),
        (["DELETE FROM change WHERE id = (SELECT max(id) FROM change)"], {"entries removed"}),
        (["DELETE FROM change WHERE id = 5"], {"entries removed"}),
        (swapped("change", "id", 3, 4), {"block altered"}),
        ([f"UPDATE change SET old = NULL, new = NULL, salt = NULL WHERE id = {A_VALUE}"], {"block altered"}),
        ([OUTSIDER], {"outside the chain"}),
        (["DELETE FROM change WHERE block_id = 2", "DELETE FROM audit_block WHERE id = 2"], {"chain broken"}),
        (swapped("audit_block", "place", 2, 3), {"chain broken"}),
    ],
)
def test_whoever_meddles_is_found_out(journal: CrmHarness, statements: Iterable[str], expected: set[str]) -> None:
    tamper(journal, *statements)
    found = problems(journal)
    assert expected & found, found


def test_values_that_were_blanked_without_an_erasure_are_missed(journal: CrmHarness) -> None:
    with journal.transaction() as session:
        assert chain.blank(session, sa.and_(Change.table_name == "customer", Change.row_id == 2)) == 2
    assert problems(journal) == {"values missing without an erasure"}


def test_a_cut_off_end_is_missed_by_whoever_noted_the_head(journal: CrmHarness) -> None:
    head = verify(journal).head
    tamper(journal, "DELETE FROM change WHERE block_id = (SELECT max(id) FROM audit_block)")
    tamper(journal, "DELETE FROM audit_block WHERE id = (SELECT max(id) FROM audit_block)")
    assert verify(journal).is_sound
    assert [one["problem"] for one in verify(journal, head).problems] == ["the end is missing"]


def test_an_erasure_leaves_the_chain_sound_and_no_value(journal: CrmHarness) -> None:
    journal.privacy.erase(1)
    upkeep.seal(journal)
    assert verify(journal).problems == []
    with journal.read() as session:
        kept = session.execute(
            sa.text("SELECT old, new, salt FROM change WHERE table_name = 'customer' AND row_id = 1 AND column_name <> '*'")
        ).all()
    assert set(kept) == {(None, None, None)}


def test_what_is_not_sealed_yet_is_covered_as_well(journal: CrmHarness) -> None:
    journal.customers.update(2, {"first_name": "Fresh"})
    assert verify(journal).is_sound
    tamper(journal, f"UPDATE change SET new = '\"Eve\"' WHERE id = {A_VALUE}")
    assert problems(journal) == {"block altered"}
