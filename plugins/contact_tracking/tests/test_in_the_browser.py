"""A clerk at a screen: finds a customer by phone, writes down a call, sees the next step at home and closes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from regulars_core.plugins.switching import enable
from regulars_testkit.browser import Site, browser_type_launch_args, complaints, served
from regulars_testkit.staff import PASSWORD
from regulars_web import demo

__all__ = ["browser_type_launch_args", "complaints"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CALLER = "Ouyang Mingyue"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    """The sample chain with purchases and contacts, and one more customer."""
    home = tmp_path_factory.mktemp("home")
    database = shutil.copyfile(sqlite_template, home / "regulars.db")
    with served(home, f"sqlite:///{database}") as running:
        enable(running.crm, "purchases")
        enable(running.crm, "contact_tracking")
        demo.fill(running.crm, "small")
        running.crm.customers.create({"display_name": CALLER, "phones": "070-174 06 44", "country": "SE", "store": "MALMO"})
        yield running


class Hands:
    """A person's hands: each use of the mouse or a field counts as one step."""

    def __init__(self) -> None:
        self.steps = 0

    def click(self, what: Locator) -> None:
        self.steps += 1
        what.click()

    def type(self, where: Locator, text: str) -> None:
        self.steps += 1
        where.fill(text)


def test_from_the_phone_ringing_to_the_promise_kept(site: Site, page: Page, complaints: list[str]) -> None:
    site.sign_in(page, "clerk")
    hands = Hands()
    hands.type(page.get_by_label("Search name, phone, card or receipt"), "0701740644")
    page.keyboard.press("Enter")
    hands.click(page.get_by_role("link", name=CALLER).first)
    hands.type(page.get_by_label("What was said"), "Wants the grey fabric.")
    hands.type(page.get_by_label("Next step, if there is one"), "Ring about the fabric")
    hands.click(page.get_by_role("button", name="Save", exact=True))
    # On the timeline and in the header, without leaving the page.
    page.get_by_role("region", name="Timeline").get_by_text("Wants the grey fabric.").wait_for()
    page.locator("#next-step").get_by_text("Ring about the fabric").wait_for()
    assert hands.steps == 5
    page.goto(f"{site.address}/contact_tracking/follow-ups")
    mine = page.get_by_role("listitem").filter(has_text="Ring about the fabric")
    expect(mine).to_contain_text("Tomorrow")
    page.goto(site.address)
    tile = page.get_by_role("region", name="My follow-ups")
    tile.get_by_role("listitem").first.wait_for()
    row = tile.get_by_role("listitem").filter(has_text="Ring about the fabric")
    expect(row).to_contain_text(CALLER)
    hands.click(row.get_by_label("Done: Ring about the fabric"))
    hands.type(row.get_by_label("What came of it"), "Ordered the grey one")
    hands.click(row.get_by_role("button", name="Close the follow-up"))
    tile.get_by_role("button", name="Undo").wait_for()
    assert hands.steps == 8
    assert complaints == []
    with site.crm.read() as session:
        query = "SELECT outcome, done_at IS NOT NULL FROM contact_tracking_follow_up WHERE what = 'Ring about the fabric'"
        assert [tuple(row) for row in session.execute(sa.text(query))] == [("Ordered the grey one", 1)]


@pytest.mark.browser_context_args(locale="fa-IR", viewport={"width": 360, "height": 780})
def test_in_persian_on_a_small_phone_from_signing_in_to_the_promise_kept(site: Site, page: Page, complaints: list[str]) -> None:
    site.crm.customers.create({"display_name": "پروانه رهگذر", "phones": "021 5550 0147", "country": "IR", "store": "MALMO"})
    site.prefer("clerk", locale="fa")
    hands, found = Hands(), list[str]()

    def look_over(where: str, sign: Locator) -> None:
        sign.wait_for()
        page.wait_for_load_state("networkidle")
        violations = Axe().run(page).response["violations"]
        found.extend(f"{where}: {bad['id']}: {node['html'][:120]}" for bad in violations for node in bad["nodes"])
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{where} is wider than the screen")

    caller = page.locator("main").get_by_role("link", name="پروانه رهگذر").first
    mine = page.get_by_role("region", name="پیگیری‌های من")
    row = mine.get_by_role("listitem").filter(has_text="خبر دادن زمان تحویل")
    try:
        page.goto(f"{site.address}/sign-in")
        look_over("signing in", page.locator("html[dir=rtl]"))
        hands.type(page.get_by_label("ایمیل"), "clerk@example.com")
        hands.type(page.get_by_label("رمز عبور", exact=True), PASSWORD)
        hands.click(page.get_by_role("button", name="ورود"))
        look_over("home", mine)
        hands.type(page.get_by_label("جست‌وجوی نام، تلفن، کارت یا رسید"), "۰۲۱ ۵۵۵۰ ۰۱۴۷")
        page.keyboard.press("Enter")
        look_over("what was found", caller)
        hands.click(caller)
        look_over("the customer", page.get_by_label("آنچه گفته شد"))
        hands.type(page.get_by_label("آنچه گفته شد"), "پردهٔ خاکستری را می‌خواهد.")
        hands.type(page.get_by_label("گام بعدی، اگر هست"), "خبر دادن زمان تحویل")
        hands.click(page.get_by_role("button", name="ذخیره", exact=True))
        look_over("the call written down", page.locator("#next-step").get_by_text("خبر دادن زمان تحویل"))
        expect(page.locator("#next-step")).to_contain_text("فردا")
        hands.click(page.get_by_role("navigation").get_by_role("link", name="خانه"))
        expect(row).to_contain_text("پروانه رهگذر")
        hands.click(row.get_by_label("انجام شد: خبر دادن زمان تحویل"))
        look_over("closing it", row.get_by_label("نتیجهٔ آن"))
        hands.type(row.get_by_label("نتیجهٔ آن"), "شنبه می‌رسد")
        hands.click(row.get_by_role("button", name="بستن پیگیری"))
        look_over("closed", mine.get_by_role("button", name="برگرداندن"))
    finally:
        site.prefer("clerk")
    assert hands.steps == 12
    assert (found, complaints) == ([], [])
    with site.crm.read() as session:
        query = "SELECT outcome FROM contact_tracking_follow_up WHERE what = 'خبر دادن زمان تحویل' AND done_at IS NOT NULL"
        assert session.scalars(sa.text(query)).all() == ["شنبه می‌رسد"]


def test_what_is_wrong_is_told_in_place(site: Site, page: Page, complaints: list[str]) -> None:
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers/1")
    page.get_by_label("What was said").fill("Paid with 4111 1111 1111 1111")
    page.get_by_label("Next step, if there is one").fill("Ring")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("There is a payment card number in this text").wait_for()
    expect(page.get_by_label("Next step, if there is one")).to_have_value("Ring")
    expect(page).to_have_url(f"{site.address}/customers/1")
    assert [one for one in complaints if "422" not in one] == []


def test_older_happenings_are_loaded_below(site: Site, page: Page, complaints: list[str]) -> None:
    site.sign_in(page, "clerk")
    with site.crm.read() as session:
        query = "SELECT customer_id FROM purchases_receipt WHERE customer_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        busiest = session.scalar(sa.text(query))
    page.goto(f"{site.address}/customers/{busiest}")
    happenings = page.locator("#timeline .rg-event")
    shown = happenings.count()
    page.get_by_role("link", name="Older").click()
    happenings.nth(shown).wait_for()
    page.get_by_role("button", name="Contacts").click()
    page.locator("#timeline [aria-pressed=true]", has_text="Contacts").wait_for()
    expect(page.locator("#timeline").get_by_text("Bought")).to_have_count(0)
    assert complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_pages_of_contacts_are_clean(site: Site, page: Page, complaints: list[str], theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    site.sign_in(page, "clerk")
    with site.crm.read() as session:
        one, customer = session.execute(sa.text("SELECT id, customer_id FROM contact_tracking_interaction ORDER BY id LIMIT 1")).one()
        step = session.scalar(sa.text("SELECT min(id) FROM contact_tracking_follow_up WHERE done_at IS NULL"))
    own = ("follow-ups", f"follow-ups/{step}", f"interactions/{one}", f"customers/{customer}/interactions/new", "clients", "plans")
    paths = (
        *("/", f"/customers/{customer}", f"/customers/{customer}/timeline", f"/contact_tracking/customers/{customer}/book"),
        *(f"/contact_tracking/{path}" for path in (*own, "without-next-step?whose=store")),
    )
    found = []
    for path in paths:
        page.goto(site.address + path)
        page.wait_for_load_state("networkidle")
        found += [f"{path}: {bad['id']}: {node['html'][:120]}" for bad in Axe().run(page).response["violations"] for node in bad["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{path} is wider than the screen")
    assert found == []
    assert complaints == []
