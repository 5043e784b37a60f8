"""Members of staff at their browsers, and toy plugins, for tests of pages."""

from __future__ import annotations

import re
import secrets
import types
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from regulars_core.crm import Crm
from regulars_core.stores import service as all_stores
from regulars_core.users import service, sessions
from regulars_core.users.models import Role, RolePermission, User
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.manifest import Category, Manifest
from regulars_web.security import SIGN_IN

PASSWORD = "korrekt häst batteri"


class Staff:
    """A signed-in browser. Posts carry the CSRF token of the last page, as a form does."""

    def __init__(self, app: Flask, email: str) -> None:
        self.client = app.test_client()
        self.email = email

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        return self.client.post(path, data={**(data or {}), "csrf_token": self.token()}, **options)

    def token(self) -> str:
        return csrf_token(self.client.get("/profile").text)


class RestClient:
    """A program that speaks JSON as somebody of staff."""

    def __init__(self, staff: Staff) -> None:
        self.client = staff.client
        self._token = staff.token()

    def get(self, path: str, **headers: str) -> Any:
        """Read; the answer has ``status_code``, ``json`` and ``headers``."""
        return self.send("GET", path, **headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; ``If_Match="…"`` becomes the header ``If-Match``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, json=body, headers={"X-CSRFToken": self._token, **named})


def sign_in(
    app: Flask, *, may: Collection[str] | None = None, role: str | None = None, stores: Collection[str] = (), name: str = "Anna Berg"
) -> Staff:
    """Somebody signed in, with a role or with exactly the permissions ``may``, in these stores or in the whole chain."""
    crm: Crm = app.extensions["regulars"]
    with crm.transaction() as session:
        number = len(session.scalars(sa.select(User.id)).all()) + 1
        if role is None:
            role = f"role-{number}"
            made = Role(name=role)
            session.add(made)
            session.flush()
            session.add_all(RolePermission(role_id=made.id, permission=permission) for permission in may or ())
        email, now = f"user{number}@example.com", crm.clock.now()
        # No hash of a password: making one takes its time on purpose, and nobody types it here.
        key, roles = secrets.token_hex(32), session.scalars(sa.select(Role).where(Role.name == role)).all()
        about = {"name": f"{name} {number}", "password": "none", "active": True, "locale": "en", "theme": "auto", "created_at": now}
        user = User(uid=uuid7(), email=email, fs_uniquifier=key, roles=list(roles), **about)
        session.add(user)
        session.flush()
        if stores:
            service.grant(session, email, roles=[role], stores=list(stores))
        token = sessions.start(session, user.id, now)
    somebody = Staff(app, email)
    with somebody.client.session_transaction() as cookie:
        cookie.update({"_user_id": user.fs_uniquifier, "_fresh": True, SIGN_IN: token})
        cookie.permanent = True
    return somebody


def csrf_token(page: str) -> str:
    found = re.search(r'"X-CSRFToken": "([^"]+)"', page)
    assert found is not None
    return found[1]


def add_store(crm: Crm, code: str, name: str) -> int:
    with crm.transaction() as session:
        return all_stores.add(session, {"code": code, "name": name, "country": "SE"}, timezone="Europe/Stockholm", currency="SEK")


def plugin(name: str, **functions: Any) -> types.ModuleType:
    """A plugin made of these hook implementations."""
    module = types.ModuleType(f"toy_{name}")
    manifest = Manifest(name=name, title=name.title(), summary="A toy.", category=Category.CUSTOMERS, api="1.0")
    module.__dict__.update(MANIFEST=manifest, **functions)
    return module
