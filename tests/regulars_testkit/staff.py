"""Members of staff at their browsers, and toy plugins, for tests of pages."""

from __future__ import annotations

import re
import types
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from regulars_core.crm import Crm
from regulars_core.stores import service as stores
from regulars_plugin_api.manifest import Category, Manifest

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


def csrf_token(page: str) -> str:
    found = re.search(r'"X-CSRFToken": "([^"]+)"', page)
    assert found is not None
    return found[1]


def add_store(crm: Crm, code: str, name: str) -> int:
    with crm.transaction() as session:
        return stores.add(session, {"code": code, "name": name, "country": "SE"}, timezone="Europe/Stockholm", currency="SEK")


def plugin(name: str, **functions: Any) -> types.ModuleType:
    """A plugin made of these hook implementations."""
    module = types.ModuleType(f"toy_{name}")
    manifest = Manifest(name=name, title=name.title(), summary="A toy.", category=Category.CUSTOMERS, api="1.0")
    module.__dict__.update(MANIFEST=manifest, **functions)
    return module
