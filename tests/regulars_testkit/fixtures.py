"""The running system as a fixture, imported only by the tests that ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask

    from regulars_plugin_api.events import DomainEvent
    from regulars_plugin_api.views import CustomerView
    from regulars_testkit.crm import CrmHarness
    from regulars_testkit.staff import RestClient, Staff


@pytest.fixture
def crm(database_url: str, tmp_path: Path) -> Iterator[CrmHarness]:
    """The running system without plugins switched on, once on SQLite and once on PostgreSQL."""
    from regulars_testkit.crm import open_harness

    harness = open_harness(database_url, tmp_path / "home")
    yield harness
    harness.close()


@pytest.fixture
def app(crm: CrmHarness) -> Flask:
    """Its web application, with the views of every installed plugin."""
    from regulars_web.app import create_app

    return create_app(crm)


@pytest.fixture
def customer(crm: CrmHarness) -> CustomerView:
    """Ada Öberg of Malmö, the first customer."""
    customer_id = crm.customers.create({"display_name": "Ada Öberg", "emails": ["ada@example.com"], "external_id": "K1"})
    found = crm.customers.get(customer_id)
    assert found is not None
    return found


@pytest.fixture
def staff_client(request: pytest.FixtureRequest) -> Callable[..., Staff]:
    """``staff_client(may=["loyalty.view"])`` or ``staff_client(role="clerk", stores=["M1"])``: a signed-in browser."""

    def signed_in(**about: Any) -> Staff:
        from regulars_testkit.staff import sign_in

        return sign_in(request.getfixturevalue("app"), **about)

    return signed_in


@pytest.fixture
def rest_client(staff_client: Callable[..., Staff]) -> Callable[..., RestClient]:
    """``rest_client(may=["loyalty.view"])``: a program that speaks JSON as somebody of staff."""

    def signed_in(**about: Any) -> RestClient:
        from regulars_testkit.staff import RestClient

        return RestClient(staff_client(**about))

    return signed_in


@pytest.fixture
def sent_events(crm: CrmHarness, monkeypatch: pytest.MonkeyPatch) -> list[DomainEvent]:
    """What was told since the test began, in order; only what was committed."""
    sent: list[DomainEvent] = []
    tell = crm.signals.send

    def note(event: DomainEvent) -> None:
        sent.append(event)
        tell(event)

    monkeypatch.setattr(crm.signals, "send", note)
    return sent


@pytest.fixture
def query_count() -> Callable[[], AbstractContextManager[list[str]]]:
    """``with query_count() as statements:`` gathers the statements sent to any database inside the block."""
    from regulars_testkit.databases import counted

    return counted
