"""Duplicates, merging, trash, the record of changes and privacy in the browser: what is shown, what is done, and by whom."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from regulars_core.crm import Crm
from regulars_core.privacy import upkeep
from regulars_plugin_api.contributions import Problem
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import Staff, add_store, plugin
from regulars_web.app import create_app

MANAGER = ["customers.view", "customers.edit", "customers.merge", "customers.personal_data", "audit.view"]
Sign = Callable[..., Staff]


@pytest.fixture
def two(crm: Crm) -> tuple[int, int]:
    """Two records of one person."""
    one = crm.customers.create({"first_name": "Eva", "last_name": "Ek", "emails": "eva@example.com", "tags": "vip"})
    return one, crm.customers.create(
        {"first_name": "E", "last_name": "Ek", "emails": "Eva@example.com", "notes": "ringer gärna", "tags": "vip"}
    )


def test_from_the_list_to_one_customer_and_back(crm: Crm, staff: Sign, two: tuple[int, int], contents: Callable[[], list[str]]) -> None:
    one, other = two
    manager = staff(may=MANAGER)
    before = contents()
    assert f"/customers/{one}/merge/{other}" in manager.get("/duplicates").text
    page = manager.get(f"/customers/{one}/merge/{other}").text
    assert [word in page for word in ("Eva Ek", "E Ek", "ringer gärna", "E-mail addresses", "Tags")] == [True] * 5
    assert contents() == before, "looking changes nothing"
    done = manager.post(f"/customers/{one}/merge/{other}", follow_redirects=True)
    assert "Merged." in done.text
    customer = crm.customers.get(other)
    assert customer is not None
    assert (customer.id, customer.notes) == (one, "ringer gärna")
    assert "E Ek" in manager.get("/merges").text
    number = re.search(r"/merges/(\d+)/undo", done.text)
    assert number is not None
    assert "The merge is taken back." in manager.post(f"/merges/{number[1]}/undo", follow_redirects=True).text
    assert contents() == before


def test_two_who_are_two(staff: Sign, two: tuple[int, int]) -> None:
    manager = staff(may=MANAGER)
    said = manager.post("/duplicates/different", {"one": two[0], "other": two[1]}, follow_redirects=True)
    assert "Eva Ek and E Ek are two" in said.text
    assert "No duplicates" in said.text
    assert "Nobody else looks the same" in manager.get(f"/customers/{two[0]}/duplicates").text


def test_somebody_else_is_found_by_name(crm: Crm, staff: Sign, two: tuple[int, int]) -> None:
    third = crm.customers.create({"first_name": "Evelina", "last_name": "Berg"})
    page = staff(may=MANAGER).get(f"/customers/{two[0]}/duplicates?q=evelina").text
    assert f"/customers/{two[0]}/merge/{third}" in page
    assert f"/customers/{two[0]}/merge/{two[1]}" in page


def test_a_refused_merge_says_why_and_changes_nothing(
    crm: Crm, staff: Sign, two: tuple[int, int], contents: Callable[[], list[str]]
) -> None:
    company = crm.customers.create({"display_name": "Ek AB", "kind": "company"})
    manager = staff(may=MANAGER)
    before = contents()
    reply = manager.post(f"/customers/{two[0]}/merge/{company}")
    assert (reply.status_code, "Only customers of one kind" in reply.text) == (409, True)
    assert contents() == before


def test_nobody_without_permission(staff: Sign, two: tuple[int, int], contents: Callable[[], list[str]]) -> None:
    clerk = staff(may=["customers.view", "customers.edit"])
    before = contents()
    for path in ("/duplicates", f"/customers/{two[0]}/duplicates", f"/customers/{two[0]}/merge/{two[1]}", "/merges", "/merges/1", "/audit"):
        assert clerk.get(path).status_code == 403, path
    for path in ("privacy", "personal-data", "erase"):
        assert clerk.client.open(f"/customers/{two[0]}/{path}", method="GET").status_code in (403, 405), path
    for path in ("/duplicates/different", f"/customers/{two[0]}/merge/{two[1]}", "/merges/1/undo"):
        assert clerk.post(path).status_code == 403, path
    for path in ("personal-data", "erase"):
        assert clerk.post(f"/customers/{two[0]}/{path}", {"name": "Eva Ek"}).status_code == 403, path
    assert contents() == before


def test_nobody_of_another_store(crm: Crm, staff: Sign, malmo: int, contents: Callable[[], list[str]]) -> None:
    add_store(crm, "LUND", "Lund")
    ids = [crm.customers.create({"first_name": name, "emails": "x@example.com", "store": "MALMO"}) for name in ("A", "B")]
    manager = staff(may=MANAGER, stores=["LUND"])
    before = contents()
    assert "No duplicates" in manager.get("/duplicates").text
    assert manager.get(f"/customers/{ids[0]}/merge/{ids[1]}").status_code == 404
    assert manager.post(f"/customers/{ids[0]}/merge/{ids[1]}").status_code == 404
    assert manager.post("/duplicates/different", {"one": ids[0], "other": ids[1]}).status_code == 404
    assert manager.post(f"/customers/{ids[0]}/erase", {"name": "A"}).status_code == 404
    assert manager.get("/audit").status_code == 403
    assert contents() == before


def test_the_trash_gives_back(crm: Crm, staff: Sign, two: tuple[int, int], contents: Callable[[], list[str]]) -> None:
    clerk = staff(may=["customers.view", "customers.edit"])
    before = contents()
    assert "The trash is empty" in clerk.get("/trash").text
    clerk.post(f"/customers/{two[0]}/trash")
    page = clerk.get("/trash").text
    assert ("Eva Ek" in page, f"/customers/{two[0]}/restore" in page) == (True, True)
    assert crm.customers.get(two[0]) is None
    clerk.post(f"/customers/{two[0]}/restore")
    assert contents() == before
    crm.privacy.erase(two[0])
    assert "The trash is empty" in clerk.get("/trash").text


def test_the_record_of_changes(crm: Crm, staff: Sign, two: tuple[int, int]) -> None:
    crm.customers.update(two[0], {"first_name": "Evy"})
    page = staff(may=MANAGER).get("/audit").text
    assert ("First name" in page, "Evy" in page, f"/customers/{two[0]}" in page) == (True, True, True)


def test_a_copy_is_handed_out(crm: Crm, staff: Sign, two: tuple[int, int]) -> None:
    manager = staff(may=MANAGER)
    assert "Hand out a copy" in manager.get(f"/customers/{two[0]}/privacy").text
    reply = manager.post(f"/customers/{two[0]}/personal-data")
    assert (reply.status_code, reply.mimetype) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(reply.data)) as archive:
        assert "eva@example.com" in archive.read("data.json").decode()
    with crm.read() as session:
        noted = session.execute(sa.text("SELECT actor_id, cause FROM change WHERE column_name = 'personal_data'")).one()
    assert (noted.actor_id is not None, noted.cause) == (True, "web")


def test_erasing_asks_for_the_name(crm: Crm, staff: Sign, two: tuple[int, int], contents: Callable[[], list[str]]) -> None:
    manager = staff(may=MANAGER)
    before = contents()
    refused = manager.post(f"/customers/{two[0]}/erase", {"name": "Eva"})
    assert (refused.status_code, 'value="Eva"' in refused.text, contents() == before) == (422, True, True)
    done = manager.post(f"/customers/{two[0]}/erase", {"name": " Eva  Ek"}, follow_redirects=True)
    assert ("Receipt of erasure" in done.text, "scrubbed by the worker" in done.text) == (True, True)
    upkeep.scrub(crm)
    assert "Nothing is left in the files" in manager.get(done.request.path).text
    assert "eva@example.com" in "".join(contents()), "the other record stays"
    crm.privacy.erase(two[1])
    assert "eva@example.com" not in "".join(contents()).lower()


def test_a_new_customer_who_may_be_known(crm: Crm, staff: Sign, two: tuple[int, int], contents: Callable[[], list[str]]) -> None:
    clerk = staff(may=["customers.view", "customers.edit"])
    before = contents()
    typed = {"first_name": "Evy", "last_name": "Ek", "emails": "EVA@example.com", "notes": "ny"}
    asked = clerk.post("/customers/new", typed)
    assert (asked.status_code, contents() == before) == (409, True)
    assert [word in asked.text for word in (f"/customers/{two[0]}", "Same e-mail", "Add all the same", ">ny</textarea>")] == [True] * 4
    assert clerk.post("/customers/new", typed | {"anyway": "1"}).status_code == 302
    wrong = clerk.post("/customers/new", typed | {"birthday": "never"})
    assert (wrong.status_code, "birthday-wrong" in wrong.text) == (422, True)
    assert clerk.post("/customers/new", {"first_name": "Bo", "last_name": "Ny"}).status_code == 302


def test_nobody_hears_of_customers_of_other_stores(crm: Crm, staff: Sign, malmo: int) -> None:
    add_store(crm, "LUND", "Lund")
    crm.customers.create({"first_name": "Eva", "emails": "eva@example.com", "store": "MALMO"})
    clerk = staff(may=["customers.view", "customers.edit"], stores=["LUND"])
    assert clerk.post("/customers/new", {"first_name": "Evy", "emails": "eva@example.com"}).status_code == 302


def test_a_check_that_fails_or_warns_is_told_and_the_customer_is_saved(make_crm: Callable[..., Crm], staff: Sign) -> None:
    @hookimpl
    def validate_customer(draft: Mapping[str, Any]) -> Iterable[Problem]:
        if draft.get("first_name") == "Boom":
            raise RuntimeError("broken")
        yield Problem("Names are better in two parts.", warning=True)
        if draft.get("first_name") == "No":
            yield Problem("Not this one.", field="first_name")

    crm = make_crm(plugin("checks", validate_customer=validate_customer))
    app: Flask = create_app(crm)
    clerk = staff(may=["customers.view", "customers.edit"], on=app)
    failed = clerk.post("/customers/new", {"first_name": "Boom"}, follow_redirects=True).text
    assert ("The customer is added." in failed, "could not check this customer" in failed) == (True, True)
    assert "Names are better in two parts." in clerk.post("/customers/new", {"first_name": "Eva"}, follow_redirects=True).text
    refused = clerk.post("/customers/new", {"first_name": "No"})
    assert (refused.status_code, "Not this one." in refused.text) == (422, True)


def test_the_record_speaks_of_things_not_of_tables(crm: Crm, staff: Sign, two: tuple[int, int]) -> None:
    crm.customers.merge(two[0], two[1])
    crm.privacy.erase(two[0])
    crm.customers.create({"display_name": "Åsa Holm", "tags": "new"})
    page = staff(may=MANAGER).get("/audit").text
    nouns = set(re.findall(r'class="d-block"[^>]*>([^<]*)<', page))
    assert {"Customer", "E-mail", "Tag", "Erasure"} <= nouns
    assert not any("_" in noun or noun == noun.lower() for noun in nouns)
    assert "Entries in the record of changes" in page


def test_ids_in_the_record_are_names(crm: Crm, staff: Sign, two: tuple[int, int]) -> None:
    add_store(crm, "LUND", "Lund Nova")
    crm.customers.update(two[0], {"store": "LUND"})
    crm.customers.merge(two[0], two[1])
    manager = staff(may=[*MANAGER, "customers.history"])
    for path in ("/audit", f"/customers/{two[0]}/changes"):
        rows = re.findall(r"<tr>.*?</tr>", manager.get(path).text, re.DOTALL)
        (moved,) = [row for row in rows if "Home store" in row]
        assert ("Lund Nova" in moved, re.search(r">\d+<", moved)) == (True, None)
    (merged,) = [row for row in re.findall(r"<tr>.*?</tr>", manager.get("/audit").text, re.DOTALL) if "Part of customer" in row]
    assert f'<a href="/customers/{two[0]}"><bdi>Eva Ek</bdi></a>' in merged


def test_a_store_out_of_sight_is_not_named_in_changes(crm: Crm, staff: Sign) -> None:
    for code, name in (("LUND", "Lund Nova"), ("UMEA", "Umeå Avion")):
        add_store(crm, code, name)
    customer = crm.customers.create({"display_name": "Eva Ek", "store": "UMEA"})
    crm.customers.update(customer, {"store": "LUND"})
    page = staff(may=["customers.view", "customers.history"], stores=["LUND"]).get(f"/customers/{customer}/changes").text
    assert ("Lund Nova" in page, "Umeå" in page) == (True, False)
