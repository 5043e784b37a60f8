"""Merges at the same time, and merges that are killed: nobody is lost, and all or nothing is done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers import search
from regulars_core.customers.models import Customer
from regulars_plugin_api.errors import Conflict, NotAllowedYet
from regulars_testkit.crm import CrmHarness


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call, in a thread of its own, came to."""
    answers: list[Any] = [None] * len(calls)
    together = threading.Barrier(len(calls))

    def run(place: int) -> None:
        together.wait()
        try:
            answers[place] = calls[place]()
        except Exception as failure:
            answers[place] = failure

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Conflict | NotAllowedYet)]
    return answers


@pytest.mark.parametrize("pairs", [((0, 1), (1, 0)), ((0, 1), (1, 2)), ((0, 1), (2, 1)), ((0, 1), (0, 2)), ((0, 1), (0, 1))])
def test_two_merges_at_once_lose_nobody(crm: CrmHarness, pairs: tuple[tuple[int, int], ...]) -> None:
    for _round in range(5):
        ids = [crm.customers.create({"first_name": f"P{place}", "tags": f"t{place}"}) for place in range(3)]
        answers = at_once(*(partial(crm.customers.merge, ids[one], ids[other]) for one, other in pairs))
        assert any(isinstance(one, int) for one in answers)
        found = [crm.customers.get(number) for number in ids]
        living = {one.id: one for one in found if one is not None}
        assert None not in found
        assert sorted(tag for one in living.values() for tag in one.tags) == ["t0", "t1", "t2"], "each tag once"
        with crm.read() as session:
            pointing = set(session.scalars(sa.select(Customer.merged_into_id).where(Customer.id.in_(ids))))
        assert pointing - {None} <= living.keys(), "who was merged leads to somebody who is there"


def test_a_change_and_a_merge_at_once(crm: CrmHarness) -> None:
    for _round in range(5):
        keep, drop = (crm.customers.create({"first_name": name}) for name in ("Keep", "Drop"))
        at_once(partial(crm.customers.merge, keep, drop), partial(crm.customers.update, keep, {"notes": "changed"}))
        found = crm.customers.get(drop)
        assert found is not None
        assert (found.id, found.notes) == (keep, "changed")


def test_the_number_of_one_who_was_merged_leads_to_the_one_that_stays(crm: CrmHarness) -> None:
    keep, drop = (crm.customers.create({"first_name": name}) for name in ("Keep", "Drop"))
    crm.customers.merge(keep, drop)
    crm.customers.update(drop, {"notes": "changed"})
    found = crm.customers.get(keep)
    assert found is not None
    assert found.notes == "changed"


def test_a_merge_that_breaks_off_has_not_happened(crm: CrmHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, drop = (crm.customers.create({"first_name": name, "emails": f"{name}@example.com"}) for name in ("Keep", "Drop"))
    before = crm.dump()

    def break_off(session: Session, ids: Any) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as broken:
        broken.setattr(search, "reindex", break_off)
        with pytest.raises(RuntimeError):
            crm.customers.merge(keep, drop)
    assert crm.dump() == before
    merge = crm.customers.merge(keep, drop)
    after = crm.dump()
    with monkeypatch.context() as broken:
        broken.setattr(search, "reindex", break_off)
        with pytest.raises(RuntimeError):
            crm.customers.unmerge(merge)
    assert crm.dump() == after
    crm.customers.unmerge(merge)
    assert crm.dump() == before
