"""Every answer carries the security headers (K07, V3.4.3 to V3.4.6, V14.3.2); nothing internal is told (V16.5.1)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

import regulars_web
from regulars_core.crm import Crm
from regulars_testkit.staff import Staff
from regulars_web.app import create_app
from regulars_web.headers import ALWAYS


def fail() -> str:
    raise RuntimeError("the secret is in /etc/shadow")


@pytest.fixture
def pages(app: Flask, staff: Callable[..., Staff]) -> Staff:
    """An administrator's browser, and a view that breaks."""
    from regulars_plugin_api.web import PUBLIC, access

    app.add_url_rule("/broken", "broken", access(PUBLIC)(fail))
    app.add_url_rule("/api/v1/broken", "api_broken", access(PUBLIC)(fail))
    return staff(role="administrator")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/customers", 200), ("/nowhere", 404), ("/broken", 500), ("/sign-out", 405), ("/healthz", 200), ("/imports/9", 404)],
)
def test_every_answer_is_closed_and_not_kept(pages: Staff, path: str, status: int) -> None:
    reply = pages.get(path)
    assert reply.status_code == status
    assert {name: reply.headers.get(name) for name in ALWAYS} == ALWAYS
    assert reply.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert len(reply.headers["X-Request-ID"]) == 32


def test_a_failure_tells_a_number_and_nothing_else(pages: Staff) -> None:
    for path in ("/broken", "/api/v1/broken"):
        reply = pages.get(path)
        assert reply.headers["X-Request-ID"] in reply.text
        assert not any(word in reply.text for word in ("shadow", "RuntimeError", "Traceback", ".py"))


def test_no_page_has_scripts_or_styles_inside(pages: Staff) -> None:
    for path in ("/", "/customers", "/customers/new", "/imports/new", "/stores/new", "/profile", "/search?q=x", "/nowhere"):
        page = pages.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count('<script src="/static/regulars/')


def test_static_files_are_kept_for_ever_under_an_address_of_their_content(app: Flask) -> None:
    with app.test_request_context():
        address = app.extensions["regulars_assets"].url("theme.css")
    reply = app.test_client().get(address)
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert {name: reply.headers.get(name) for name in ALWAYS} == ALWAYS
    old = app.test_client().get("/static/regulars/0123456789/theme.css")
    assert (old.status_code, old.headers["Cache-Control"]) == (200, "no-cache")


def test_behind_https_cookies_are_secure(make_crm: Callable[..., Crm]) -> None:
    reply = create_app(make_crm(base_url="https://crm.example.com")).test_client().get("/sign-in")
    assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert reply.headers["Set-Cookie"].startswith("__Host-regulars=")
    assert "Secure" in reply.headers["Set-Cookie"]


def test_a_made_up_host_finds_its_way_into_nothing(app: Flask) -> None:
    for path in ("/", "/sign-in", "/nowhere"):
        reply = app.test_client().get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert "evil" not in reply.text
        assert "evil" not in str(reply.headers)


def test_libraries_are_the_ones_that_were_vendored() -> None:
    static = Path(regulars_web.__file__).parent / "static"
    locked = {name: digest for one in json.loads((static / "vendor.lock.json").read_text()) for name, digest in one["files"].items()}
    found = {
        path.name: "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        for path in (static / "vendor").iterdir()
    }
    assert found == locked


def test_a_form_that_is_too_large_is_refused(pages: Staff) -> None:
    reply = pages.client.post("/customers/new", data={"notes": "x" * 1_100_000, "csrf_token": pages.token()})
    assert reply.status_code == 413


def test_with_an_old_schema_every_page_says_what_to_run(crm: Crm) -> None:
    with crm.database.transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'core_0001'"))
    visitor = create_app(crm).test_client()
    assert [visitor.get(path).status_code for path in ("/", "/sign-in", "/customers")] == [503] * 3
    assert "regulars db upgrade" in visitor.get("/sign-in").text
    assert visitor.get("/healthz").status_code == 200
    reply = visitor.get("/readyz")
    assert (reply.status_code, reply.get_json()) == (
        503,
        {"missing": ["schema"], "reasons": {"schema": "The database has to be upgraded first."}, "status": "not ready"},
    )
