"""The plugin switched on in a small chain: a store in Malmö and one in New York, and members of staff signed in."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from regulars_core.users import passwords, service, sessions
from regulars_core.users.models import Role, RolePermission, User
from regulars_testkit.crm import CrmHarness
from regulars_testkit.staff import PASSWORD, Staff
from regulars_web.app import create_app
from regulars_web.security import SIGN_IN

STORES = "code,name,timezone,currency,country\nM1,Malmö,Europe/Stockholm,SEK,SE\nNY,New York,America/New_York,USD,US\n"
CUSTOMERS = "external_id,display_name,store,phone,birthday\nK1,Ada Öberg,M1,070-174 06 31,1990-12-01\nK2,Bo,NY,,\nK3,李秀英,M1,,\n"
NOW = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)


class StoppedClock:
    """A Sunday morning in Malmö, until somebody moves the hands."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> dt.datetime:
        return self.at


class Chain:
    """A running system with what tests of contacts do all the time."""

    def __init__(self, crm: CrmHarness) -> None:
        self.crm = crm
        self.clock = crm.clock = StoppedClock()

    def load(self, kind: str, text: str, **options: Any) -> dict[str, Any]:
        """Import rows of any kind."""
        return self.crm.import_text(kind, text, **options)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.crm.read() as session:
            return [tuple(row) for row in session.execute(sa.text(query), values)]

    def customer(self, name: str) -> int:
        """The id of a customer."""
        return int(self.rows("SELECT id FROM customer WHERE display_name = :name", name=name)[0][0])

    def contacts(self) -> list[tuple[Any, ...]]:
        """Customer, channel, direction, text and outcome of each contact."""
        columns = "c.display_name, i.channel, i.direction, i.text, i.outcome"
        return self.rows(f"SELECT {columns} FROM contact_tracking_interaction i JOIN customer c ON c.id = i.customer_id ORDER BY i.id")

    def follow_ups(self) -> list[tuple[Any, ...]]:
        """Customer, what, day, assignee, whether it is done, and its outcome."""
        columns = "c.display_name, f.what, CAST(f.due_on AS TEXT), u.name, f.done_at IS NOT NULL, f.outcome"
        joins = "JOIN customer c ON c.id = f.customer_id LEFT JOIN user_account u ON u.id = f.assignee_id"
        found = self.rows(f"SELECT {columns} FROM contact_tracking_follow_up f {joins} ORDER BY f.id")
        return [(*row[:4], bool(row[4]), row[5]) for row in found]


@pytest.fixture
def chain(crm: CrmHarness) -> Chain:
    """Two stores and three customers."""
    crm.enable("contact_tracking")
    chain = Chain(crm)
    assert chain.load("store", STORES)["created"] == 2
    assert chain.load("customer", CUSTOMERS, country="SE")["created"] == 3
    return chain


@pytest.fixture
def app(chain: Chain) -> Flask:
    """Its web application."""
    return create_app(chain.crm)


@pytest.fixture
def staff(chain: Chain, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Staff]:
    """``staff("Anna", role="clerk", stores=["M1"])``, or with ``may`` exactly these permissions: somebody signed in."""
    monkeypatch.setattr(passwords, "hashed", lambda password: "not for signing in")
    numbers = itertools.count(1)

    def sign_in(name: str, role: str = "", *, may: list[str] | None = None, stores: list[str] | None = None) -> Staff:
        crm, email = chain.crm, f"{name.lower()}{next(numbers)}@example.com"
        with crm.transaction() as session:
            if may is not None:
                role = f"role of {email}"
                made = Role(name=role)
                session.add(made)
                session.flush()
                session.add_all(RolePermission(role_id=made.id, permission=permission) for permission in may)
            user: User = service.create(session, email=email, name=name, password=PASSWORD, roles=[role], at=crm.clock.now())
            if stores:
                service.grant(session, email, roles=[role], stores=stores)
            token = sessions.start(session, user.id, crm.clock.now())
        somebody = Staff(app, email)
        with somebody.client.session_transaction() as cookie:
            cookie.update({"_user_id": user.fs_uniquifier, "_fresh": True, SIGN_IN: token})
        return somebody

    return sign_in
