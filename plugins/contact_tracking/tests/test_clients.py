"""Client books, what is kept in mind, plans of recurring contacts, and who has no next step."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_contact_tracking import client_book, client_views, clients, plans
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


@pytest.fixture
def book_of(chain: Any, staff: Callable[..., Staff]) -> Callable[[int], Staff]:
    """Somebody with that many clients, of whom every other is called the same, every third has a star and a birthday soon."""

    def fill(size: int) -> Staff:
        anna = staff(f"Anna{size}", "clerk")
        rows = [
            f"C{number},{'Same Name' if number % 2 else f'Client {number}'},M1,1980-{'12-05' if number % 3 == 0 else '06-05'}\n"
            for number in range(size)
        ]
        chain.load("customer", "external_id,display_name,store,birthday\n" + "".join(rows))
        for (one,) in chain.rows("SELECT customer_id FROM external_id WHERE value LIKE 'C%' ORDER BY customer_id"):
            anna.post(f"/contact_tracking/customers/{one}/take")
        for (one,) in chain.rows("SELECT id FROM customer WHERE birthday = '1980-12-05' ORDER BY id"):
            anna.post(f"/contact_tracking/customers/{one}/star")
        return anna

    return fill


def test_a_large_book_is_read_page_by_page(chain: Any, book_of: Callable[[int], Staff], monkeypatch: pytest.MonkeyPatch) -> None:
    anna = book_of(11)
    monkeypatch.setattr(client_views, "PAGE", 2)

    def walked(which: str) -> list[int]:
        address, seen = f"/contact_tracking/clients?show={which}", list[int]()
        while address:
            page = anna.get(address).text
            of_page = [int(one) for one in re.findall(r'class="rg-strong" href="/customers/(\d+)"', page)]
            assert (0 < len(of_page) <= 2, f'value="{which}" aria-pressed="true"' in page) == (True, True)
            seen += of_page
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = html.unescape(following[1]) if following else ""
        return seen

    starred = [one for (one,) in chain.rows("SELECT customer_id FROM contact_tracking_client WHERE star ORDER BY customer_id")]
    everybody = [one for (one,) in chain.rows("SELECT customer_id FROM contact_tracking_client ORDER BY customer_id")]
    assert (sorted(walked("all")), sorted(walked("all")[:4])) == (everybody, starred)
    assert [sorted(walked(which)) for which in ("lapsing", "starred", "dates")] == [everybody, starred, starred]
    assert anna.get("/contact_tracking/clients?show=all&after=nonsense").status_code == 422


def test_a_book_asks_as_often_for_one_client_as_for_three(
    book_of: Callable[[int], Staff], query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    asked = []
    for anna, least in ((book_of(1), 1), (book_of(7), 3)):
        for which in ("all", "lapsing", "starred", "dates"):
            address = f"/contact_tracking/clients?show={which}"
            anna.get(address)
            with query_count() as statements:
                assert anna.get(address).text.count('<a class="rg-strong"') >= least
            # When somebody was last here is noted now and then, whatever the page.
            asked.append(len([one for one in statements if "contact_tracking" in one]))
    assert asked[:4] == asked[4:]


def test_the_database_counts_days_to_a_key_date_as_python_does(chain: Any) -> None:
    cases = {
        ("2026-11-22", "1990-11-22"): 0,
        ("2026-11-22", "1990-12-22"): 30,
        ("2026-11-22", "1990-12-23"): None,
        ("2026-11-22", "1990-11-21"): None,
        ("2026-12-20", "1990-01-05"): 16,
        ("2026-02-20", "1992-02-29"): 8,
        ("2028-02-20", "1992-02-29"): 9,
        ("2028-02-20", "1991-02-28"): 8,
    }
    for (today, born), ahead in cases.items():
        day, birthday = dt.date.fromisoformat(today), dt.date.fromisoformat(born)
        with chain.crm.read() as session:
            counted = session.scalar(sa.select(client_book.days_until(sa.literal(birthday, sa.Date), day)))
        near = client_book.near([("", birthday)], day)
        assert (counted, [(one - day).days for _title, one in near]) == (ahead, [] if ahead is None else [ahead]), (today, born)


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
    "same", [{"kind": "size", "title": "Shoes", "value": "39"}, {"kind": "day", "title": "Wedding", "day": "2019-12-20"}]
)
def test_what_is_sent_twice_is_kept_in_mind_once(chain: Any, staff: Callable[..., Staff], same: dict[str, str]) -> None:
    anna = staff("Anna", "clerk")
    for name, typed in (("Ada Öberg", same), ("Ada Öberg", same), ("Bo", same), ("Bo", {**same, "value": "40"})):
        assert anna.post(f"/contact_tracking/customers/{chain.customer(name)}/details", typed).status_code == 302
    counted = "SELECT count(*) FROM contact_tracking_detail GROUP BY customer_id ORDER BY customer_id"
    assert chain.rows(counted) == [(1,), (2,)]


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
