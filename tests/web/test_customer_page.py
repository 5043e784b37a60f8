"""One customer: what is shown, what plugins add, adding, changing, the trash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from regulars_core.crm import Crm
from regulars_plugin_api.contributions import Action, NavItem, Panel, Place, Widget
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.web import PluginBlueprint, access
from regulars_testkit.staff import Staff, add_store, plugin
from regulars_web.app import create_app

FORM = {
    "kind": "person",
    "status": "active",
    "first_name": "Olena",
    "last_name": "Shevchenko",
    "display_name": "",
    "emails": "olena@example.com\nolena@work.example.com",
    "phones": "070-174 06 31",
    "birthday": "1984-03-12",
    "gender": "female",
    "language": "uk",
    "street": "Södra Förstadsgatan 41",
    "city": "Malmö",
    "postal_code": "211 43",
    "region": "",
    "country": "SE",
    "tags": "vip; sofa",
    "notes": "Ring after five.",
}


def test_what_was_typed_is_what_is_kept(crm: Crm, staff: Callable[..., Staff], malmo: int) -> None:
    clerk = staff(role="clerk")
    reply = clerk.post("/customers/new", {**FORM, "store": "MALMO"})
    assert (reply.status_code, reply.location) == (302, "/customers/1")
    customer = crm.customers.get(1)
    assert customer is not None
    assert (customer.display_name, customer.store_id, customer.tags) == ("Olena Shevchenko", malmo, ("sofa", "vip"))
    assert [email.address for email in customer.emails] == ["olena@example.com", "olena@work.example.com"]
    page = clerk.get("/customers/1").text
    for shown in (
        "Olena Shevchenko",
        "Malmö Triangeln",
        "070-174 06 31",
        "olena@example.com",
        "12 Mar 1984",
        "Ring after five.",
        "Ukrainian",
    ):
        assert shown in page


def test_a_refused_form_says_why_beside_the_field_and_keeps_what_was_typed(
    staff: Callable[..., Staff], contents: Callable[[], list[str]]
) -> None:
    clerk = staff(role="clerk")
    before = contents()
    reply = clerk.post("/customers/new", {**FORM, "emails": "not an address", "birthday": "31 February", "country": "Atlantis"})
    assert reply.status_code == 422
    assert "“not an address” is not an e-mail address" in reply.text
    for field in ("emails", "birthday", "country"):
        assert f'aria-describedby="{field}-wrong' in reply.text
    assert 'value="Olena"' in reply.text
    assert ">not an address</textarea>" in reply.text
    assert contents() == before


def test_a_nameless_customer_is_refused(staff: Callable[..., Staff]) -> None:
    reply = staff(role="clerk").post("/customers/new", {"kind": "person", "status": "active"})
    assert reply.status_code == 422
    assert "Give at least a name" in reply.text


@pytest.mark.parametrize("field", ["notes", "last_name", "emails", "tags", "street"])
def test_a_card_number_is_never_kept(staff: Callable[..., Staff], contents: Callable[[], list[str]], field: str) -> None:
    card = "4111111111111111@example.com" if field == "emails" else "4111 1111 1111 1111"
    reply = staff(role="clerk").post("/customers/new", {**FORM, field: card})
    assert (reply.status_code, "payment card number" in reply.text) == (422, True)
    assert not any("4111" in line for line in contents())


@pytest.mark.parametrize("field", ["code", "name", "city", "region"])
def test_a_store_has_no_card_number_either(staff: Callable[..., Staff], contents: Callable[[], list[str]], field: str) -> None:
    form = {"code": "UPPSALA", "name": "Uppsala", "timezone": "Europe/Stockholm", "currency": "SEK", "country": "SE"}
    reply = staff(role="administrator").post("/stores/new", {**form, field: "4111111111111111"})
    assert (reply.status_code, "payment card number" in reply.text) == (422, True)
    assert not any("4111" in line for line in contents())


def test_saving_an_untouched_form_changes_nothing(
    crm: Crm, staff: Callable[..., Staff], malmo: int, contents: Callable[[], list[str]]
) -> None:
    manager = staff(role="manager")
    manager.post("/customers/new", {**FORM, "store": "MALMO"})
    before = contents()
    reply = manager.post("/customers/1/edit", {**FORM, "display_name": "Olena Shevchenko", "store": "MALMO", "version": "1"})
    assert reply.location == "/customers/1"
    assert contents() == before
    assert manager.get("/customers/1/changes").text.count(" added</td>") == 1


def test_changes_are_noted_with_who_made_them(crm: Crm, staff: Callable[..., Staff]) -> None:
    manager = staff(role="manager")
    manager.post("/customers/new", FORM)
    manager.post("/customers/1/edit", {**FORM, "status": "blocked", "version": "1"})
    page = manager.get("/customers/1/changes").text
    assert ("Anna Berg" in page, ">Active</bdi>" in page, ">Blocked</bdi>" in page, "blocked" in page) == (True, True, True, False)


def test_somebody_faster_is_not_overwritten(crm: Crm, staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk")
    clerk.post("/customers/new", FORM)
    crm.customers.update(1, {"notes": "Moved to Lund."})
    reply = clerk.post("/customers/1/edit", {**FORM, "notes": "Mine", "version": "1"})
    assert reply.status_code == 409
    assert "Somebody else changed this customer while you were typing" in reply.text
    assert ">Mine</textarea>" in reply.text
    customer = crm.customers.get(1)
    assert customer is not None
    assert customer.notes == "Moved to Lund."


def test_the_trash_gives_back(crm: Crm, staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk")
    clerk.post("/customers/new", FORM)
    clerk.post("/customers/1/trash")
    assert crm.customers.get(1) is None
    assert "This customer is in the trash." in clerk.get("/customers/1").text
    assert "Olena" not in clerk.get("/customers").text
    clerk.post("/customers/1/restore")
    assert crm.customers.get(1) is not None


def test_a_home_store_out_of_sight_stays_when_the_form_is_saved(crm: Crm, staff: Callable[..., Staff]) -> None:
    add_store(crm, "LUND", "Lund Nova")
    umea = add_store(crm, "UMEA", "Umeå Avion")
    crm.customers.create({"display_name": "Nowhere yet"})
    clerk = staff(role="clerk", stores=["LUND"])
    page = clerk.get("/customers/1/edit").text
    assert "Umeå" not in page
    with crm.transaction() as session:
        crm.customers.create({"display_name": "Chain wide", "store": "UMEA"}, session=session)
    manager = staff(role="manager")
    assert "Umeå Avion" in manager.get("/customers/2/edit").text
    assert umea != 0


def toy(**behaviour: Any) -> Any:
    """A plugin with a panel in the middle, a lazy one at the side, a tab, a button, a tile and a menu entry."""

    @hookimpl
    def customer_panels(customer: Any, viewer: Any) -> Any:
        load = behaviour.get("load", lambda session, customer, viewer: {"title": f"of {customer.display_name}", "detail": "", "fields": {}})
        yield Panel("Visits", Place.MAIN, behaviour.get("template", "_error_words.html"), load)
        yield Panel("Points", Place.SIDE, "_error_words.html", load, lazy=True)
        yield Panel("History", Place.TAB, "_error_words.html", load)

    @hookimpl
    def customer_actions(customer: Any, viewer: Any) -> Any:
        yield Action("Award", "toy.award", "customers.edit")
        yield Action("Secret", "toy.award", "toy.secret")

    @hookimpl
    def dashboard_widgets(viewer: Any) -> Any:
        load = behaviour.get("load", lambda session, viewer: {"title": "tile", "detail": "", "fields": {}})
        yield Widget("Today", "_error_words.html", load, "customers.view")

    @hookimpl
    def nav_items(viewer: Any) -> Any:
        yield NavItem("Toys", "toy.list", "customers.view", section="plugins")
        yield NavItem("Leads nowhere", "toy.nothing", "customers.view")
        yield NavItem("Not for clerks", "toy.list", "toy.secret")

    @hookimpl
    def blueprints() -> Any:
        pages = PluginBlueprint("toy", __name__, url_prefix="/toy")
        pages.add_url_rule("/list", "list", access("customers.view")(lambda: "list"))
        pages.add_url_rule("/<int:customer_id>/award", "award", access("customers.edit")(lambda customer_id: "awarded"), methods=["POST"])
        yield pages

    return plugin(
        "toy",
        customer_panels=customer_panels,
        customer_actions=customer_actions,
        dashboard_widgets=dashboard_widgets,
        nav_items=nav_items,
        blueprints=blueprints,
    )


@pytest.fixture
def with_toy(make_crm: Callable[..., Crm]) -> Callable[..., Flask]:
    """``with_toy(**behaviour)``: the application with the toy plugin and one customer."""

    def make(**behaviour: Any) -> Flask:
        crm = make_crm(toy(**behaviour))
        crm.customers.create({"display_name": "Åsa Holm"})
        return create_app(crm)

    return make


def test_plugins_fill_their_places(with_toy: Callable[..., Flask], staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk", on=with_toy())
    page = clerk.get("/customers/1").text
    assert "of Åsa Holm" in page
    assert 'hx-get="/customers/1/panels/toy/_error_words"' in page
    assert 'href="/customers/1/tab/toy/_error_words">History' in page
    assert 'action="/toy/1/award"' in page
    assert "Secret" not in page
    assert "of Åsa Holm" in clerk.get("/customers/1/panels/toy/_error_words").text
    assert "of Åsa Holm" in clerk.get("/customers/1/tab/toy/_error_words").text
    assert clerk.get("/customers/1/panels/toy/nothing").status_code == 404


def test_the_menu_has_what_plugins_offer_and_the_viewer_may_use(with_toy: Callable[..., Flask], staff: Callable[..., Staff]) -> None:
    page = staff(role="clerk", on=with_toy()).get("/toy/list")
    assert page.text == "list"
    menu = staff(role="clerk", on=with_toy()).get("/customers").text
    assert 'href="/toy/list" title="Toys"' in menu
    assert "Leads nowhere" not in menu
    assert "Not for clerks" not in menu


def test_tiles_load_after_the_page(with_toy: Callable[..., Flask], staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk", on=with_toy())
    assert 'hx-get="/home/widgets/toy/_error_words"' in clerk.get("/").text
    assert "tile" in clerk.get("/home/widgets/toy/_error_words").text


def broken(*_given: Any) -> Any:
    raise RuntimeError("secret detail")


@pytest.mark.parametrize("behaviour", [{"load": broken}, {"template": "toy/missing.html"}, {"load": lambda *_given: 1}])
def test_a_broken_panel_gives_way_to_a_notice(
    with_toy: Callable[..., Flask], staff: Callable[..., Staff], behaviour: dict[str, Any]
) -> None:
    page = staff(role="clerk", on=with_toy(**behaviour)).get("/customers/1")
    assert page.status_code == 200
    assert "This part could not be shown." in page.text
    assert "secret detail" not in page.text
    assert "Åsa Holm" in page.text
