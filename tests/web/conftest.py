"""A running system without plugins, and members of staff who are signed in to its pages."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from regulars_core.config import Config, create_home
from regulars_core.crm import Crm, open_crm
from regulars_core.dump import dump
from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.switching import enable
from regulars_core.users import passwords, service, sessions
from regulars_core.users.models import Role, RolePermission
from regulars_testkit.databases import counted
from regulars_testkit.staff import PASSWORD, Staff, add_store
from regulars_web.app import create_app
from regulars_web.security import SIGN_IN


@pytest.fixture(scope="session")
def hashed_password() -> str:
    """Hashing takes its time on purpose: once is enough."""
    return passwords.hashed(PASSWORD)


@pytest.fixture
def make_crm(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Crm]]:
    """``make_crm(module, …)``: the system with these modules as its only plugins, all switched on."""
    made: list[Crm] = []

    def make(*modules: types.ModuleType, **settings: Any) -> Crm:
        home = tmp_path / "home"
        create_home(home)
        config = Config(home=home, database_url=database_url, secret_key="k" * 40, **settings)
        crm = open_crm(config, plugins=[Candidate(one.MANIFEST.name, "0.1", partial(_itself, one)) for one in modules])
        made.append(crm)
        for one in modules:
            enable(crm, one.MANIFEST.name)
        return crm

    yield make
    for crm in made:
        crm.close()


def _itself(module: types.ModuleType) -> types.ModuleType:
    return module


@pytest.fixture
def crm(make_crm: Callable[..., Crm]) -> Crm:
    """The system with no plugin."""
    return make_crm()


@pytest.fixture
def app(crm: Crm) -> Flask:
    """Its web application."""
    return create_app(crm)


@pytest.fixture
def staff(crm: Crm, app: Flask, hashed_password: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Staff]:
    """``staff(may=[…], stores=[…])``: somebody with a role of exactly these permissions, signed in."""
    numbers = itertools.count(1)
    monkeypatch.setattr(passwords, "hashed", lambda password: hashed_password)

    def sign_in(may: list[str] | None = None, *, role: str | None = None, stores: list[str] | None = None, on: Flask = app) -> Staff:
        number = next(numbers)
        running: Crm = on.extensions["regulars"]
        with running.transaction() as session:
            if role is None:
                role = f"role-{number}"
                made = Role(name=role)
                session.add(made)
                session.flush()
                session.add_all(RolePermission(role_id=made.id, permission=permission) for permission in may or [])
            user = service.create(
                session,
                email=f"user{number}@example.com",
                name=f"Anna Berg {number}",
                password=PASSWORD,
                roles=[role],
                at=running.clock.now(),
            )
            if stores:
                service.grant(session, user.email, roles=[role], stores=stores)
            token = sessions.start(session, user.id, running.clock.now())
        somebody = Staff(on, user.email)
        with somebody.client.session_transaction() as cookie:
            cookie.update({"_user_id": user.fs_uniquifier, "_fresh": True, SIGN_IN: token})
            cookie.permanent = True
        return somebody

    return sign_in


@pytest.fixture
def contents(crm: Crm) -> Callable[[], list[str]]:
    """All business data, to be compared before and after."""

    def read() -> list[str]:
        with crm.read() as session:
            return list(dump(session))

    return read


@pytest.fixture
def statements(crm: Crm) -> Iterator[list[str]]:
    """Every statement sent to the database since the list was last cleared."""
    with counted() as sent:
        yield sent


@pytest.fixture
def malmo(crm: Crm) -> int:
    """The store MALMO."""
    return add_store(crm, "MALMO", "Malmö Triangeln")
