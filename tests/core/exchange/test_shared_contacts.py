"""Files in which one phone number or e-mail address stands beside hundreds of names."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from regulars_testkit.crm import CrmHarness

ROWS = 4_000
HEADER = "external_id,first_name,last_name,email,phone\n"


def _file(source: str, contact: Callable[[int], str]) -> str:
    return HEADER + "".join(f"{source}{n},Åsa {source},Holm {n},{contact(n)}\n" for n in range(ROWS))


@pytest.mark.parametrize("shared", ["a@example.com,", ",+46 70 123 45 67"])
def test_a_contact_that_everybody_shares_costs_no_more_than_one_of_their_own(crm: CrmHarness, shared: str) -> None:
    taken: dict[str, float] = {}
    # Sources: the last file's numbers are unknown, and thousands have its contact.
    for source, contact in (
        ("own", lambda n: f"b{n}@example.com,+46708{n:06d}"),
        ("first", lambda _n: shared),
        ("second", lambda _n: shared),
    ):
        text = _file(source, contact)
        started = time.process_time()
        assert crm.import_text("customer", text, source=source)["verdict"] in ("accept", "partial")
        taken[source] = time.process_time() - started
    assert max(taken["first"], taken["second"]) < 3 * taken["own"], taken


def test_of_those_who_share_a_contact_the_number_or_the_other_contact_says_who_is_meant(crm: CrmHarness) -> None:
    phone = "+46701234567"
    family = (f"1,Åsa,Holm,asa@example.com,{phone}", f"2,Evy,Holm,evy@example.com,{phone}", f"3,Ola,Holm,,{phone}")
    assert crm.import_text("customer", HEADER + "\n".join(family))["created"] == 3
    again = (f",Evy,Holm,evy@example.com,{phone}", f",Ola,Holm,,{phone}", f"3,,Holm,,{phone}")
    report = crm.import_text("customer", HEADER + "\n".join(again))
    assert (report["unchanged"], report["records"]) == (2, 3)
    assert [(one["record"], one["code"]) for one in report["rejected"]] == [(2, "ambiguous_match")]
