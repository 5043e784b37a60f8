"""Who sees what: a contact in one's store opens the customer's page, list and export alike; search and lists stay within stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from regulars_plugin_api.views import Viewer
from regulars_testkit.staff import Staff


def logged(chain: Any, somebody: Staff, name: str, store: str, text: str) -> None:
    ids = dict(chain.rows("SELECT code, id FROM store"))
    said = {"channel": "visit", "text": text, "store": ids[store]}
    assert somebody.post(f"/contact_tracking/customers/{chain.customer(name)}/interactions", said).status_code == 302


def test_a_contact_in_ones_store_makes_the_customer_seen(chain: Any, staff: Callable[..., Staff], tmp_path: Path) -> None:
    manager, clerk = staff("Maja", "manager"), staff("Nick", "clerk", stores=["NY"])
    ada = chain.customer("Ada Öberg")
    new_york = frozenset(row[0] for row in chain.rows("SELECT id FROM store WHERE code = 'NY'"))
    viewer = Viewer(user_id=2, name="Nick", permissions=frozenset({"customers.view", "customers.export"}), store_ids=new_york)

    def seen() -> tuple[bool, bool, bool]:
        file = chain.crm.export_file("customer", tmp_path / "customers.csv", viewer=viewer)
        listed, page = clerk.get("/customers").text, clerk.get(f"/customers/{ada}")
        return "Ada Öberg" in listed, page.status_code == 200, "Ada Öberg" in file.read_text("utf-8")

    assert seen() == (False, False, False)
    logged(chain, manager, "Ada Öberg", "NY", "Came by while travelling.")
    assert seen() == (True, True, True)
    # The whole history of whom one sees, other stores' part included.
    logged(chain, manager, "Ada Öberg", "M1", "Told us in Malmö.")
    assert "Told us in Malmö." in clerk.get(f"/customers/{ada}").text


def test_search_finds_what_was_said_in_ones_stores(chain: Any, staff: Callable[..., Staff]) -> None:
    manager, clerk = staff("Maja", "manager"), staff("Nick", "clerk", stores=["NY"])
    logged(chain, manager, "Ada Öberg", "M1", "Vill ha gardiner i grått.")
    logged(chain, manager, "Bo", "NY", "Wants curtains, GRÅTT ones.")
    hits = [f"/contact_tracking/interactions/{number}" in manager.get("/search?q=gratt").text for number in (1, 2)]
    assert hits == [True, True]
    assert [f"/contact_tracking/interactions/{number}" in clerk.get("/search?q=gratt").text for number in (1, 2)] == [False, True]
    assert "/contact_tracking/interactions/1" not in manager.get("/search?q=100%25").text
    assert clerk.get("/contact_tracking/interactions/1").status_code == 404


def test_a_store_out_of_scope_can_not_be_named(chain: Any, staff: Callable[..., Staff]) -> None:
    clerk, ada = staff("Anna", "clerk", stores=["M1"]), chain.customer("Ada Öberg")
    ids = dict(chain.rows("SELECT code, id FROM store"))
    said = {"channel": "visit", "text": "x", "store": ids["NY"]}
    reply = clerk.post(f"/contact_tracking/customers/{ada}/interactions", said)
    assert (reply.status_code, "There is no such store." in reply.text, chain.contacts()) == (422, True, [])


def test_the_business_day_is_the_stores(chain: Any, staff: Callable[..., Staff]) -> None:
    manager = staff("Maja", "manager")
    ids = dict(chain.rows("SELECT code, id FROM store"))
    path = f"/contact_tracking/customers/{chain.customer('Bo')}/interactions"
    for store in ("NY", "M1"):
        # What is typed is the clock of the store.
        manager.post(path, {"channel": "visit", "text": "x", "store": ids[store], "at": "2026-11-20T23:30"})
    found = chain.rows("SELECT CAST(business_date AS TEXT) FROM contact_tracking_interaction ORDER BY id")
    moments = [one.at.isoformat() for one in _views(chain)]
    assert (found, moments) == ([("2026-11-20",)] * 2, ["2026-11-21T04:30:00+00:00", "2026-11-20T22:30:00+00:00"])


def _views(chain: Any) -> list[Any]:
    from regulars_contact_tracking import service

    with chain.crm.read() as session:
        return [service.interaction(session, number) for number in (1, 2)]


def test_mended_and_removed_by_whoever_wrote_it_or_a_manager(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle, manager = staff("Anna", "clerk"), staff("Olle", "clerk"), staff("Maja", "manager")
    logged(chain, anna, "Bo", "NY", "First words.")
    page = anna.get("/contact_tracking/interactions/1").text
    assert ("First words." in page, "Change" in page) == (True, True)
    assert ">Change" not in olle.get("/contact_tracking/interactions/1").text
    form = {"channel": "phone", "direction": "in", "text": "Better words.", "version": "1"}
    assert olle.post("/contact_tracking/interactions/1/edit", form).status_code == 403
    assert anna.post("/contact_tracking/interactions/1/edit", form).location == "/contact_tracking/interactions/1"
    assert chain.contacts() == [("Bo", "phone", "in", "Better words.", None)]
    late = manager.post("/contact_tracking/interactions/1/edit", {**form, "text": "Late words."})
    assert (late.status_code, "Late words." in late.text, chain.contacts()[0][3]) == (409, True, "Better words.")
    assert manager.post("/contact_tracking/interactions/1/edit", {**form, "text": "", "version": "2"}).status_code == 422
    assert olle.post("/contact_tracking/interactions/1/delete").status_code == 403
    assert manager.post("/contact_tracking/interactions/1/delete").status_code == 302
    assert chain.contacts() == []
