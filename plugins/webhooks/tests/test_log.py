"""The log forgets, people are forgotten in it, and nothing that is due is lost with a run."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from regulars_plugin_api.contributions import JobRun
from regulars_plugin_api.views import CustomerView
from regulars_testkit.crm import CrmHarness
from regulars_web import cli
from regulars_webhooks import jobs


def test_the_log_is_kept_as_long_as_the_settings_say(house: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars_webhooks.deliveries.FORGOTTEN_AT_ONCE", 2)
    house.add("/in")
    house.tell("a", "b", "c", "d", "e")
    house.work_off(until=lambda: {state for state, _tries in house.states()} == {"delivered"})
    house.crm.clock = house.later(days=29)
    jobs.tidy(house.crm, JobRun("webhooks.tidy", "now"))
    assert len(house.states()) == 5
    house.crm.clock = house.later(days=31)
    jobs.tidy(house.crm, JobRun("webhooks.tidy", "now"))
    assert (house.states(), house.rows("SELECT id FROM webhooks_attempt")) == ([], [])


def test_what_is_due_is_sent_though_the_run_that_was_asked_for_is_lost(house: Any, receiver: Any) -> None:
    house.add("/in")
    receiver.answer("/in", 500)
    house.tell("a")
    house.work_off(until=lambda: house.states()[:1] == [("waiting", 1)])
    house.execute("DELETE FROM job_slot WHERE job = 'webhooks.send'")
    receiver.answer("/in", 204)
    house.crm.clock = house.later(minutes=11)
    jobs.tidy(house.crm, JobRun("webhooks.tidy", "now"))
    house.work_off(until=lambda: house.states() == [("delivered", 2)])


def test_a_customer_is_forgotten_and_receivers_are_told_to_forget(house: Any, receiver: Any, customer: CustomerView) -> None:
    crm: CrmHarness = house.crm
    house.add("/in", "customer.updated", "customer.erased")
    crm.customers.update(customer.id, {"notes": "Size 39"})
    house.work_off(until=lambda: [state for state, _tries in house.states()] == ["delivered"])
    assert house.rows("SELECT customer_id FROM webhooks_delivery") == [(customer.id,)]
    assert "Size 39" not in receiver.got[0].raw.decode()
    crm.privacy.erase(customer.id)
    assert (house.states(), house.rows("SELECT id FROM webhooks_attempt")) == ([], [])
    house.work_off(until=lambda: [state for state, _tries in house.states()] == ["delivered"])
    assert [got.json["type"] for got in receiver.got] == ["customer.updated", "customer.erased"]


def test_an_event_about_a_customer_who_is_gone_is_told(house: Any, receiver: Any) -> None:
    house.add("/in", "customer.created")
    made = house.crm.customers.create({"display_name": "Bo"})
    house.execute("DELETE FROM customer")
    house.work_off(until=lambda: len(receiver.got) == 1)
    assert (receiver.got[0].json["body"]["customer_id"], house.rows("SELECT customer_id FROM webhooks_delivery")) == (made, [(None,)])


def test_an_endpoint_hears_of_what_happens_after_it_was_added(house: Any, receiver: Any) -> None:
    house.tell("before")
    house.add("/in")
    house.tell("after")
    house.work_off(until=lambda: len(receiver.got) == 1 and not house.rows("SELECT id FROM delivery WHERE state = 'ready'"))
    assert receiver.told("/in") == [("store:1", "after")]


def test_a_secret_of_a_lost_key_is_an_answer_of_its_own(house: Any, receiver: Any) -> None:
    house.add("/in")
    house.execute("UPDATE webhooks_endpoint SET secret = '00000000:AAAA'")
    house.tell("a")
    house.work_off(until=lambda: house.states()[:1] == [("waiting", 1)])
    ((problem, status),) = house.rows("SELECT problem, status FROM webhooks_attempt")
    assert ("another key" in problem, status, receiver.got) == (True, None, [])


def test_the_command_line_lists_tests_and_sends_again(
    house: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.add("/in")
    house.tell("a")
    house.work_off(until=lambda: house.states() == [("delivered", 1)])
    monkeypatch.setattr("regulars_web.console.Console.crm", lambda console, **options: house.crm)

    def regulars(*arguments: str) -> tuple[Any, Any]:
        monkeypatch.setattr(sys, "argv", ["regulars", "--json", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    code, listed = regulars("webhooks", "list")
    assert (code, [(one["id"], one["state"], one["parked"], one["title"]) for one in listed]) == (0, [(1, "ok", 0, "/in")])
    code, outcome = regulars("webhooks", "test", "1")
    assert (code, outcome["status"]) == (0, 204)
    receiver.answer("/in", 418)
    assert regulars("webhooks", "test", "1")[0] == 1
    assert regulars("webhooks", "replay", "1")[1] == {"replayed": 0}
    assert regulars("webhooks", "replay", "1", "--since", "2026-01-01T00:00")[1] == {"replayed": 1}
    assert regulars("webhooks", "replay", "1", "--delivery", "1")[1] == {"replayed": 1}
    assert regulars("webhooks", "replay", "1", "--until", "2026-01-01")[0] == 2
    assert regulars("webhooks", "replay", "7")[0] == 1
