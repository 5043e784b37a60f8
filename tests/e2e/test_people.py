"""Duplicates, merging, trash, record and privacy in a real browser."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from regulars_testkit.browser import LOOKS, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LEVELS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


@pytest.fixture
def pages(site: Site) -> list[str]:
    """Addresses of every page about duplicates, trash, record and privacy, with something on each."""
    crm = site.crm
    twin = {"first_name": "Tvilling", "last_name": "Berg", "emails": "twin@example.com"}
    ids = [crm.customers.create(twin | {"notes": note}) for note in ("", "ringer gärna")]
    gone = crm.customers.create({"first_name": "Slängd"})
    forgotten = crm.customers.create({"first_name": "Glömd", "emails": "forget@example.com"})
    merged = [crm.customers.create({"first_name": "Ihop"}) for _place in range(2)]
    number = crm.customers.merge(*merged)
    with crm.transaction() as session:
        crm.customers.trash(session, gone)
    erasure = crm.privacy.erase(forgotten)
    return [
        "/duplicates", f"/customers/{ids[0]}/duplicates", f"/customers/{ids[0]}/duplicates?q=an", f"/customers/{ids[0]}/merge/{ids[1]}",
        "/merges", f"/merges/{number}", "/trash", "/audit", f"/customers/{ids[0]}/privacy", f"/erasures/{erasure}",
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_every_page_is_clean(site: Site, page: Page, pages: list[str], complaints: list[str], theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    site.prefer("administrator")
    site.sign_in(page, "administrator")
    found = []
    for path in pages:
        page.goto(site.address + path)
        violations = Axe().run(page, options=LEVELS).response["violations"]
        found += [f"{path}: {one['id']}: {node['html'][:160]}" for one in violations for node in one["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{path} is wider than the screen")
    assert found == []
    assert complaints == []


def test_two_records_become_one_and_two_again(site: Site, page: Page, pages: list[str], complaints: list[str]) -> None:
    site.prefer("manager")
    site.sign_in(page, "manager")
    page.goto(f"{site.address}{pages[1]}")
    page.get_by_role("link", name="Compare").first.click()
    expect(page.get_by_role("heading", name="Are these one customer?")).to_be_visible()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_text("Merged.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The merge is taken back.")).to_be_visible()
    assert complaints == []


def test_a_new_customer_who_may_be_known(site: Site, page: Page, pages: list[str]) -> None:
    site.prefer("clerk")
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers/new")
    page.get_by_label("First name").fill("Tvilling")
    page.get_by_label("E-mail addresses").fill("TWIN@example.com")
    page.get_by_role("button", name="Add customer").click()
    expect(page.get_by_text("Is it one of these?")).to_be_visible()
    expect(page.get_by_label("First name")).to_have_value("Tvilling")
    page.get_by_role("button", name="Add all the same").click()
    expect(page.get_by_text("The customer is added.")).to_be_visible()


def test_the_trash_gives_back(site: Site, page: Page, pages: list[str]) -> None:
    site.prefer("clerk")
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/trash")
    page.get_by_role("button", name="Undo Slängd").first.click()
    expect(page).to_have_url(re.compile(r"/customers/\d+"))
    expect(page.get_by_text("in the trash")).to_have_count(0)
