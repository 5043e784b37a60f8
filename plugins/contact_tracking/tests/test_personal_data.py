"""What is kept of a person is handed out, goes with a merge and back, and is forgotten with the person."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_contact_tracking import plans
from regulars_contact_tracking.models import Plan
from regulars_core.privacy import upkeep
from regulars_testkit.staff import Staff

MARK = "Qzxmark"
TABLES = ("interaction", "follow_up", "client", "detail", "plan")


@pytest.fixture
def people(chain: Any, staff: Callable[..., Staff]) -> tuple[int, int]:
    """Ada and Bo, of whom everything is known; both are Anna's clients, with follow-ups of the same plan on the same day."""
    anna, ada, bo = staff("Anna", "manager"), chain.customer("Ada Öberg"), chain.customer("Bo")
    rhythm = {"what": f"{MARK} hello", "every": "2", "unit": "weeks", "starts_on": "2026-11-15"}
    for one in (ada, bo):
        path = f"/contact_tracking/customers/{one}"
        said = {"channel": "phone", "text": f"{MARK} {one}", "next_step": f"{MARK} step", "due_on": "2026-11-25"}
        assert anna.post(f"{path}/interactions", said).status_code == 302
        anna.post(f"{path}/take")
        anna.post(f"{path}/details", {"kind": "size", "title": MARK, "value": "39"})
        anna.post(f"{path}/plans", rhythm)
    anna.post("/contact_tracking/plans", rhythm)
    with chain.crm.transaction() as session:
        for plan in session.scalars(sa.select(Plan).order_by(Plan.id)).all():
            # As if each had been made before the other plan was there.
            made = plans.make_due(session, plan, plan.starts_on, chain.clock.now())
            assert made == (1 if plan.customer_id else 2)
    return ada, bo


def counts(chain: Any, customer_id: int) -> dict[str, int]:
    return {
        name: chain.rows(f"SELECT count(*) FROM contact_tracking_{name} WHERE customer_id = :one", one=customer_id)[0][0] for name in TABLES
    }


def test_merged_and_taken_apart(chain: Any, people: tuple[int, int]) -> None:
    ada, bo = people
    before = chain.crm.dump()
    merge = chain.crm.customers.merge(ada, bo)
    # Anna's two entries are one, and so are the two follow-ups of her plan for all clients.
    assert counts(chain, ada) == {"interaction": 2, "follow_up": 5, "client": 1, "detail": 2, "plan": 2}
    assert set(counts(chain, bo).values()) == {0}
    chain.crm.customers.unmerge(merge)
    assert chain.crm.dump() == before


def test_handed_out(chain: Any, people: tuple[int, int]) -> None:
    out = io.BytesIO()
    chain.crm.privacy.personal_data(people[0], out)
    with zipfile.ZipFile(out) as package:
        text = "\n".join(package.read(name).decode("utf-8", "replace") for name in package.namelist())
    assert [said in text for said in (f"{MARK} {people[0]}", f"{MARK} step", f"{MARK} hello", "39")] == [True] * 4
    assert f"{MARK} {people[1]}" not in text


def test_forgotten(chain: Any, people: tuple[int, int]) -> None:
    ada, bo = people
    chain.crm.privacy.erase(ada)
    upkeep.scrub(chain.crm)
    assert set(counts(chain, ada).values()) == {0}
    assert set(counts(chain, bo).values()) >= {1}
    assert chain.rows("SELECT count(*) FROM change WHERE old LIKE :one OR new LIKE :one", one=f"%{MARK} {ada}%") == [(0,)]
