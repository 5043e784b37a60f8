"""Nobody passes without an access rule (K01, K05, V8.2.1, V8.3.1): every route, every way in, the database compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from regulars_core.crm import Crm
from regulars_core.plugins.switching import disable
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.web import PUBLIC, PluginBlueprint, access, declared_access
from regulars_testkit.staff import Staff, plugin
from regulars_web.app import create_app
from regulars_web.gate import SIGNED_IN
from regulars_web.security import PUBLIC_ENDPOINTS

SAMPLE: dict[str, Any] = {
    "customer": 1,
    "customer_id": 1,
    "uid": "019a0000-0000-7000-8000-000000000000",
    "name": "toy",
    "run_id": 1,
    "plugin": "toy",
    "key": "panel",
    "owner": "regulars",
    "digest": "x",
    "filename": "theme.css",
}
METHODS = ("GET", "POST", "PATCH", "DELETE")
FLASK_SECURITY_EXTRAS = {"security.verify"}


def routes(app: Flask, method: str) -> Iterator[tuple[str, str, str | None]]:
    """(endpoint, a path, the permission it asks for)"""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if method in (rule.methods or ()) and rule.endpoint != "asset":
                permission = PUBLIC if rule.endpoint in PUBLIC_ENDPOINTS else declared_access(app.view_functions[rule.endpoint])
                yield rule.endpoint, path_of(app, rule), permission


def path_of(app: Flask, rule: Rule) -> str:
    return app.url_for(rule.endpoint, **{name: SAMPLE.get(name, 1) for name in rule.arguments})


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    undeclared = {endpoint for method in METHODS for endpoint, _path, permission in routes(app, method) if permission is None}
    assert undeclared - FLASK_SECURITY_EXTRAS == set()


def test_strangers_are_sent_to_sign_in_and_leave_no_trace(app: Flask, contents: Callable[[], list[str]]) -> None:
    before = contents()
    for method in METHODS:
        for endpoint, path, permission in routes(app, method):
            if permission == PUBLIC:
                continue
            reply = app.test_client().open(path, method=method)
            sent_away = (401, "") if path.startswith("/api/v1/") else (302, "/sign-in")
            assert (reply.status_code, (reply.location or "").partition("?")[0]) == sent_away, endpoint
    assert contents() == before


def test_staff_without_the_permission_get_403_and_change_nothing(
    app: Flask, staff: Callable[..., Staff], contents: Callable[[], list[str]]
) -> None:
    nobody = staff(may=[])
    before, token = contents(), nobody.token()
    for method in METHODS:
        for endpoint, path, permission in routes(app, method):
            if permission not in (PUBLIC, SIGNED_IN):
                reply = nobody.client.open(path, method=method, data={"csrf_token": token})
                assert reply.status_code == 403, endpoint
    assert contents() == before


def test_a_write_without_a_token_is_refused_everywhere(app: Flask, staff: Callable[..., Staff], contents: Callable[[], list[str]]) -> None:
    admin = staff(role="administrator")
    before = contents()
    for method in METHODS[1:]:
        for endpoint, path, _permission in routes(app, method):
            if endpoint not in FLASK_SECURITY_EXTRAS:
                assert admin.client.open(path, method=method).status_code == 400, endpoint
    assert contents() == before


def test_no_get_writes(app: Flask, staff: Callable[..., Staff], contents: Callable[[], list[str]]) -> None:
    admin = staff(role="administrator")
    before = contents()
    for endpoint, path, _permission in routes(app, "GET"):
        reply = admin.get(path)
        assert reply.status_code in (200, 302, 403, 404, 410, 422), endpoint
        assert contents() == before, endpoint


def test_a_view_that_forgot_its_rule_is_closed_to_everybody(app: Flask, staff: Callable[..., Staff]) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert staff(role="administrator").get("/forgotten").status_code == 403


def test_htmx_is_told_where_to_sign_in(app: Flask) -> None:
    reply = app.test_client().get("/customers", headers={"HX-Request": "true"})
    assert (reply.status_code, reply.headers["HX-Redirect"], reply.text) == (401, "/sign-in?next=%2Fcustomers", "")


def test_under_api_the_answer_is_a_problem_document(app: Flask) -> None:
    reply = app.test_client().get("/api/v1/nothing")
    assert (reply.status_code, reply.content_type) == (404, "application/problem+json")
    assert reply.get_json()["title"] == "There is nothing here"


def toy_pages() -> Any:
    pages = PluginBlueprint("toy", __name__, url_prefix="/toy")
    pages.add_url_rule("/open", "open", access(PUBLIC)(lambda: "open"))
    pages.add_url_rule("/closed", "closed", access("toy.view")(lambda: "closed"))
    pages.add_url_rule("/forgotten", "forgotten", lambda: "forgotten")
    return pages


def test_a_disabled_plugins_addresses_answer_404_without_a_restart(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    @hookimpl
    def blueprints() -> Any:
        return [toy_pages()]

    crm = make_crm(plugin("toy", blueprints=blueprints))
    app = create_app(crm)
    admin = staff(role="administrator", on=app)
    assert [admin.get(f"/toy/{name}").status_code for name in ("open", "closed", "forgotten")] == [200, 200, 403]
    assert [app.test_client().get(f"/toy/{name}").status_code for name in ("open", "closed")] == [200, 302]
    disable(crm, "toy")
    assert [admin.get(f"/toy/{name}").status_code for name in ("open", "closed", "forgotten")] == [404, 404, 404]


@pytest.mark.parametrize("path", ["/../etc/passwd", "/static/regulars/x/../../app.py", "/static/nobody/x/theme.css"])
def test_no_way_out_of_the_static_folder(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 404
