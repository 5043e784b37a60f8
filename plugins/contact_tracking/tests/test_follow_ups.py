"""Follow-ups: listed, done, moved, handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_testkit.staff import Staff
from regulars_web import gate

PATH = "/contact_tracking/customers/{}/interactions"


def promise(chain: Any, somebody: Staff, name: str, what: str, due_on: str) -> None:
    said = {"channel": "phone", "text": "x", "next_step": what, "due_on": due_on}
    assert somebody.post(PATH.format(chain.customer(name)), said).status_code == 302


def in_order(page: str, *names: str) -> list[str]:
    return sorted((name for name in names if name in page), key=page.index)


def test_the_most_overdue_first_and_everybody_sees_their_own(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle, manager = staff("Anna", "clerk", stores=["M1"]), staff("Olle", "clerk", stores=["NY"]), staff("Maja", "manager")
    promise(chain, anna, "Ada Öberg", "Step tomorrow", "2026-11-23")
    promise(chain, anna, "李秀英", "Step late", "2026-11-20")
    promise(chain, anna, "Ada Öberg", "Step today", "2026-11-22")
    promise(chain, olle, "Bo", "Step of Olle", "2026-11-21")
    steps = ("Step tomorrow", "Step late", "Step today", "Step of Olle")
    tile = anna.get("/home/widgets/contact_tracking/tile").text
    assert in_order(tile, *steps) == ["Step late", "Step today", "Step tomorrow"]
    badges = [f"</svg>{words}</span>" for words in ("2 days late", "Today", "Tomorrow")]
    assert in_order(tile, *badges) == badges
    assert in_order(anna.get("/contact_tracking/follow-ups?whose=all").text, *steps) == ["Step late", "Step today", "Step tomorrow"]
    assert in_order(manager.get("/contact_tracking/follow-ups?whose=all").text, *steps) == [steps[1], steps[3], steps[2], steps[0]]
    assert in_order(manager.get("/contact_tracking/follow-ups").text, *steps) == []
    assert anna.get("/contact_tracking/follow-ups/4").status_code == 404
    assert anna.post("/contact_tracking/follow-ups/4/close").status_code == 404
    assert anna.get("/contact_tracking/follow-ups?whose=nobody").status_code == 422


def test_pages_of_follow_ups(chain: Any, staff: Callable[..., Staff]) -> None:
    anna = staff("Anna", "clerk")
    for number in range(53):
        promise(chain, anna, "Bo", f"Step {number:02}.", f"2026-12-{number // 3 + 1:02}")
    first = anna.get("/contact_tracking/follow-ups").text
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = anna.get(following).text
    shown = [[number for number in range(53) if f"Step {number:02}." in page] for page in (first, second)]
    assert shown == [list(range(50)), [50, 51, 52]]
    assert anna.get("/contact_tracking/follow-ups?after=nonsense").status_code == 422


def test_done_in_one_step_with_what_came_of_it_and_a_way_back(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    promise(chain, anna, "Ada Öberg", "Ring", "2026-11-20")
    reply = anna.post("/contact_tracking/follow-ups/1/close", {"outcome": "Ordered it", "back": "home"})
    assert (reply.status_code, reply.location) == (302, "/")
    assert chain.follow_ups() == [("Ada Öberg", "Ring", "2026-11-20", "Anna", True, "Ordered it")]
    page = anna.get(f"/customers/{ada}").text
    assert ("Done: Ring" in page, "Ordered it" in page, "None agreed" in page) == (True, True, True)
    row = anna.post("/contact_tracking/follow-ups/1/reopen", {"back": "list"}, headers={"HX-Request": "true"}).text
    assert (row.lstrip().startswith("<li"), "2 days late" in row) == (True, True)
    assert chain.follow_ups() == [("Ada Öberg", "Ring", "2026-11-20", "Anna", False, None)]
    refused = anna.post("/contact_tracking/follow-ups/1/close", {"outcome": "5555 5555 5555 4444"})
    assert (refused.status_code, 'id="outcome-wrong"' in refused.text) == (422, True)
    assert chain.follow_ups()[0][4] is False


def test_the_next_step_at_the_top_of_the_page(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle, ada = staff("Anna", "clerk", stores=["M1"]), staff("Olle", "clerk", stores=["NY"]), chain.customer("Ada Öberg")
    path = f"/contact_tracking/customers/{ada}/next-step"
    promise(chain, anna, "Ada Öberg", "Ring about the coat", "2026-11-24")
    reply = anna.get(path, headers={"HX-Request": "true"})
    assert (reply.status_code, "Ring about the coat" in reply.text, "<html" in reply.text) == (200, True, False)
    opened = anna.get(path)
    assert (opened.status_code, opened.headers["Location"]) == (302, f"/customers/{ada}")
    assert [olle.get(path, headers=headers).status_code for headers in ({}, {"HX-Request": "true"})] == [404, 404]


def test_to_another_day(chain: Any, staff: Callable[..., Staff]) -> None:
    anna = staff("Anna", "clerk")
    promise(chain, anna, "Bo", "Ring", "2026-11-20")
    assert anna.post("/contact_tracking/follow-ups/1/move", {"days": "7"}).location == "/contact_tracking/follow-ups"
    assert chain.follow_ups()[0][2] == "2026-11-29"
    anna.post("/contact_tracking/follow-ups/1/move", {"due_on": "2027-01-05"})
    assert chain.follow_ups()[0][2] == "2027-01-05"
    for wrong in ({}, {"due_on": "some day"}, {"days": "0"}):
        assert anna.post("/contact_tracking/follow-ups/1/move", wrong).status_code == 422


def test_handed_over(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle, manager = staff("Anna", "clerk"), staff("Olle", "clerk"), staff("Maja", "manager")
    ids = dict(chain.rows("SELECT name, id FROM user_account"))
    promise(chain, anna, "Bo", "Ring", "2026-11-20")
    path = "/contact_tracking/follow-ups/1/assign"
    assert olle.post(path, {"assignee": ids["Olle"]}).status_code == 403
    assert chain.follow_ups()[0][3] == "Anna"
    assert anna.post(path, {"assignee": ids["Olle"]}).status_code == 302
    assert chain.follow_ups()[0][3] == "Olle"
    assert manager.post(path, {"assignee": ids["Maja"]}).status_code == 302
    assert (manager.post(path, {"assignee": "424242"}).status_code, manager.post(path, {}).status_code) == (422, 422)
    assert chain.follow_ups()[0][3] == "Maja"


def test_as_many_statements_for_three_as_for_one(chain: Any, staff: Callable[..., Staff], monkeypatch: pytest.MonkeyPatch) -> None:
    anna, ada = staff("Anna", "manager"), chain.customer("Ada Öberg")
    # What this process asks only now and then would fall into one of the rounds.
    monkeypatch.setattr(gate, "SEES_SWITCHES_AFTER", 3600.0)
    assert anna.get("/").status_code == 200
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_about: Any) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN")):
            sent.append(statement)

    counts: dict[str, list[int]] = {}
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        for amount in (1, 2):
            for number in range(amount):
                promise(chain, anna, "Ada Öberg", f"Step {amount} {number}", "2026-11-25")
                anna.post(f"/contact_tracking/customers/{ada}/take")
            paths = (
                *("/contact_tracking/follow-ups", "/home/widgets/contact_tracking/tile", "/contact_tracking/clients"),
                *(f"/customers/{ada}", f"/customers/{ada}/timeline", f"/contact_tracking/customers/{ada}/book", "/search?q=step"),
            )
            for path in paths:
                sent.clear()
                assert anna.get(path).status_code == 200
                counts.setdefault(path, []).append(len(sent))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert [path for path, (one, three) in counts.items() if one != three] == []
    assert counts[f"/customers/{ada}"][0] <= 10


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"field": "contact_tracking.count", "op": "gt", "value": 0}, ["Ada Öberg", "Bo"]),
        ({"field": "contact_tracking.count", "op": "eq", "value": 0}, ["李秀英"]),
        ({"field": "contact_tracking.count", "op": "lt", "value": 1, "within": {"from": "2026-11-01"}}, ["Bo", "李秀英"]),
        ({"field": "contact_tracking.last_on", "op": "lt", "value": "2026-06-01"}, ["Bo"]),
        ({"not": {"field": "contact_tracking.last_on", "op": "lt", "value": "2026-06-01"}}, ["Ada Öberg", "李秀英"]),
        ({"field": "contact_tracking.last_on", "op": "empty"}, ["李秀英"]),
        ({"field": "contact_tracking.open_follow_up", "op": "eq", "value": True}, ["Ada Öberg"]),
        ({"field": "contact_tracking.open_follow_up", "op": "eq", "value": False}, ["Bo", "李秀英"]),
    ],
    ids=str,
)
def test_filters(chain: Any, staff: Callable[..., Staff], where: dict[str, Any], names: list[str]) -> None:
    anna = staff("Anna", "clerk")
    promise(chain, anna, "Ada Öberg", "Ring", "2026-11-25")
    anna.post(PATH.format(chain.customer("Bo")), {"channel": "visit", "text": "x", "at": "2026-03-01T10:00"})
    with chain.crm.read() as session:
        from regulars_plugin_api.views import SYSTEM

        found = chain.crm.customers.page(session, SYSTEM, where=where)
    assert sorted(row.display_name for row in found.rows) == names


@pytest.mark.parametrize(
    "wrong",
    [
        {"field": "contact_tracking.count", "op": "gt", "value": "many"},
        {"field": "contact_tracking.count", "op": "gt", "value": 1, "within": {"last": "soon"}},
        {"field": "contact_tracking.count", "op": "gt", "value": 1, "where": {"all": []}},
        {"field": "contact_tracking.last_on", "op": "gt", "value": 7},
        {"field": "contact_tracking.open_follow_up", "op": "eq", "value": "yes"},
    ],
    ids=str,
)
def test_filters_that_make_no_sense_are_refused(chain: Any, wrong: dict[str, Any]) -> None:
    from regulars_core.customers.filter import BadFilter
    from regulars_plugin_api.views import SYSTEM

    with chain.crm.read() as session, pytest.raises(BadFilter):
        chain.crm.customers.page(session, SYSTEM, where=wrong)
