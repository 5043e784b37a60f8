"""What the bell says of follow-ups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from regulars_contact_tracking import reminders
from regulars_plugin_api.contributions import JobRun
from regulars_testkit.staff import Staff

PATH = "/contact_tracking/customers/{}/interactions"
RUN = JobRun("contact_tracking.remind", "2026-11-22T09:00")


def promise(chain: Any, somebody: Staff, what: str, due_on: str, **more: Any) -> None:
    said = {"channel": "phone", "text": "x", "next_step": what, "due_on": due_on, **more}
    assert somebody.post(PATH.format(chain.customer("Ada Öberg")), said).status_code == 302


def told(chain: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = chain.rows(
        "SELECT u.name, n.text, n.url FROM notice n JOIN user_account u ON u.id = n.user_id ORDER BY n.id"
    )
    return found


def test_once_a_day_everybody_hears_how_many_of_theirs_are_due(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle = staff("Anna", "clerk"), staff("Olle", "clerk")
    for what, day in (("Late", "2026-11-20"), ("Today", "2026-11-22"), ("Tomorrow", "2026-11-23")):
        promise(chain, anna, what, day)
    promise(chain, olle, "Of Olle", "2026-11-22")
    chain.clock.at = dt.datetime(2026, 11, 22, 5, 30, tzinfo=dt.UTC)
    reminders.run(chain.crm, RUN)
    assert told(chain) == []
    for hour in (9, 15):
        chain.clock.at = dt.datetime(2026, 11, 22, hour, 30, tzinfo=dt.UTC)
        reminders.run(chain.crm, RUN)
    page = "/contact_tracking/follow-ups"
    assert told(chain) == [("Olle", "One follow-up is due.", page), ("Anna", "2 follow-ups are due.", page)]
    anna.post("/contact_tracking/follow-ups/1/close")
    chain.clock.at = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
    reminders.run(chain.crm, RUN)
    assert told(chain)[2:] == [("Olle", "One follow-up is due.", page), ("Anna", "2 follow-ups are due.", page)]


def test_who_is_given_a_follow_up_hears_of_it_and_who_takes_one_does_not(chain: Any, staff: Callable[..., Staff]) -> None:
    anna, olle = staff("Anna", "clerk"), staff("Olle", "clerk")
    olle_id = chain.rows("SELECT id FROM user_account WHERE name = 'Olle'")[0][0]
    promise(chain, anna, "Ring", "2026-11-23")
    assert told(chain) == []
    assert anna.post("/contact_tracking/follow-ups/1/assign", {"assignee": str(olle_id)}).status_code == 302
    said = ("Olle", "Anna has given you a follow-up for 2026-11-23.", "/contact_tracking/follow-ups/1")
    assert told(chain) == [said]
    assert "Ring" in olle.get("/contact_tracking/follow-ups/1").text
