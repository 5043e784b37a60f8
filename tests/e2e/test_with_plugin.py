"""Pages that only a plugin, a second user or bad luck brings about: clean for everybody, in both themes."""

from __future__ import annotations

import shutil
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marshmallow
import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from marshmallow import fields, validate
from playwright.sync_api import Page, expect

from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.switching import enable
from regulars_core.users import service
from regulars_plugin_api.contributions import FieldType, Panel, Place, Report, ReportColumn, Table, Widget
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.settings import Secret
from regulars_testkit.browser import LOOKS, Site, served
from regulars_testkit.staff import plugin

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LEVELS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


class ToySettings(marshmallow.Schema):
    """One field of each kind."""

    url = fields.Url(metadata={"title": "Address", "help": "Where the toys are."})
    count = fields.Integer(validate=validate.Range(min=1), metadata={"title": "How many"})
    colour = fields.String(validate=validate.OneOf(["red", "blue"], labels=["Red", "Blue"]))
    loud = fields.Boolean(load_default=False)
    tills = fields.List(fields.String())
    token = Secret()


class ToyParameters(marshmallow.Schema):
    """What can be asked."""

    most = fields.Integer(load_default=3, metadata={"title": "At most"})


def counted(session: Any, parameters: Any, viewer: Any) -> Table:
    columns = [ReportColumn("toy", "Toy"), ReportColumn("count", "Count", FieldType.NUMBER)]
    return Table(columns, [("Bear", 2), ("Kite", 1)][: parameters["most"]], notes=["Lost toys are not counted."])


def fail(*_given: Any) -> Any:
    raise RuntimeError("out of toys")


def toy() -> types.ModuleType:
    """A plugin with settings, a panel and a tile that fail, and a panel that works."""

    @hookimpl
    def settings_schema() -> Any:
        return ToySettings

    @hookimpl
    def customer_panels(customer: Any, viewer: Any) -> Any:
        yield Panel("Broken toys", Place.SIDE, "_slot_failed.html", fail, lazy=True)
        yield Panel("Whole toys", Place.MAIN, "_slot_failed.html", lambda *_given: {})
        yield Panel("Toy tab", Place.TAB, "_shortcuts.html", lambda *_given: {})

    @hookimpl
    def dashboard_widgets(viewer: Any) -> Any:
        yield Widget("Broken tile", "_slot_failed.html", fail, "customers.view")

    @hookimpl
    def reports() -> Any:
        yield Report("toy.counted", "Toys counted", "Each toy once.", "customers.view", ToyParameters, counted)

    return plugin(
        "toy", reports=reports, settings_schema=settings_schema, customer_panels=customer_panels, dashboard_widgets=dashboard_widgets
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    """A system with that plugin and one customer."""
    home = tmp_path_factory.mktemp("home")
    database = shutil.copyfile(sqlite_template, home / "regulars.db")
    with served(home, f"sqlite:///{database}", plugins=[Candidate("toy", "0.1", toy), Candidate("marbles", "2.0", fail)]) as running:
        enable(running.crm, "toy")
        running.crm.customers.create({"display_name": "Åsa Holm", "notes": "Likes blue.", "city": "Lund"})
        yield running


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=LEVELS).response["violations"]
    return [f"{page.url}: {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_plugins_and_users_are_clean(site: Site, page: Page, theme: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)
    site.sign_in(page, "administrator")
    with site.crm.read() as session:
        clerk = service.find(session, "clerk@example.com").uid
        event = session.scalar(sa.text("SELECT min(uid) FROM event"))
    found = []
    paths = ["/", "/plugins", "/plugins/toy", "/plugins/marbles", "/plugins/toy/settings", "/reports", "/reports/toy.counted"]
    paths += [
        f"/users/{clerk}",
        f"/events/{event}",
        "/nowhere",
        "/customers/99999",
        "/verify",
        "/customers/1/tab/toy/_shortcuts",
        "/customers/1",
    ]
    for path in paths:
        page.goto(site.address + path)
        page.wait_for_load_state("networkidle")
        found += violations(page)
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), path
    expect(page.get_by_role("region", name="Broken toys").get_by_text("This part could not be shown.")).to_be_visible()
    page.goto(f"{site.address}/plugins/toy/settings")
    page.get_by_label("How many").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#count-wrong")).to_be_visible()
    found += violations(page)
    page.goto(f"{site.address}/exports/new")
    page.get_by_role("button", name="Start the export").click()
    page.get_by_role("link", name="Download").wait_for()
    found += violations(page)
    page.goto(f"{site.address}/users/{clerk}")
    page.get_by_role("button", name="New password link").click()
    page.get_by_label("Link").wait_for()
    found += violations(page)
    page.goto(page.get_by_label("Link").input_value().replace("http://localhost", site.address))
    found += violations(page)
    assert found == []


def test_both_see_what_the_other_changed(site: Site, page: Page) -> None:
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers/1/edit")
    site.crm.customers.update(1, {"notes": "Likes green.", "city": "Ystad"})
    page.get_by_label("Notes").fill("Likes red.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Somebody else changed this customer while you were typing")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("radio", name="Likes green.").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Likes green.")).to_be_visible()
    expect(page.get_by_text("Ystad").first).to_be_visible()
    site.crm.customers.update(1, {"notes": "Likes blue.", "city": "Lund"})


def test_a_plugin_is_switched_off_and_on_in_two_steps(site: Site, page: Page) -> None:
    site.sign_in(page, "administrator")
    page.goto(f"{site.address}/plugins/toy")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Toy is off. Its data is kept.")).to_be_visible()
    page.goto(f"{site.address}/customers/1")
    expect(page.get_by_text("Whole toys")).to_have_count(0)
    page.goto(f"{site.address}/plugins/toy?done=off")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Toy is on.")).to_be_visible()
