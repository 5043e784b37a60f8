"""The menu: drawn once for all who are shown the same, and never the wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count

from regulars_core.crm import Crm
from regulars_core.plugins.switching import disable
from regulars_plugin_api.contributions import NavItem
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import Viewer
from regulars_testkit.staff import Staff, plugin
from regulars_web.app import create_app

ENTRY = re.compile(r'<a href="([^"]+)" title="([^"]+)"( aria-current="page")?>')


def menu(staff: Staff, path: str = "/customers") -> list[tuple[str, str, bool]]:
    """Address and title of each entry, and whether it is of the page itself."""
    return [(address, title, bool(current)) for address, title, current in ENTRY.findall(staff.get(path).text)]


@hookimpl
def nav_items(viewer: Viewer) -> Iterable[NavItem]:
    yield NavItem(_("Notices"), "notices.page", "customers.view", section="plugins")
    yield NavItem(f"For {viewer.name}", "profile.page", "customers.edit", section="plugins")


def test_each_sees_what_is_theirs(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    app = create_app(make_crm(plugin("toy", nav_items=nav_items)))
    manager, clerk = staff(role="manager", on=app), staff(on=app, may=["customers.view"])
    for _again in range(2):
        assert ("/profile", "For Anna Berg 1", False) in menu(manager)
        assert [title for _address, title, _current in menu(clerk)] == ["Home", "Customers", "Till", "Notices"]


def test_the_entry_of_the_page_is_marked(staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk")
    for path in ("/customers", "/till", "/customers", "/customers/new"):
        here = "/till" if path == "/till" else "/customers"
        assert [address for address, _title, current in menu(clerk, path) if current] == [here]
    assert [address for address, _title, current in menu(clerk, "/") if current] == ["/"]
    assert not any(current for _address, _title, current in menu(clerk, "/more"))


def test_each_reads_it_in_their_language(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    app = create_app(make_crm(plugin("toy", nav_items=nav_items)))
    clerk = staff(role="clerk", on=app)
    english = menu(clerk)
    clerk.post("/profile", {"locale": "sv"})
    swedish = menu(clerk)
    assert {("/customers", "Customers", True), ("/notices", "Notices", False)} < set(english)
    assert {("/customers", "Kunder", True), ("/notices", "Meddelanden", False)} < set(swedish)


def test_the_order_is_the_same_in_all_languages(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    @hookimpl
    def nav_items() -> Iterable[NavItem]:
        # As heavy as Home; in English before it, in Persian after.
        yield NavItem(_("Customers"), "notices.page", "customers.view", weight=0)

    clerk = staff(role="clerk", on=create_app(make_crm(plugin("toy", nav_items=nav_items))))
    english = menu(clerk)
    for locale in ("sv", "fa"):
        clerk.post("/profile", {"locale": locale})
        assert [address for address, _title, _current in menu(clerk)] == [address for address, _title, _current in english]


def test_what_a_plugin_says_each_time_is_said_each_time(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    waiting = count(1)

    @hookimpl
    def nav_items(viewer: Viewer) -> Iterable[NavItem]:
        yield NavItem(f"Waiting: {next(waiting)}", "customers.page", "customers.view", section="plugins")

    crm = make_crm(plugin("toy", nav_items=nav_items))
    clerk = staff(role="clerk", on=create_app(crm))
    said = [title for _again in range(2) for _address, title, _current in menu(clerk) if title.startswith("Waiting")]
    assert said == ["Waiting: 1", "Waiting: 2"]
    disable(crm, "toy")
    assert "Waiting" not in clerk.get("/customers").text
