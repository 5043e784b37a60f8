"""A history of 5,000 entries from four plugins: asked for as often as a short one, and read to its end without a loss."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sample_plugins import diaries

from regulars_core.crm import Crm
from regulars_testkit.staff import Staff
from regulars_web.pages.timeline import BATCH

ENTRY = re.compile(r"\[\w+ \d+\]")
OLDER = {"HX-Request": "true", "HX-Target": "timeline-older"}


@pytest.fixture
def crm(make_crm: Callable[..., Crm]) -> Crm:
    """The four plugins, and two customers."""
    crm = make_crm(*(diaries.diary(name) for name in diaries.NAMES))
    for name in ("Ada", "Bo"):
        crm.customers.create({"display_name": name})
    return crm


def test_a_long_history(crm: Crm, staff: Callable[..., Staff], query_count: Callable[[], AbstractContextManager[list[str]]]) -> None:
    with crm.transaction() as session:
        expected = diaries.write(session, 1, 5_000)
        diaries.write(session, 2, 5)
    reader = staff(may=["customers.view"])

    def statements_of(path: str) -> list[str]:
        reader.get(path)
        with query_count() as statements:
            assert ENTRY.search(reader.get(path).text)
        return [one for one in statements if "_entry" in one]

    for page in ("", "/timeline"):
        assert len(statements_of(f"/customers/1{page}")) == len(statements_of(f"/customers/2{page}")) == 1 + len(diaries.NAMES)

    # As programs read it to the end, and as staff read its beginning.
    assert walked(lambda after: programs(reader, after)) == expected
    shown = walked(lambda after: staffs(reader, after), batches=4)
    # The first line says that the record was added.
    assert len(shown) == 4 * BATCH - 1
    assert shown == expected[: len(shown)]


def walked(batch: Callable[[str], tuple[str, str]], batches: int = 1_000) -> list[str]:
    seen, after = list[str](), ""
    for _batch in range(batches):
        text, after = batch(after)
        seen += ENTRY.findall(text)
        if not after:
            break
    return seen


def programs(reader: Staff, cursor: str) -> tuple[str, str]:
    answer = reader.get("/api/v1/customers/1/timeline", query_string={"limit": 200, **({"cursor": cursor} if cursor else {})})
    return answer.text, str((answer.json or {})["next"] or "")


def staffs(reader: Staff, address: str) -> tuple[str, str]:
    page = reader.get(address or "/customers/1/timeline", headers=OLDER if address else {}).text
    following = re.search(r'rel="next" href="([^"]+)"', page)
    return page, html.unescape(following[1]) if following else ""
