"""Plugins and their settings through pages: seen, planned, switched at once everywhere, adjusted without showing secrets."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import marshmallow
import pytest
from flask import g, has_request_context
from marshmallow import fields, validate

from regulars_core.crm import Crm
from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.registry import State
from regulars_plugin_api.contributions import NavItem, Permission, Role
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.settings import Secret
from regulars_plugin_api.web import PluginBlueprint, access
from regulars_testkit.staff import Staff, plugin
from regulars_web.app import create_app


class ToySettings(marshmallow.Schema):
    """What can be set."""

    url = fields.Url(load_default="https://example.com", metadata={"title": "Address", "help": "Where the toys are."})
    count = fields.Integer(required=False, validate=validate.Range(min=1))
    colour = fields.String(load_default="red", validate=validate.OneOf(["red", "blue"], labels=["Red", "Blue"]))
    loud = fields.Boolean(load_default=False)
    tills = fields.List(fields.String(), load_default=list)
    token = Secret(load_default="")


def toy() -> types.ModuleType:
    """A plugin with a page, a permission and settings."""

    @hookimpl
    def permissions() -> Any:
        yield Permission("toy.play", "Play with toys", roles={"clerk"})

    @hookimpl
    def nav_items(viewer: Any) -> Any:
        yield NavItem("Toys", "toy.list", "customers.view")

    @hookimpl
    def blueprints() -> Any:
        pages = PluginBlueprint("toy", __name__, url_prefix="/toy")
        pages.add_url_rule("/list", "list", access("customers.view")(lambda: "list"))
        yield pages

    @hookimpl
    def settings_schema() -> Any:
        return ToySettings

    return plugin("toy", permissions=permissions, nav_items=nav_items, blueprints=blueprints, settings_schema=settings_schema)


def broken() -> types.ModuleType:
    raise ImportError("no module named marbles")


@pytest.fixture
def house(make_crm: Callable[..., Crm]) -> Crm:
    """The system with the toy switched on."""
    return make_crm(toy())


@pytest.fixture
def admin(house: Crm, staff: Callable[..., Staff]) -> Staff:
    """An administrator of it."""
    return staff(role="administrator", on=create_app(house))


def test_a_plugin_is_listed_with_its_state_and_what_it_consists_of(admin: Staff) -> None:
    page = admin.get("/plugins").text
    assert 'href="/plugins/toy"' in page
    assert "0.1" in page
    plan = admin.get("/plugins/toy").text
    assert "Play with toys" in plan
    assert "settings_schema" in plan
    assert "No tables of its own" in plan
    assert admin.get("/plugins/marbles").status_code == 404


def test_switching_counts_at_once_in_every_process(make_crm: Callable[..., Crm], admin: Staff, staff: Callable[..., Staff]) -> None:
    other = staff(role="clerk", on=create_app(make_crm(toy())))
    assert other.get("/toy/list").text == "list"
    off = admin.get(admin.post("/plugins/toy/disable").location).text
    assert "Toy is off. Its data is kept." in off
    assert other.get("/toy/list").status_code == 404
    assert 'href="/toy/list"' not in other.get("/customers").text
    assert "Toy is on." in admin.get(admin.post("/plugins/toy/enable").location).text
    assert other.get("/toy/list").text == "list"


def test_what_can_not_be_imported_is_shown_with_the_reason(crm: Crm, staff: Callable[..., Staff]) -> None:
    crm.plugins.load([Candidate("marbles", "2.0", broken)])
    admin = staff(role="administrator")
    assert "no module named marbles" in admin.get("/plugins?show=broken").text
    reply = admin.post("/plugins/marbles/enable")
    assert (reply.status_code, "no module named marbles" in reply.text) == (409, True)


def test_what_was_kept_goes_only_when_the_name_is_typed(house: Crm, admin: Staff) -> None:
    admin.post("/plugins/toy/disable")
    reply = admin.post("/plugins/toy/purge", {"confirm": "Toy!"})
    assert (reply.status_code, 'id="confirm-wrong"' in reply.text) == (422, True)
    assert house.plugins.listed()[0].state is State.DISABLED
    assert admin.post("/plugins/toy/purge", {"confirm": "toy"}).location == "/plugins"
    assert house.plugins.listed()[0].state is State.INSTALLED


def test_whoever_removes_a_plugin_is_told_of_the_roles_that_stay(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    @hookimpl
    def permissions() -> Any:
        yield Role("player", "Player")
        yield Permission("toy.play", "Play with toys", roles={"player"})

    app = create_app(make_crm(plugin("toy", permissions=permissions)))
    admin = staff(role="administrator", on=app)
    staff(role="player", on=app)
    admin.post("/plugins/toy/disable")
    admin.post("/plugins/toy/purge", {"confirm": "toy"})
    assert "for people hold them or they may do other things: player" in admin.get("/plugins").text
    assert "player" in admin.get("/users/roles").text


def test_a_switch_is_not_held_up_by_its_own_request(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    reading: list[bool] = []

    @hookimpl
    def plugin_enabled(crm: Any, session: Any, first_time: bool) -> None:
        reading.append(has_request_context() and "user_lookup" in g)

    admin = staff(role="administrator", on=create_app(make_crm(plugin("toy", plugin_enabled=plugin_enabled))))
    admin.post("/plugins/toy/disable")
    admin.post("/plugins/toy/enable")
    assert reading == [False, False]


def test_a_plugin_that_is_on_is_not_purged(house: Crm, admin: Staff) -> None:
    assert admin.post("/plugins/toy/purge", {"confirm": "toy"}).status_code == 409
    assert house.plugins.is_enabled("toy")


def test_settings_are_a_form_made_from_the_schema(admin: Staff) -> None:
    page = admin.get("/plugins/toy/settings").text
    for part in ("Address", "Where the toys are.", 'value="https://example.com"', ">Blue</option>", 'type="password"', 'type="number"'):
        assert part in page
    assert 'href="/plugins/toy/settings"' in admin.get("/settings").text


def test_settings_are_kept_and_a_secret_is_never_shown(house: Crm, admin: Staff) -> None:
    given = {"url": "https://toys.example", "count": "3", "colour": "blue", "loud": "true", "tills": "a\nb", "token": "hush-hush"}
    page = admin.get(admin.post("/plugins/toy/settings", given).location).text
    wanted = {"url": "https://toys.example", "count": 3, "colour": "blue", "loud": True, "tills": ["a", "b"], "token": "hush-hush"}
    assert house.settings.of("toy") == wanted
    assert "hush-hush" not in page
    assert "One is stored." in page
    admin.post("/plugins/toy/settings", {"url": "https://toys.example", "count": "", "colour": "red", "token": ""})
    assert house.settings.of("toy") == {
        "url": "https://toys.example",
        "colour": "red",
        "loud": False,
        "tills": [],
        "token": "hush-hush",
    }


@pytest.mark.parametrize(
    ("given", "field"), [({"url": "nowhere"}, "url"), ({"count": "0"}, "count"), ({"count": "x"}, "count"), ({"colour": "green"}, "colour")]
)
def test_a_wrong_setting_is_refused_beside_its_field(house: Crm, admin: Staff, given: dict[str, str], field: str) -> None:
    before = house.settings.of("toy")
    reply = admin.post("/plugins/toy/settings", given)
    assert reply.status_code == 422
    assert f'id="{field}-wrong"' in reply.text
    assert f'value="{given[field]}"' in reply.text or field == "colour"
    assert house.settings.of("toy") == before


def test_what_the_environment_sets_is_locked(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    crm = make_crm(toy(), plugin_settings={"toy": {"url": "https://outside.example"}})
    admin = staff(role="administrator", on=create_app(crm))
    page = admin.get("/plugins/toy/settings").text
    assert "REGULARS__TOY__URL" in page
    assert 'value="https://outside.example" maxlength="4000" autocomplete="off" dir="ltr" disabled' in page
    admin.post("/plugins/toy/settings", {"url": "https://inside.example", "colour": "blue"})
    assert crm.settings.of("toy")["url"] == "https://outside.example"


@pytest.mark.parametrize("role", ["manager", "clerk", "marketer", "analyst"])
def test_plugins_and_settings_are_an_administrators_business(house: Crm, staff: Callable[..., Staff], role: str) -> None:
    somebody = staff(role=role, on=create_app(house))
    for path in ("/plugins", "/plugins/toy", "/plugins/toy/settings", "/settings"):
        assert somebody.get(path).status_code == 403
    for path in ("/plugins/toy/disable", "/plugins/toy/enable", "/plugins/toy/purge", "/plugins/toy/settings"):
        assert somebody.post(path, {"confirm": "toy"}).status_code == 403
    assert house.plugins.is_enabled("toy")
