"""Signing in through a plugin, and who may be written to: consent, vetoes, and nobody where a plugin can't be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sample_plugins import everything
from sample_plugins.misbehaving import Moody

from regulars_core.crm import Crm
from regulars_core.users import service
from regulars_plugin_api.messaging import NO_CONSENT, Contactable, channels, contactable, topics
from regulars_testkit.staff import PASSWORD, Staff
from regulars_web.app import create_app


def account(crm: Crm, email: str) -> None:
    with crm.transaction() as session:
        service.create(session, email=email, name="Åsa", password=PASSWORD, roles=["clerk"], at=crm.clock.now())


def test_a_plugin_signs_in_whom_it_knows(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(everything)
    account(crm, "asa@example.com")
    browser = create_app(crm).test_client()
    assert '<a class="btn rg-btn" href="/everything/enter">Sign in with Everything</a>' in browser.get("/sign-in").text
    reply = browser.get("/everything/enter?email=ASA@example.com&next=/customers")
    assert (reply.status_code, reply.location) == (302, "/customers")
    assert browser.get("/customers").status_code == 200
    with browser.session_transaction() as cookie:
        assert cookie["sign_in"], "a row of this browser, that an administrator can end"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(make_crm: Callable[..., Crm], wanted: str) -> None:
    crm = make_crm(everything)
    account(crm, "asa@example.com")
    reply = create_app(crm).test_client().get("/everything/enter", query_string={"email": "asa@example.com", "next": wanted})
    assert reply.location == "/"


def test_a_closed_account_is_not_let_in_and_guessing_ends(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(everything)
    account(crm, "asa@example.com")
    with crm.transaction() as session:
        service.disable(session, "asa@example.com")
    browser = create_app(crm).test_client()
    statuses = [browser.get(f"/everything/enter?email={name}@example.com").status_code for name in ("asa", "nobody")]
    statuses += [browser.get("/everything/enter?email=asa@example.com").status_code for _guess in range(10)]
    assert (statuses[0], statuses[1], statuses[-1]) == (403, 403, 429)
    assert browser.get("/customers").status_code == 302


@pytest.fixture
def people(make_crm: Callable[..., Crm]) -> tuple[Crm, Moody]:
    """Six customers, all but the last two with consent to e-mail; a plugin that vetoes, and one that may misbehave."""
    moody = Moody("moody", ["contact_vetoes", "message_channels"])
    crm = make_crm(everything, moody.module)
    for number in range(1, 7):
        customer = crm.customers.create({"display_name": f"N {number}", "emails": f"n{number}@example.com" if number != 2 else ""})
        if number < 5:
            with crm.transaction() as session:
                crm.consents.record(session, customer, "email", "granted", given_at=dt.date(2026, 1, 1), source="till")
    return crm, moody


def test_whoever_consented_and_is_not_vetoed_may_be_written_to(people: tuple[Crm, Moody]) -> None:
    crm, _moody = people
    with crm.read() as session:
        found = contactable(crm, session, [1, 2, 3, 4, 5, 6, 4], "email", "marketing")
    assert found == Contactable(frozenset({2, 4}), {1: "Odd ones rest.", 3: "Odd ones rest.", 5: NO_CONSENT, 6: NO_CONSENT})
    assert list(channels(crm)) == ["email"]
    assert [topic.name for topic in topics(crm)] == ["news"]
    with crm.read() as session:
        assert contactable(crm, session, [], "email", "marketing") == Contactable(frozenset())


@pytest.mark.parametrize("misdeed", ["raises", "exits", "answers_wrong", "commits", "never_ends"])
def test_nobody_is_written_to_where_a_plugin_can_not_be_asked(people: tuple[Crm, Moody], misdeed: str) -> None:
    crm, moody = people
    moody.hook, moody.misdeed = "contact_vetoes", misdeed
    with crm.transaction() as session:
        crm.customers.update(1, {"notes": "Moved to Lund."}, session=session)
        found = contactable(crm, session, [1, 2, 5], "email", "marketing")
    assert found.allowed == frozenset()
    assert "The plugin moody could not do its part (contact_vetoes)" in str(found.refused[2])
    assert found.refused[5] == NO_CONSENT
    one = crm.customers.get(1)
    assert one is not None
    assert one.notes == "Moved to Lund.", "the caller's transaction goes on"


def test_the_customers_page_says_so(people: tuple[Crm, Moody], staff: Callable[..., Staff]) -> None:
    crm, moody = people
    clerk = staff(role="clerk", on=create_app(crm))
    pages: dict[int, Any] = {number: clerk.get(f"/customers/{number}").text for number in (1, 2, 4, 5)}
    assert "Odd ones rest." in pages[1]
    assert "No address" in pages[2]
    assert "may be written to now" in pages[4]
    assert "No consent" in pages[5]
    assert "Topics: News" in pages[4]
    moody.hook, moody.misdeed = "contact_vetoes", "raises"
    assert "could not do its part" in clerk.get("/customers/4").text
