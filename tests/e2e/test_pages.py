"""Every page in a real browser: nothing complains, nothing sticks out, everybody can use it (WCAG 2.2 AA by axe)."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from regulars_testkit.browser import LOOKS, Site
from regulars_web.app import create_app

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = (
    "/",
    "/customers",
    "/customers?status=active&tag=vip&q=an",
    "/customers?q=nobody+at+all",
    "/customers/60",
    "/customers/7",
    "/customers/7/edit",
    "/customers/7/changes",
    "/customers/new",
    "/imports",
    "/imports/2",
    "/imports/new",
    "/stores",
    "/stores/new",
    "/search?q=an",
    "/search",
    "/profile",
    "/home/menu",
    "/customers?filter=%7B%22all%22%3A%5B%7B%22field%22%3A%22city%22%2C%22op%22%3A%22eq%22%2C%22value%22%3A%22Lund%22%7D%5D%7D",
    "/customers?trashed=60,61&columns=email,phone&sort=newest",
    "/customers/filter",
    "/customers/filter?m=any&f0-0=status&v0-0=active&f0-1=birthday&f1-0=city&v1-0=Lund&do=group",
    "/customers/7/quick/contact",
    "/customers/7/quick/particulars",
    "/till",
    "/till?find=an",
    "/till?find=nobody+at+all",
    "/commands?go=cu",
    "/shortcuts",
    "/home/arrange",
    "/customers/7/arrange",
    "/notices",
    "/exports",
    "/exports/new",
    "/stores/mine",
    "/users",
    "/users/new",
    "/users/roles",
    "/users/roles/clerk",
    "/users/roles/administrator",
    "/plugins",
    "/plugins?show=kept",
    "/settings",
    "/jobs",
    "/events",
    "/events/failed",
    "/events/catalogue",
    "/customers/7?again=1",
    "/customers/7/timeline",
    "/reports",
    "/events/handlers",
)
WALKED_ELSEWHERE = {
    *("security.login", "duplicates.page", "duplicates.of", "merge.preview", "merge.page", "merge.show", "trash.page", "audit.page"),
    *("privacy.page", "privacy.receipt", "plugins.show", "settings.show", "users.show", "account.welcome", "exports.show", "events.show"),
    *("reports.show", "customers.tab", "security.verify", "api.reader"),
}
"""Pages that need something special on them: in the tests of people, of a plugin, of the API's description."""
NO_PAGES = {
    *("home.widget", "customers.panel", "customers.head", "imports.progress", "exports.progress", "imports.rejected", "exports.download"),
    *("plugins.rows", "reports.file", "health.alive", "health.ready", "health.figures", "asset"),
}
"""Parts of pages, and files."""
LEVELS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


def test_no_page_is_forgotten(site: Site) -> None:
    app = create_app(site.crm)
    addresses = app.url_map.bind("localhost")
    walked = {addresses.match(path.partition("?")[0])[0] for path in PAGES}
    own = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/v1")]
    assert {rule.endpoint for rule in own} == walked | WALKED_ELSEWHERE | NO_PAGES


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=LEVELS).response["violations"]
    return [f"{page.url}: {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def sticking_out(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_every_page_is_clean(site: Site, page: Page, complaints: list[str], theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    site.prefer("administrator")
    page.goto(f"{site.address}/sign-in")
    found = violations(page)
    site.sign_in(page, "administrator")
    assert page.locator("html").get_attribute("data-bs-theme") == theme
    for path in PAGES:
        page.goto(site.address + path)
        found += violations(page)
        found += [f"{path} is wider than the screen"] if sticking_out(page) else []
    assert found == []
    assert complaints == []


@pytest.mark.parametrize("width", [1440, 360])
def test_from_right_to_left_by_itself(site: Site, page: Page, complaints: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    site.sign_in(page, "manager")
    site.prefer("manager", locale="fa")
    try:
        for number, path in enumerate(PAGES):
            page.goto(site.address + path)
            assert page.locator("html").get_attribute("dir") == "rtl"
            assert not sticking_out(page), path
            # What is clean in English is hardly ever unclean here: a fourth of the pages is enough.
            if width == 360 and number % 4 == 0:
                assert violations(page) == []
        if width == 1440:
            menu = page.locator("nav.rg-side").bounding_box()
            assert menu is not None
            assert menu["x"] > width / 2
        assert complaints == []
    finally:
        site.prefer("manager")


def test_the_menus_open_and_close_by_keyboard(site: Site, page: Page) -> None:
    site.sign_in(page, "clerk")
    page.goto(f"{site.address}/customers")
    page.keyboard.press("/")
    search = page.get_by_label("Search name, phone, card or receipt")
    expect(search).to_be_focused()
    page.keyboard.type("Shevchenko /")
    expect(search).to_have_value("Shevchenko /")
    page.locator("summary[aria-label$='profile']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1440])
def test_the_search_box_answers_while_one_types(site: Site, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    site.sign_in(page, "clerk")
    box = page.get_by_label("Search name, phone, card or receipt")
    box.press_sequentially("an")
    found = page.locator(".rg-found")
    expect(found.get_by_role("link", name="Show all")).to_be_visible()
    around = found.bounding_box()
    assert around is not None
    assert (around["x"] >= 0, around["x"] + around["width"] <= width) == (True, True)
    assert Axe().run(page, options=LEVELS).response["violations"] == []
    page.keyboard.press("Escape")
    expect(found).to_be_hidden()
    expect(box).to_be_focused()
    box.press_sequentially("n")
    first = found.get_by_role("link").first
    expect(first).to_be_visible()
    name = first.inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_one_escape_closes_the_command_bar(site: Site, page: Page) -> None:
    site.sign_in(page, "clerk")
    page.keyboard.press("Control+k")
    page.keyboard.type("cu")
    expect(page.locator("#commands input")).to_have_value("cu")
    page.keyboard.press("Escape")
    expect(page.locator("#commands")).to_be_hidden()


@pytest.mark.parametrize("locale", ["en", "fa"])
def test_the_tools_of_the_list_stay_on_a_phone(site: Site, page: Page, locale: str) -> None:
    page.set_viewport_size({"width": 360, "height": 900})
    site.sign_in(page, "administrator")
    site.prefer("administrator", locale=locale)
    try:
        page.goto(f"{site.address}/customers")
        menus = page.locator("main details.rg-menu")
        expect(menus).to_have_count(3)
        for menu in menus.all():
            menu.locator("summary").click()
            box = menu.locator(".rg-menu-form").bounding_box()
            assert box is not None
            assert 0 <= box["x"] < box["x"] + box["width"] <= 360
            assert not sticking_out(page)
            page.keyboard.press("Escape")
        page.locator("tbody input[type=checkbox]").first.check()
        assert page.locator(".rg-bar-bulk").evaluate("bar => bar.scrollWidth - bar.clientWidth") == 0
        assert page.locator(".rg-bar-bulk > .rg-strong").evaluate(
            "count => count.offsetHeight < 2 * parseFloat(getComputedStyle(count).fontSize)"
        )
        page.goto(f"{site.address}/events")
        assert page.locator(".rg-tabs").evaluate("tabs => tabs.scrollWidth - tabs.clientWidth") == 0
    finally:
        site.prefer("administrator")


def test_fingers_find_buttons_large_and_magnifiers_in_the_middle(site: Site, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 900}, has_touch=True, is_mobile=True).new_page()
    site.sign_in(page, "manager")
    page.goto(f"{site.address}/customers")
    middle = "part => part.getBoundingClientRect().top + part.getBoundingClientRect().height / 2"
    for search in page.locator(".rg-search").all():
        assert search.locator(".rg-icon").evaluate(middle) == pytest.approx(search.locator("input").evaluate(middle), abs=1)
    page.locator("main").evaluate(
        "main => main.insertAdjacentHTML('beforeend', '<button class=\"btn btn-sm rg-square\" id=\"small\"></button>')"
    )
    box = page.locator("#small").bounding_box()
    assert box is not None
    assert box["width"] == box["height"] >= 36
    page.context.close()


def test_the_theme_is_chosen_in_the_menu_and_stays(site: Site, page: Page) -> None:
    site.sign_in(page, "analyst")
    page.goto(f"{site.address}/customers?q=an")
    page.locator("summary[aria-label$='profile']").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page).to_have_url(f"{site.address}/customers?q=an")
    site.prefer("analyst")


def test_everything_reads_and_every_form_works_without_scripts(site: Site, browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        site.sign_in(page, "clerk")
        page.goto(f"{site.address}/customers")
        page.get_by_text("Add filter").click()
        page.get_by_role("search", name="Customers").get_by_label("Status").select_option("blocked")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text("Blocked").first).to_be_visible()
        page.goto(f"{site.address}/customers/new")
        page.get_by_label("First name").fill("Noscript")
        page.get_by_role("button", name="Add customer").click()
        expect(page.get_by_role("heading", name="Noscript")).to_be_visible()
        page.get_by_label("More actions").click()
        page.get_by_role("button", name="Move to trash").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("heading", name="Noscript")).to_be_visible()


PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "'-alert(1)-'",
    "<div hx-get=/profile hx-trigger=load hx-target=body>",
    "</textarea><script>alert(1)</script>",
)


def test_what_is_typed_never_runs(site: Site, page: Page, complaints: list[str]) -> None:
    fields = ("first_name", "last_name", "display_name", "street", "city", "region", "notes", "tags")
    ids = [site.crm.customers.create(dict.fromkeys(fields, payload)) for payload in PAYLOADS]
    site.sign_in(page, "manager")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith(f"{site.address}/profile") else None)
    for customer in ids:
        for part in ("", "/edit", "/changes"):
            page.goto(f"{site.address}/customers/{customer}{part}")
    for payload in PAYLOADS:
        for address in ("customers", "search"):
            page.goto(f"{site.address}/{address}?q={quote(payload)}")
    assert complaints == []
    assert asked == []
