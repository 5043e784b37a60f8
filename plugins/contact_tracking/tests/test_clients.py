"""Client books, what is kept in mind, plans of recurring contacts, and who has no next step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from regulars_contact_tracking import clients, plans
from regulars_contact_tracking.models import Every, Plan
from regulars_plugin_api.contributions import JobRun
from regulars_testkit.staff import Staff

RUN = JobRun("contact_tracking.make_planned_follow_ups", "2026-11-22T06:00")


def test_a_customer_has_a_first_associate_and_others(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle, ada = staff("Anna", "clerk"), staff("Olle", "clerk"), chain.customer("Ada Öberg")
    for somebody in (anna, olle):
        assert somebody.post(f"/contact_tracking/customers/{ada}/take").location == f"/customers/{ada}"
    with chain.crm.read() as session:
        assert [(name, rank.value) for _id, name, rank, _star in clients.associates(session, ada)] == [
            ("Olle", "primary"),
            ("Anna", "secondary"),
        ]
    anna.post(f"/contact_tracking/customers/{ada}/star")
    assert "Ada Öberg" in anna.get("/contact_tracking/clients?show=starred").text
    assert "Ada Öberg" not in olle.get("/contact_tracking/clients?show=starred").text
    panel = anna.get(f"/customers/{ada}/panels/contact_tracking/client").text
    assert [name in panel for name in ("Olle", "Anna", "Take the star off")] == [True, True, True]
    anna.post(f"/contact_tracking/customers/{ada}/release")
    assert "Your client book is empty" in anna.get("/contact_tracking/clients").text
    assert anna.post(f"/contact_tracking/customers/{ada}/star").status_code == 404


def test_lapsing_clients_and_key_dates(chain: Any, staff: Callable[..., Staff]) -> None:
    anna = staff("Anna", "clerk")
    for name in ("Ada Öberg", "Bo", "李秀英"):
        anna.post(f"/contact_tracking/customers/{chain.customer(name)}/take")
    path = "/contact_tracking/customers/{}/interactions"
    anna.post(path.format(chain.customer("Bo")), {"channel": "phone", "text": "x", "at": "2026-08-01T10:00"})
    anna.post(path.format(chain.customer("李秀英")), {"channel": "phone", "text": "x"})
    wedding = {"kind": "day", "title": "Wedding", "day": "2019-12-20"}
    anna.post(f"/contact_tracking/customers/{chain.customer('Bo')}/details", wedding)

    def shown(which: str) -> list[str]:
        page = anna.get(f"/contact_tracking/clients?show={which}").text
        return sorted((name for name in ("Ada Öberg", "Bo", "李秀英") if f"<bdi>{name}</bdi>" in page), key=page.index)

    # Never seen comes first; then whoever was longest away.
    assert shown("lapsing") == ["Ada Öberg", "Bo"]
    # Ada's birthday is on 1 December, Bo's wedding day on the 20th.
    assert shown("dates") == ["Ada Öberg", "Bo"]
    assert anna.get("/contact_tracking/clients?show=nonsense").status_code == 422


def test_what_is_kept_in_mind(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    path = f"/contact_tracking/customers/{ada}/details"
    assert anna.post(path, {"kind": "size", "title": "Shoes", "value": "39"}).status_code == 302
    assert "39" in anna.get(f"/customers/{ada}/panels/contact_tracking/client").text
    refused = anna.post(path, {"kind": "day", "title": "<b>Wedding", "day": ""})
    assert (refused.status_code, "Give the day." in refused.text, "&lt;b&gt;Wedding" in refused.text) == (422, True, True)
    refused = anna.post(path, {"kind": "wish", "title": "4111 1111 1111 1111"})
    assert (refused.status_code, "payment card number" in refused.text) == (422, True)
    bo = chain.customer("Bo")
    assert anna.post(f"/contact_tracking/customers/{bo}/details/1/remove").status_code == 404
    assert anna.post(f"{path}/1/remove").status_code == 302
    assert chain.rows("SELECT count(*) FROM contact_tracking_detail") == [(0,)]


@pytest.mark.parametrize(
    ("every", "unit", "starts_on", "today", "slot"),
    [
        (2, Every.WEEKS, "2026-11-01", "2026-10-31", None),
        (2, Every.WEEKS, "2026-11-01", "2026-11-01", "2026-11-01"),
        (2, Every.WEEKS, "2026-11-01", "2026-11-28", "2026-11-15"),
        (1, Every.MONTHS, "2026-01-31", "2026-02-27", "2026-01-31"),
        (1, Every.MONTHS, "2026-01-31", "2026-02-28", "2026-02-28"),
        (3, Every.MONTHS, "2026-01-15", "2026-10-14", "2026-07-15"),
        (3, Every.MONTHS, "2026-01-15", "2026-10-15", "2026-10-15"),
        (12, Every.MONTHS, "2024-02-29", "2026-03-01", "2026-02-28"),
    ],
)
def test_the_latest_day_of_a_plan(every: int, unit: Every, starts_on: str, today: str, slot: str | None) -> None:
    plan = Plan(every=every, unit=unit, starts_on=dt.date.fromisoformat(starts_on))
    found = plans.slot_of(plan, dt.date.fromisoformat(today))
    assert (found and found.isoformat()) == slot


def test_a_plan_makes_follow_ups_once(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada, bo = staff("Anna", "clerk"), chain.customer("Ada Öberg"), chain.customer("Bo")
    anna.post(f"/contact_tracking/customers/{ada}/take")
    rhythm = {"every": "2", "unit": "weeks", "starts_on": "2026-11-15"}
    assert anna.post("/contact_tracking/plans", {"what": "Say hello", "channel": "phone", **rhythm}).status_code == 302
    assert anna.post(f"/contact_tracking/customers/{bo}/plans", {"what": "Ask about the lamp", **rhythm}).status_code == 302
    for _time in range(2):
        plans.run(chain.crm, RUN)
    expected = [
        ("Ada Öberg", "Say hello", "2026-11-15", "Anna", False, None),
        ("Bo", "Ask about the lamp", "2026-11-15", "Anna", False, None),
    ]
    assert chain.follow_ups() == expected
    # The next round: only for whom the last one is done, and for clients who have come since.
    anna.post("/contact_tracking/follow-ups/1/close", {"outcome": "Glad"})
    anna.post(f"/contact_tracking/customers/{chain.customer('李秀英')}/take")
    chain.clock.at += dt.timedelta(days=8)
    plans.run(chain.crm, RUN)
    assert [(row[0], row[2], row[4]) for row in chain.follow_ups()] == [
        ("Ada Öberg", "2026-11-15", True),
        ("Bo", "2026-11-15", False),
        ("Ada Öberg", "2026-11-29", False),
        ("李秀英", "2026-11-29", False),
    ]
    stranger, manager = staff("Olle", "clerk"), staff("Maja", "manager")
    assert stranger.post("/contact_tracking/plans/1/stop").status_code == 404
    assert manager.post("/contact_tracking/plans/1/stop").status_code == 302
    chain.clock.at += dt.timedelta(days=30)
    plans.run(chain.crm, RUN)
    assert len(chain.follow_ups()) == 4


def test_a_plan_that_makes_no_sense_is_refused_and_kept_on_the_form(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk"), chain.customer("Ada Öberg")
    wrong = {"what": "Say hello", "every": "0", "unit": "years", "starts_on": "soon"}
    for path in ("/contact_tracking/plans", f"/contact_tracking/customers/{ada}/plans"):
        reply = anna.post(path, wrong)
        assert (reply.status_code, 'value="Say hello"' in reply.text, 'id="starts_on-wrong"' in reply.text) == (422, True, True)
    assert chain.rows("SELECT count(*) FROM contact_tracking_plan") == [(0,)]


def test_customers_without_a_next_step(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, ada = staff("Anna", "clerk", stores=["M1"]), chain.customer("Ada Öberg")
    for name in ("Ada Öberg", "李秀英"):
        anna.post(f"/contact_tracking/customers/{chain.customer(name)}/take")
    step = {"next_step": "Ring", "due_on": "2026-11-23"}
    anna.post(f"/contact_tracking/customers/{ada}/interactions", {"channel": "phone", "text": "x", **step})

    def shown(whose: str) -> list[str]:
        page = anna.get(f"/contact_tracking/without-next-step?whose={whose}").text
        return [name for name in ("Ada Öberg", "Bo", "李秀英") if f"<bdi>{name}</bdi>" in page]

    assert (shown("mine"), shown("store")) == (["李秀英"], ["李秀英"])
    anna.post("/contact_tracking/follow-ups/1/close", {})
    assert shown("store") == ["Ada Öberg", "李秀英"]
