"""Walks through a day in the shop, each with the number of steps it may take: a click, a field filled in, or a key is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from regulars_testkit.browser import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


class Walk:
    """Somebody at a page, whose steps are counted, and who touches no key before the page is there."""

    def __init__(self, page: Page) -> None:
        self.page, self.steps = page, 0

    def click(self, place: Locator) -> None:
        self.steps += 1
        place.click()

    def fill(self, place: Locator, text: str) -> None:
        self.steps += 1
        place.fill(text)

    def press(self, *keys: str) -> None:
        self.steps += len(keys)
        self.page.wait_for_load_state()
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.steps += 1
        self.page.wait_for_load_state()
        self.page.keyboard.type(text)


@pytest.fixture
def walk(page: Page, complaints: list[str]) -> Iterator[Walk]:
    """A walk during which no page complains."""
    yield Walk(page)
    assert complaints == []


def test_a_new_customer_is_registered_in_six_steps(site: Site, page: Page, walk: Walk) -> None:
    site.sign_in(page, "clerk")
    walk.press("+")
    page.wait_for_url("**/customers/new")
    walk.fill(page.get_by_label("First name"), "Siobhán")
    walk.fill(page.get_by_label("Last name"), "Ní Dhomhnaill")
    walk.fill(page.get_by_label("Phone numbers"), "+353 85 012 3456")
    walk.fill(page.get_by_label("E-mail addresses"), "siobhan@example.com")
    walk.click(page.get_by_role("button", name="Add customer"))
    expect(page.get_by_role("heading", name="Siobhán Ní Dhomhnaill")).to_be_visible()
    assert walk.steps == 6


def test_at_the_till_a_number_opens_the_customer_in_three_steps(site: Site, page: Page, walk: Walk) -> None:
    site.crm.customers.create({"display_name": "Till Walker", "phones": "+353 85 012 3499"})
    site.sign_in(page, "clerk")
    walk.press("g", "t")
    page.wait_for_url("**/till")
    # A scanner types into the field that has the focus, and ends with Enter.
    walk.type("+353850123499\n")
    expect(page.get_by_role("heading", name="Till Walker")).to_be_visible()
    assert walk.steps == 3


def test_a_fact_is_changed_where_it_stands_in_three_steps(site: Site, page: Page, walk: Walk) -> None:
    customer = site.crm.customers.create({"display_name": "Quick Walker", "phones": "+353 85 012 3411", "city": "Cork"})
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers/{customer}")
    walk.click(page.get_by_role("link", name="Change contact details"))
    walk.fill(page.get_by_label("City"), "Galway")
    walk.click(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator("#head")).to_contain_text("Galway")
    expect(page).to_have_url(f"{site.address}/customers/{customer}")
    assert walk.steps == 3


def test_a_file_with_errors_is_fixed_loaded_again_and_taken_back_in_eleven_steps(
    site: Site, page: Page, walk: Walk, tmp_path: Path
) -> None:
    file = tmp_path / "walkers.csv"
    file.write_text("Kundnummer,Namn,E-post,Favorit\nW1,Walker One,one@example.com,blå\nW2,Walker Two,not-an-address,röd\n")
    site.sign_in(page, "marketer")
    page.goto(f"{site.address}/imports/new")
    walk.steps += 1
    page.get_by_label("File", exact=True).set_input_files(file)
    walk.click(page.get_by_role("button", name="Look into the file"))
    expect(page.get_by_text("This is what the file holds.")).to_be_visible()
    expect(page.get_by_role("cell", name="blå, röd")).to_be_visible()
    walk.click(page.get_by_role("button", name="Start trial run"))
    walk.click(page.get_by_role("button", name="Run the import"))
    with page.expect_download() as download:
        walk.click(page.get_by_role("link", name="Download the rejected records"))
    mended = tmp_path / "mended.csv"
    mended.write_text(download.value.path().read_text("utf-8-sig").replace("not-an-address", "two@example.com"))
    walk.steps += 1
    page.get_by_label("Corrected file").set_input_files(mended)
    walk.click(page.get_by_role("button", name="Try the corrected file"))
    walk.click(page.get_by_role("button", name="Run the import"))
    walk.click(page.get_by_role("button", name="Undo this import"))
    expect(page.get_by_text("The import was taken back.")).to_be_visible()
    walk.press("/")
    walk.type("Walker One\n")
    expect(page.get_by_role("link", name="Walker One")).to_be_visible()
    expect(page.get_by_role("link", name="Walker Two")).to_have_count(0)
    assert walk.steps == 11


def test_a_clerk_on_a_small_phone_in_persian_changes_a_note_in_six_steps(site: Site, page: Page, walk: Walk) -> None:
    site.crm.customers.create({"display_name": "پروانه رهگذر", "phones": "+98 912 345 6789", "notes": "آبی"})
    page.set_viewport_size({"width": 360, "height": 780})
    site.sign_in(page, "clerk")
    site.prefer("clerk", locale="fa")
    try:
        page.goto(f"{site.address}/")
        assert page.locator("html").get_attribute("dir") == "rtl"
        walk.click(page.locator("nav.rg-side [data-bar] a[href='/customers']"))
        walk.fill(page.locator("main input[name=q]"), "پروانه")
        walk.press("Enter")
        walk.click(page.get_by_role("link", name="پروانه رهگذر"))
        walk.click(page.locator("a[href$='/quick/notes']"))
        walk.fill(page.locator("textarea[name=notes]"), "سبز")
        page.locator("form[action$='/quick/notes'] button[type=submit]").click()
        expect(page.get_by_text("سبز")).to_be_visible()
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert walk.steps == 6
    finally:
        site.prefer("clerk")


def test_by_keyboard_alone_a_customer_is_found_and_changed_in_eight_keys(site: Site, page: Page, walk: Walk) -> None:
    site.crm.customers.create({"display_name": "Keyboard Walker"})
    site.sign_in(page, "clerk")
    walk.press("Control+k")
    expect(page.get_by_role("dialog", name="Go anywhere")).to_be_visible()
    walk.type("keyboard walk")
    expect(page.locator("#found").get_by_role("link", name="Keyboard Walker")).to_be_visible()
    walk.press("Enter")
    expect(page.get_by_role("heading", name="Keyboard Walker")).to_be_visible()
    edit = page.get_by_role("link", name="Edit", exact=True)
    edit.focus()
    walk.press("Enter")
    page.wait_for_url("**/edit")
    page.get_by_label("First name").focus()
    walk.type("Kim")
    walk.press("Enter")
    expect(page.get_by_text("The changes are saved.")).to_be_visible()
    walk.press("?")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_contain_text("Go to the till")
    walk.press("Escape")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_hidden()
    assert walk.steps == 8


def test_a_view_is_made_and_shared_in_eight_steps(site: Site, page: Page, walk: Walk) -> None:
    site.sign_in(page, "manager")
    page.goto(f"{site.address}/customers/filter")
    page.get_by_label("Field to add").select_option("status")
    walk.steps += 1
    walk.click(page.get_by_role("button", name="Add condition"))
    page.get_by_label("Value for Status").select_option(["active", "prospect"])
    walk.steps += 1
    walk.click(page.get_by_role("button", name="Show customers").last)
    expect(page.get_by_text("Status is one of Prospect, Active")).to_be_visible()
    walk.click(page.get_by_text("Save as view"))
    walk.fill(page.get_by_label("Name", exact=True), "Walkers")
    walk.click(page.get_by_label("Everybody may use it"))
    walk.click(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_role("link", name=re.compile("Walkers"))).to_have_attribute("aria-current", "page")
    assert walk.steps == 8


def test_what_was_typed_outlives_a_session_that_ended(site: Site, page: Page, walk: Walk) -> None:
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers/new")
    page.get_by_label("First name").fill("Patience")
    page.get_by_label("Notes").fill("Typed for a long time.")
    page.context.clear_cookies()
    page.get_by_role("button", name="Add customer").click()
    expect(page.get_by_text("Your session had ended")).to_be_visible()
    page.get_by_label("E-mail").fill("clerk@example.com")
    page.get_by_label("Password", exact=True).fill("korrekt häst batteri")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/customers/new?again=1")
    expect(page.get_by_label("First name")).to_have_value("Patience")
    expect(page.get_by_label("Notes")).to_have_value("Typed for a long time.")
    page.get_by_role("button", name="Add customer").click()
    expect(page.get_by_role("heading", name="Patience")).to_be_visible()
    page.wait_for_load_state()
    assert page.evaluate("sessionStorage.getItem('regulars-typed')") is None


def test_what_one_has_typed_is_given_to_nobody_else(site: Site, page: Page, walk: Walk) -> None:
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers/new")
    page.get_by_label("First name").fill("Private")
    page.context.clear_cookies()
    page.get_by_role("button", name="Add customer").click()
    expect(page.get_by_text("Your session had ended")).to_be_visible()
    page.get_by_label("E-mail").fill("manager@example.com")
    page.get_by_label("Password", exact=True).fill("korrekt häst batteri")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/customers/new?again=1")
    expect(page.get_by_label("First name")).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('regulars-typed')") is None


def test_a_double_click_adds_one_customer(site: Site, page: Page, walk: Walk) -> None:
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers/new")
    page.get_by_label("First name").fill("Doubletta")
    page.get_by_role("button", name="Add customer").dblclick()
    expect(page.get_by_role("heading", name="Doubletta")).to_be_visible()
    page.goto(f"{site.address}/customers?q=Doubletta")
    expect(page.get_by_text("1 customer", exact=True)).to_be_visible()


def test_ticked_customers_are_counted_and_come_back_from_the_trash(site: Site, page: Page, walk: Walk) -> None:
    for number in range(3):
        site.crm.customers.create({"display_name": f"Bulky {number}"})
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers?q=Bulky")
    walk.click(page.get_by_label("Select all on this page"))
    expect(page.locator(".rg-bar-bulk")).to_contain_text("3 selected")
    walk.click(page.get_by_role("button", name="Move to trash"))
    expect(page.get_by_text("3 customers are in the trash.")).to_be_visible()
    walk.click(page.get_by_role("button", name="Undo"))
    expect(page.get_by_role("link", name="Bulky 2")).to_be_visible()
    assert walk.steps == 3
