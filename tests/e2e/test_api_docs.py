"""The page of the API's description in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from regulars_testkit.browser import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LEVELS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_description_is_read_and_tried_out(site: Site, page: Page, complaints: list[str], theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    site.sign_in(page, "administrator")
    page.goto(f"{site.address}/api/docs")
    page.locator(".opblock").first.wait_for(timeout=30000)
    violations = Axe().run(page, options=LEVELS).response["violations"]
    assert [f"{one['id']}: {node['html'][:160]}" for one in violations for node in one["nodes"]] == []
    page.locator(".opblock-get", has_text="/api/v1/stores").first.locator(".opblock-summary-control").click(timeout=30000)
    page.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/api/v1/stores*") as answered:
        page.get_by_role("button", name="Execute").click()
    assert answered.value.status == 200
    expect(page.locator("html.dark-mode")).to_have_count(1 if theme == "dark" else 0)
    assert complaints == []
