"""A file goes in through the browser, progress is seen without reloading, and it is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from regulars_testkit.browser import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_file_is_tried_run_and_taken_back(site: Site, page: Page, complaints: list[str], tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    rows = "\n".join(f"M{number},Member {number},member{number}@example.com,03/04/1984" for number in range(1, 400))
    file.write_text(f"Kundnummer,Namn,E-post,Född\n{rows}\nM400,Broken,not-an-address,03/04/1984\n")
    site.sign_in(page, "marketer")
    page.get_by_role("link", name="Import", exact=True).first.click()
    page.get_by_role("link", name="Import a file").first.click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look into the file").click()
    expect(page.get_by_text("This is what the file holds.")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Start trial run").click()
    page.get_by_label("day, month, year").check()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Would be added")).to_be_visible()
    expect(page.get_by_text("Download all 1")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    with page.expect_download() as download:
        page.get_by_text("Download all 1").click()
    assert "not-an-address" in download.value.path().read_text("utf-8-sig")
    page.get_by_role("button", name="Run the import").click()
    expect(page.get_by_role("button", name="Undo this import")).to_be_visible()
    assert site.crm.customers.get(3001) is not None
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("The import was taken back.")).to_be_visible()
    assert site.crm.customers.get(3001) is None
    assert complaints == []
