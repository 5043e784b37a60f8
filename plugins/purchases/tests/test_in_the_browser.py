"""A clerk at a screen: finds a customer by name, phone or receipt, and reads what was bought."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from regulars_core.plugins.switching import enable
from regulars_testkit.browser import Site, browser_type_launch_args, complaints, served
from regulars_web import demo

__all__ = ["browser_type_launch_args", "complaints"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BUYER = "欧阳明月"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    """The sample chain with purchases, and one customer who bought a lamp on receipt 4711."""
    home = tmp_path_factory.mktemp("home")
    database = shutil.copyfile(sqlite_template, home / "regulars.db")
    with served(home, f"sqlite:///{database}") as running:
        enable(running.crm, "purchases")
        demo.fill(running.crm, "small")
        name = {"last_name": "欧阳", "first_name": "明月"}
        running.crm.customers.create({**name, "phones": "070-174 06 44", "external_id": "BUYER", "country": "SE", "store": "MALMO"})
        sales = home / "sales.csv"
        sales.write_text(
            "receipt_no,line_no,sold_at,store,till,customer_external_id,sku,quantity,amount,currency\n"
            "ZX-4711,1,2026-11-20T15:30:00+01:00,MALMO,3,BUYER,LAMP-XL,1,1249.00,SEK\n"
        )
        assert running.import_file("sale", sales) == "accept"
        yield running


@pytest.fixture
def clerk(site: Site, page: Page) -> Page:
    """The clerk's browser."""
    site.sign_in(page, "clerk")
    return page


@pytest.mark.parametrize("query", ["欧阳明月", "明月", "0701740644", "+46 (0)70-174 06 44", "0046 70 174 06 44"])
def test_a_clerk_finds_a_customer_and_reads_what_was_bought(site: Site, clerk: Page, complaints: list[str], query: str) -> None:
    clerk.keyboard.press("/")
    clerk.keyboard.type(query)
    clerk.keyboard.press("Enter")
    clerk.get_by_role("link", name=BUYER).click()
    panel = clerk.get_by_role("region", name="Purchases")
    panel.get_by_text("1,249.00").first.wait_for()
    expect(panel).to_contain_text("20 Nov 2026")
    expect(panel).to_contain_text("Malmö Triangeln")
    assert complaints == []


def test_a_clerk_finds_a_receipt_by_its_number(site: Site, clerk: Page, complaints: list[str]) -> None:
    clerk.get_by_label("Search name, phone, card or receipt").fill("ZX-4711")
    clerk.keyboard.press("Enter")
    clerk.get_by_role("link", name="ZX-4711").click()
    for shown in (BUYER, "LAMP-XL", "1,249.00", "Malmö Triangeln"):
        expect(clerk.get_by_role("main")).to_contain_text(shown)
    assert complaints == []


def test_a_receipt_tells_the_time_by_the_stores_clock_in_digits_of_the_language(site: Site, clerk: Page) -> None:
    site.prefer("clerk", locale="fa")
    try:
        clerk.goto(f"{site.address}/search?q=ZX-4711")
        clerk.get_by_role("link", name="ZX-4711").click()
        expect(clerk.get_by_role("main")).to_contain_text("۱۵:۳۰")
    finally:
        site.prefer("clerk")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_pages_with_purchases_are_clean(site: Site, page: Page, complaints: list[str], theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    site.sign_in(page, "administrator")
    with site.crm.read() as session:
        buyer = session.scalar(sa.text("SELECT id FROM customer WHERE display_name = :name"), {"name": BUYER})
    found = []
    for path in ("/customers", f"/customers/{buyer}", f"/purchases/customers/{buyer}", "/purchases/receipts/1", "/search?q=ZX-4711"):
        page.goto(site.address + path)
        page.wait_for_load_state("networkidle")
        found += [f"{path}: {one['id']}: {node['html'][:120]}" for one in Axe().run(page).response["violations"] for node in one["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{path} is wider than the screen")
    assert found == []
    assert complaints == []


@pytest.mark.parametrize("width", [1440, 1280, 1024, 768, 360])
def test_the_list_shows_whole_names_and_fits_on_every_screen(site: Site, page: Page, width: int) -> None:
    site.sign_in(page, "manager")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site.address}/customers")
    expect(page.locator(".rg-who a")).to_have_count(50)
    assert page.locator(".rg-who a").evaluate_all("names => names.filter(one => one.scrollWidth > one.clientWidth).length") == 0
    assert page.locator(".rg-table-wrap").evaluate("wrap => wrap.scrollWidth - wrap.clientWidth") == 0
