"""What is put together once and used again: pieces of pages, addresses, tokens of forms."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, url_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader
from werkzeug.routing import BuildError

from regulars_core.crm import Crm
from regulars_plugin_api.i18n import in_locale
from regulars_testkit.staff import csrf_token, sign_in
from regulars_web.app import create_app
from regulars_web.drawn import drawn
from regulars_web.security import IDLE

PIECES = {"pieces.html": "{% macro piece(value) %}<b>{{ value|shown }}</b> {{ _('Save') }}{% endmacro %}"}


@pytest.fixture
def app(crm: Crm) -> Flask:
    return create_app(crm)


def test_a_piece_is_drawn_once_and_values_that_are_equal_but_look_different_are_not_mistaken(app: Flask) -> None:
    app.jinja_env.loader = DictLoader(PIECES)
    values = (1, True, Decimal("1.5"), 1.5, dt.date(2026, 3, 4), "<i>", None)
    with app.test_request_context("/"), in_locale("en"):
        draw = drawn("pieces.html", "piece")
        shown = ("1", "True", "1.5", "1.5", "4 Mar 2026", "&lt;i&gt;", "")
        assert [draw(value) for value in values] == [f"<b>{text}</b> Save" for text in shown]
        assert draw("<i>") is draw("<i>")
    with app.test_request_context("/"), in_locale("sv"):
        assert drawn("pieces.html", "piece")(1.5) == "<b>1,5</b> Spara"


def test_a_piece_follows_where_the_application_stands(app: Flask) -> None:
    app.jinja_env.loader = DictLoader(
        {"pieces.html": "{% macro piece(number) %}{{ url_for('customers.show', customer_id=number) }}{% endmacro %}"}
    )
    for root in ("", "/shop", "/other", ""):
        with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
            assert drawn("pieces.html", "piece")(7) == f"{root}/customers/7"


words = st.text(max_size=60) | st.integers() | st.booleans() | st.none() | st.sampled_from(["{0}", "876543210123456000", "a b&c=d"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(number=st.integers(-3, 10**18 - 1), more=st.dictionaries(st.sampled_from(["q", "page", "after"]), words))
def test_addresses_are_those_that_flask_puts_together(app: Flask, number: int, more: dict[str, Any]) -> None:
    with app.test_request_context("/"):
        for _again in range(2):
            assert url_for("customers.show", customer_id=number, **more) == Flask.url_for(app, "customers.show", customer_id=number, **more)
            assert url_for("customers.page", **more) == Flask.url_for(app, "customers.page", **more)


def test_addresses_follow_where_the_application_stands(app: Flask) -> None:
    for root in ("", "/shop", "/other"):
        with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
            assert url_for("customers.show", customer_id=7) == f"{root}/customers/7"


def test_what_has_no_address_gets_none(app: Flask) -> None:
    with app.test_request_context("/"):
        for endpoint in ("customers.show", "nowhere.at_all"):
            with pytest.raises(BuildError):
                url_for(endpoint)


def test_each_browser_has_a_token_of_its_own_on_every_page(crm: Crm, app: Flask) -> None:
    first, second = (sign_in(app, role="clerk") for _browser in range(2))
    tokens = [csrf_token(browser.get(page).text) for browser in (first, second) for page in ("/profile", "/customers/new", "/profile")]
    assert (len(set(tokens[:3])), len(set(tokens[3:])), len(set(tokens))) == (1, 1, 2)
    form = {"display_name": "Åsa Holm", "kind": "person", "status": "active"}
    assert second.client.post("/customers/new", data={**form, "csrf_token": tokens[0]}).status_code == 400
    assert first.client.post("/customers/new", data={**form, "csrf_token": tokens[0]}).status_code == 302


def test_a_cookie_is_read_anew_for_each_request_and_counts_no_longer_than_a_session(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    interface: Any = app.session_interface
    cookie = interface.get_signing_serializer(app).dumps({"_flashes": [("ok", "Saved")], "period": 7})
    now = time.time()

    def opened(text: str) -> dict[str, Any]:
        with app.test_request_context("/", headers={"Cookie": f"regulars={text}"}) as context:
            return interface.open_session(app, context.request)  # type: ignore[no-any-return]

    first = opened(cookie)
    first["_flashes"].append(("ok", "Another"))
    assert opened(cookie) == {"_flashes": [("ok", "Saved")], "period": 7}
    signed, _dot, signature = cookie.rpartition(".")
    assert opened(f"{signed}.{signature[::-1]}") == opened(f"x{cookie}") == opened("nonsense") == opened("") == {}
    for later, counts in ((0, True), (IDLE.total_seconds() - 2, True), (IDLE.total_seconds() + 2, False), (-60, False)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert bool(opened(cookie)) is counts
