"""P4 for those who come often: a customer with 5,000 entries of four plugins beside one with twenty, as staff open the page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from bench.plans import Pages, look_at
from bench.serving import side_by_side
from sample_plugins import candidate, diaries

from regulars_core.config import Config, create_home
from regulars_core.crm import Crm, open_crm
from regulars_core.plugins.switching import enable
from regulars_core.users import service
from regulars_testkit.staff import PASSWORD

pytestmark = pytest.mark.bench

GOAL, SLACK, MANY, FEW = 1.25, 1.5, 5_000, 20
MANAGER = "manager@example.com"
OTHERS = 20
"""Customers with a history as long, so that it is not the only one in the tables."""


@pytest.fixture
def crm(database_url: str, tmp_path: Path) -> Iterator[Crm]:
    create_home(tmp_path / "home")
    modules = [diaries.diary(name) for name in diaries.NAMES]
    crm = open_crm(
        Config(home=tmp_path / "home", database_url=database_url, secret_key="k" * 40), plugins=[candidate(one) for one in modules]
    )
    for name in diaries.NAMES:
        enable(crm, name)
    with crm.transaction() as session:
        service.create(session, email=MANAGER, name="Manager", password=PASSWORD, roles=["manager"], at=crm.clock.now())
    yield crm
    crm.close()


def test_a_long_history_opens_as_a_short_one(crm: Crm) -> None:
    histories = {crm.customers.create({"display_name": "Ada"}): amount for amount in (MANY, FEW, *(MANY for _other in range(OTHERS)))}
    with crm.transaction() as session:
        for customer_id, amount in histories.items():
            diaries.write(session, customer_id, amount)
    with crm.transaction() as session:
        session.execute(sa.text("ANALYZE"))
    many, few = list(histories)[:2]
    pages = Pages(crm, MANAGER, PASSWORD)
    for path in ("/customers/{}", "/customers/{}/timeline"):
        looked = [look_at(pages, path.format(one)) for one in (many, few)]
        assert looked[0].statements == looked[1].statements
        asks = {str(amount): partial(pages.client.get, path.format(one)) for one, amount in ((many, MANY), (few, FEW))}
        times = {amount: cost.time for amount, cost in side_by_side(asks, rounds=5, each=20).items()}
        ratio = times[str(MANY)] / times[str(FEW)]
        said = f"{times[str(MANY)]:.2f} ms with {MANY:,} entries, {times[str(FEW)]:.2f} with {FEW}, {looked[0].statements} statements"
        print(f"\n{crm.config.database_url.partition(':')[0]} {path}: {said}: {ratio:.2f}x, goal {GOAL}x")  # noqa: T201
        assert ratio <= GOAL * SLACK
