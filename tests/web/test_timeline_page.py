"""A customer's history on the page: with and without scripts, narrowed, in batches, with a plugin that fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_core.customers.models import Consent, ConsentState
from regulars_core.users.models import User
from regulars_plugin_api.contributions import Panel, Place, TimelineEntry, TimelineSource
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.views import Viewer
from regulars_testkit.staff import Staff, add_store, plugin
from regulars_web.app import create_app

FIRST = dt.datetime(2025, 3, 1, 11, 30, tzinfo=dt.UTC)


def _happenings(viewer: Viewer) -> sa.Select[*tuple[Any, ...]]:
    """One happening for each consent, twelve hours apart; the row's number is its hour."""
    columns = {"customer_id": Consent.customer_id, "at": Consent.recorded_at, "kind": sa.literal("call"), "channel": sa.literal("phone")}
    columns |= {"store_id": sa.null(), "ref": Consent.id}
    return sa.select(*(column.label(name) for name, column in columns.items()))


def _said(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
    return {ref: TimelineEntry(f"<i>Call {ref:02}.", "By phone", f"/calls/{ref}", "Said “<b>yes</b>”", "phone") for ref in refs}


def _involves(ref: sa.ColumnElement[int], user_id: int) -> sa.ColumnElement[bool]:
    return ref == user_id


@hookimpl
def timeline_sources() -> Iterable[TimelineSource]:
    yield TimelineSource("toy.calls", "Toy calls", "customers.view", _happenings, _said, _involves)


TOY = plugin("toy", timeline_sources=timeline_sources)


@pytest.fixture
def crm(make_crm: Callable[..., Crm]) -> Crm:
    """A customer to whom forty things happened."""
    crm = make_crm(TOY)
    crm.customers.create({"display_name": "Ada"})
    with crm.transaction() as session:
        session.add_all(
            Consent(customer_id=1, channel=f"c{hour}", state=ConsentState.GRANTED, recorded_at=FIRST + dt.timedelta(hours=12 * hour))
            for hour in range(40)
        )
    return crm


def calls(page: str) -> list[int]:
    return [number for number in range(1, 41) if f"&lt;i&gt;Call {number:02}." in page]


def older_than(page: str) -> str:
    return page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")


def test_the_history_stands_on_the_customers_page(staff: Callable[..., Staff]) -> None:
    page = staff(may=["customers.view"]).get("/customers/1").text
    assert calls(page) == list(range(26, 41))
    for shown in ("Today", "Record added", "Thursday 20 March 2025", "23:30", "By phone", "Said “&lt;b&gt;yes", "/calls/40"):
        assert shown in page


def test_without_scripts_there_is_a_page_for_what_is_older(staff: Callable[..., Staff]) -> None:
    reader = staff(may=["customers.view"])
    first = reader.get("/customers/1/timeline?source=toy.calls").text
    second = reader.get(older_than(first)).text
    assert (calls(first), calls(second)) == (list(range(11, 41)), list(range(1, 11)))
    assert ('rel="next"' in second, "Clear all" in second, second.startswith("<!doctype html>")) == (False, True, True)


def test_with_scripts_only_what_changes_is_sent(staff: Callable[..., Staff]) -> None:
    reader = staff(may=["customers.view"])
    whole = reader.get("/customers/1/timeline?source=toy.calls", headers={"HX-Request": "true", "HX-Target": "timeline"})
    assert (whole.text.lstrip()[:8], calls(whole.text)[0]) == ("<section", 11)
    assert {"HX-Request", "HX-Target"} <= set(whole.headers["Vary"].split(", "))
    # The day that was begun goes on without a second heading.
    older = reader.get(older_than(whole.text), headers={"HX-Request": "true", "HX-Target": "timeline-older"}).text
    assert ("<section" in older, calls(older)[-1], older.lstrip().startswith("<ol")) == (False, 10, False)


def test_narrowed(crm: Crm, staff: Callable[..., Staff]) -> None:
    reader = staff(may=["customers.view"])
    with crm.read() as session:
        me = session.scalar(sa.select(User.id))
    assert calls(reader.get(f"/customers/1/timeline?person={me}").text) == [me]
    assert calls(reader.get("/customers/1/timeline?source=customer.added").text) == []
    assert calls(reader.get("/customers/1/timeline?channel=phone").text) == list(range(11, 41))
    for nobody in ("channel=pigeon", "store=1", "store=x", "person=-1", "person=99999999999999999999", "source=x"):
        assert "Nothing that happened fits this choice." in reader.get(f"/customers/1/timeline?{nobody}").text
    assert reader.get("/customers/1/timeline?after=nonsense").status_code == 422


def test_who_may_not_see_the_customer_sees_no_history(crm: Crm, staff: Callable[..., Staff]) -> None:
    assert staff(may=["stores.view"]).get("/customers/1/timeline").status_code == 403
    assert staff(may=["customers.view"]).get("/customers/2/timeline").status_code == 404


def test_a_plugin_that_fails_is_named_and_the_rest_is_shown(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    def broken(*_about: Any) -> Any:
        raise RuntimeError("broken")

    @hookimpl
    def timeline_sources() -> Iterable[TimelineSource]:
        yield TimelineSource("bad.calls", "Bad calls", "customers.view", broken, _said)

    crm = make_crm(plugin("bad", timeline_sources=timeline_sources))
    reply = staff(may=["customers.view"], on=create_app(crm)).get("/customers/1")
    assert reply.status_code == 200
    assert "Bad could not be asked for its part of this page." in reply.text
    assert "Record added" in reply.text


def test_a_plugin_that_fails_hides_nobody_from_the_staff_of_a_store(make_crm: Callable[..., Crm], staff: Callable[..., Staff]) -> None:
    def broken(*_about: Any) -> Any:
        raise RuntimeError("broken")

    @hookimpl
    def timeline_sources() -> Iterable[TimelineSource]:
        yield TimelineSource("bad.calls", "Bad calls", "customers.view", broken, _said)

    crm = make_crm(plugin("bad", timeline_sources=timeline_sources))
    add_store(crm, "MALMO", "Malmö")
    crm.customers.create({"display_name": "Bo", "store": "MALMO"})
    reply = staff(may=["customers.view"], stores=["MALMO"], on=create_app(crm)).get("/customers")
    assert (reply.status_code, ">Bo<" in reply.text) == (200, True)


def test_above_the_history_and_among_the_particulars_parts_stand_without_a_frame(
    make_crm: Callable[..., Crm], staff: Callable[..., Staff]
) -> None:
    @hookimpl
    def customer_panels() -> Iterable[Panel]:
        for place in (Place.FACT, Place.COMPOSER):
            # A page has no room there to say that something is still to come.
            yield Panel(f"Toy {place.value}", place, "no_such_template.html", lambda *_about: {}, lazy=True)

    crm = make_crm(plugin("toy", customer_panels=customer_panels))
    crm.customers.create({"display_name": "Ada"})
    page = staff(may=["customers.view"], on=create_app(crm)).get("/customers/1").text
    assert (page.count("This part could not be shown."), "Toy fact" in page, ">None<" in page) == (2, False, False)
    assert page.index("This part could not be shown.") < page.index('aria-label="Sections"') < page.index('id="timeline"')
