"""Finding customers: by fragments of names in any script, by phone in any notation, by e-mail and number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regulars_core.exchange.undo import undo
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.crm import CrmHarness

PEOPLE = [
    {"external_id": "K-001", "first_name": "小明", "last_name": "王", "display_name": "王小明"},
    {"external_id": "K-002", "first_name": "花子", "last_name": "佐藤"},
    {"external_id": "K-003", "first_name": "Åsa", "last_name": "Öberg", "email": "Asa.Oberg@Exämple.com", "phone": "+46 70 174 06 31"},
    {"external_id": "K-004", "first_name": "Øystein", "last_name": "Łukasz-Sørensen", "phone": "+39 06 6982 1234"},
    {"external_id": "K-005", "first_name": "علي", "last_name": "كاظمی", "phone": "+98 912 345 6789"},
    {"external_id": "K-006", "first_name": "Дмитрий", "last_name": "Ёжиков"},
    {"external_id": "K-007", "first_name": "ＪＯＳＥ\u0301", "last_name": "O'Brien 100%", "email": "jose_x@example.org"},
    {"external_id": "K-008", "first_name": "Straße", "last_name": "İstanbul"},
    {"external_id": "K-009", "first_name": "Li", "last_name": "Wu", "phone": "+1 415 555 2671"},
]
FOUND = {
    "王": "1", "王小": "1", "小明": "1", "王小明": "1", "佐藤": "2", "佐": "2", "花子": "2", "佐藤花子": "2",
    "åsa": "3", "ASA": "3", "oberg asa": "3", "berg": "3", "ÖBE": "3", "asa.oberg": "3", "xn--exmple": "3",
    "oystein": "4", "lukasz": "4", "sorensen": "4", "علی": "5", "کاظمي": "5", "дмитрий": "6", "ежиков": "6", "ежи": "6",
    "josé": "7", "jose": "7", "ｊｏｓｅ": "7", "o'brien": "7", "100%": "7", "jose_x": "7", "strasse": "8", "istanbul": "8",
    "li": "9", "wu": "9", "wu li": "9", "k-003": "3", "003": "3", "k-00": "123456789", "": "123456789", "  ": "123456789",
    "070-174 06 31": "3", "0701740631": "3", "+46701740631": "3", "+46 (0)70-174 06 31": "3", "0046 70 1740631": "3",
    "۰۷۰ ۱۷۴ ۰۶ ۳۱": "3", "070–174–06–31": "3", "070.174.06.31": "3", "070/1740631": "3", "(070) 174 06 31": "3", "1740631": "3",
    "070\u00a0174\u00a006\u00a031": "3", "＋46 70‑174 06 31": "3", "46 70 174": "3", "40631": "3", "۰۹۱۲ ۳۴۵ ۶۷۸۹": "5", "٠٩١٢٣٤٥٦٧٨٩": "5",
    "06 6982 1234": "4", "+39 06 69821234": "4", "(415) 555-2671": "9", "1-415-555-2671": "9", "001 415 555 2671": "9",
    "王 asa": "", "zzz": "", "070-174 06 32": "", "_": "", "%": "", "x%": "", "\"": "", "\" OR \"": "", "NOT": "", "a*": "",
}  # fmt: skip


@pytest.fixture
def shop(crm: CrmHarness, tmp_path: Path) -> CrmHarness:
    path = tmp_path / "people.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in PEOPLE))
    report = crm.import_file("customer", path)
    assert (report["created"], report["rejected"]) == (len(PEOPLE), [])
    return crm


def found(crm: CrmHarness, query: str) -> str:
    """The last digits of the numbers of those found."""
    with crm.read() as session:
        rows = crm.customers.page(session, SYSTEM, query=query).rows
    return "".join(sorted(one.external_ids[0][1][-1] for one in rows))


def test_customers_are_found_as_people_write_them(shop: CrmHarness) -> None:
    assert {query: found(shop, query) for query in FOUND} == FOUND


def test_what_changes_is_found_by_its_new_words_and_no_more_by_the_old(shop: CrmHarness) -> None:
    shop.import_text("customer", "external_id,last_name,email\nK-001,陳,chen@example.com\n")
    assert [found(shop, query) for query in ("陳", "王", "陳小明", "chen@")] == ["1", "", "1", "1"]
    shop.customers.update(1, {"last_name": "王"})
    assert [found(shop, query) for query in ("陳", "王", "王小明")] == ["", "1", "1"]
    run = shop.import_text("customer", "external_id,first_name\nK-006,Сергей\nK-010,Новый\n")["run"]
    assert [found(shop, query) for query in ("сергей", "дмитрий", "новый")] == ["6", "", "0"]
    undo(shop, run)
    assert [found(shop, query) for query in ("сергей", "дмитрий", "новый")] == ["", "6", ""]
    with shop.transaction() as session:
        shop.customers.trash(session, 6)
    assert found(shop, "дмитрий") == ""
    with shop.transaction() as session:
        shop.customers.restore(session, 6)
    assert found(shop, "дмитрий") == "6"
