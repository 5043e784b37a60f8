"""Files in which one phone number or e-mail address stands beside hundreds of names."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from regulars_testkit.crm import CrmHarness

ROWS = 4_000
HEADER = "external_id,first_name,last_name,email,phone\n"


def _file(source: str, contact: Callable[[int], str], number: Callable[[int], str]) -> str:
    return HEADER + "".join(f"{number(n)},Åsa{source},Holm {n},{contact(n)}\n" for n in range(ROWS))


@pytest.mark.parametrize("shared", ["a@example.com,", ",+46 70 123 45 67"])
def test_a_contact_that_everybody_shares_costs_no_more_than_one_of_their_own(crm: CrmHarness, shared: str) -> None:
    taken: dict[str, float] = {}
    for name, contact in (
        ("their own", lambda n: f"b{n}@example.com,+46708{n:06d}"),
        ("shared", lambda _n: shared),
        ("shared again", lambda _n: shared),
    ):
        started = time.process_time()
        # The last file is of another source: none of its numbers is known, and thousands have the contact.
        report = crm.import_text("customer", _file(name[0], contact, lambda n, name=name: f"{name}{n}"), source=name.split()[0] + name[-1:])
        taken[name] = time.process_time() - started
        assert report["verdict"] in ("accept", "partial")
    assert max(taken["shared"], taken["shared again"]) < 3 * taken["their own"], taken


def test_of_those_who_share_a_contact_the_number_or_the_other_contact_says_who_is_meant(crm: CrmHarness) -> None:
    phone = "+46701234567"
    family = (f"1,Åsa,Holm,asa@example.com,{phone}", f"2,Evy,Holm,evy@example.com,{phone}", f"3,Ola,Holm,,{phone}")
    assert crm.import_text("customer", HEADER + "\n".join(family))["created"] == 3
    again = (f",Evy,Holm,evy@example.com,{phone}", f",Ola,Holm,,{phone}", f"3,,Holm,,{phone}")
    report = crm.import_text("customer", HEADER + "\n".join(again))
    assert (report["unchanged"], report["records"]) == (2, 3)
    assert [(one["record"], one["code"]) for one in report["rejected"]] == [(2, "ambiguous_match")]
