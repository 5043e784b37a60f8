"""What the worker does between times."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from regulars_core.audit.models import AuditBlock
from regulars_core.privacy import upkeep
from regulars_core.privacy.models import Erasure
from regulars_testkit.crm import CrmHarness


def loose(crm: CrmHarness) -> int:
    with crm.read() as session:
        return session.scalar(sa.select(sa.func.count()).where(AuditBlock.place.is_(None))) or 0


def test_a_round_seals_the_journal_and_scrubs_what_was_erased(crm: CrmHarness) -> None:
    customer_id = crm.customers.create({"first_name": "Eva"})
    number = crm.privacy.erase(customer_id)
    assert loose(crm) > 0
    work = upkeep.Upkeep()
    assert work(crm) is False
    assert (loose(crm), crm.privacy.receipt(number)["scrubbed_at"] is not None) == (0, True)
    crm.customers.create({"first_name": "Bo"})
    work(crm)
    assert loose(crm) > 0, "not again so soon"


def test_a_reader_in_the_way_leaves_the_scrubbing_for_later(crm: CrmHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    number = crm.privacy.erase(crm.customers.create({"first_name": "Eva"}))
    if not crm.database.is_sqlite:
        upkeep.scrub(crm)
        assert crm.privacy.receipt(number)["scrubbed_at"] is not None
        return
    monkeypatch.setattr(crm.database, "cut_log", lambda: False)
    upkeep.scrub(crm)
    with crm.read() as session:
        assert session.scalars(sa.select(Erasure.scrubbed_at)).all() == [None]
    monkeypatch.undo()
    upkeep.scrub(crm)
    assert crm.privacy.receipt(number)["scrubbed_at"] is not None
