"""The sample chain's contacts: believable, and the same each time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_contact_tracking.demo_words import TALKS
from regulars_contact_tracking.models import Channel, Direction
from regulars_core.users import passwords, service
from regulars_testkit.crm import CrmHarness
from regulars_testkit.staff import PASSWORD
from regulars_web import demo as core_demo


@pytest.fixture
def filled(crm: CrmHarness, monkeypatch: pytest.MonkeyPatch) -> CrmHarness:
    monkeypatch.setattr(passwords, "hashed", lambda password: "not for signing in")
    crm.enable("contact_tracking")
    with crm.transaction() as session:
        for name in ("Anna", "Olle"):
            service.create(session, email=f"{name}@example.com", name=name, password=PASSWORD, roles=["clerk"], at=crm.clock.now())
    core_demo.fill(crm, "small")
    return crm


def test_the_sample_chain_is_in_touch(filled: CrmHarness) -> None:
    def one(query: str) -> Any:
        with filled.read() as session:
            return session.execute(sa.text(query)).one()

    nobody = "sum(CASE WHEN created_by_id IS NULL THEN 1 ELSE 0 END)"
    contacts, people, of_nobody = one(f"SELECT count(*), count(DISTINCT customer_id), {nobody} FROM contact_tracking_interaction")
    assert (2500 < contacts < 4500, 1200 < people < 2500, of_nobody) == (True, True, 0)
    late = "sum(CASE WHEN due_on < '2026-11-22' THEN 1 ELSE 0 END)"
    still_open, overdue = one(f"SELECT count(*), {late} FROM contact_tracking_follow_up WHERE done_at IS NULL")
    assert (still_open, 0 < overdue < still_open) == (10, True)
    assert one("SELECT count(*), count(DISTINCT user_id) FROM contact_tracking_client") == (48, 2)
    chinese = "SELECT count(*) FROM contact_tracking_interaction i JOIN customer c ON c.id = i.customer_id WHERE c.language = 'zh'"
    assert one(f"{chinese} AND i.text LIKE '%窗帘%'")[0] > 0


def test_what_is_said_fits_the_tables() -> None:
    for channel, direction, text, outcome, _step in itertools.chain.from_iterable(TALKS.values()):
        assert (Channel(channel).value, Direction(direction).value) == (channel, direction)
        assert text
        assert outcome
