"""REGULARS_SAFE_MODE=1: the house starts bare and says so on each page; nothing is lost, and a guilty plugin can be switched off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sample_plugins import SECRET
from sample_plugins.keeping import plugin as keeping

from regulars_core.bus.models import Delivery
from regulars_core.config import Config
from regulars_core.crm import Crm, open_crm
from regulars_core.dump import dump
from regulars_core.plugins import switching
from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.registry import State
from regulars_core.plugins.switching import catch_up
from regulars_testkit.staff import Staff
from regulars_web.app import create_app


def explode() -> None:
    raise AssertionError("imported in safe mode")


@pytest.fixture
def safe(make_crm: Callable[..., Crm], tmp_path: Path) -> Crm:
    """A system with a plugin that is on, opened again in safe mode."""
    crm = make_crm(keeping)
    crm.customers.create({"display_name": "Åsa Holm"})
    config = Config(home=tmp_path / "home", database_url=crm.config.database_url, secret_key=SECRET, safe_mode=True)
    return open_crm(config, plugins=[Candidate("keeping", "0.1", partial(explode))])  # type: ignore[arg-type]


def test_each_page_says_so_and_the_list_says_why(safe: Crm, staff: Callable[..., Staff]) -> None:
    app = create_app(safe)
    admin = staff(role="administrator", on=app)
    for path in ("/", "/customers", "/customers/1", "/plugins", "/events", "/nowhere"):
        assert "Safe mode: no plugin is running." in admin.get(path).text, path
    assert "Safe mode: no plugin is running." in app.test_client().get("/sign-in").text
    assert "Safe mode: no plugin is loaded." in admin.get("/plugins/keeping").text
    assert [(one.name, one.state) for one in safe.plugins.listed()] == [("keeping", State.BROKEN)]


def test_nothing_is_lost_and_events_wait(safe: Crm, make_crm: Callable[..., Crm]) -> None:
    catch_up(safe)
    safe.customers.create({"display_name": "Bo Ek"})
    with safe.read() as session:
        before = list(dump(session))
        assert session.scalars(sa.select(Delivery.handler)).all() == ["keeping.greet"] * 2
    again = make_crm(keeping)
    with again.read() as session:
        assert list(dump(session)) == before
    assert [one.state for one in again.plugins.listed()] == [State.ENABLED]


def test_the_guilty_one_is_switched_off_from_there(safe: Crm, make_crm: Callable[..., Crm]) -> None:
    switching.disable(safe, "keeping")
    config = Config(home=safe.config.home, database_url=safe.config.database_url, secret_key=SECRET)
    again = open_crm(config, plugins=[Candidate("keeping", "0.1", lambda: keeping)])
    assert [one.state for one in again.plugins.listed()] == [State.DISABLED]


def test_otherwise_no_page_speaks_of_it(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    assert "Safe mode" not in staff(role="administrator", on=create_app(make_crm())).get("/customers").text
