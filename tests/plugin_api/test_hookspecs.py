"""Every hook is declared as promised, documented, and exercised through a running system."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from sample_plugins import everything, everything_hookspecs, open_with

from regulars_core.crm import Crm
from regulars_core.plugins import switching
from regulars_plugin_api.hookspecs import HookRules, OnFailure, access, customers, data, lifecycle, messaging, rules_of, web
from regulars_plugin_api.views import SYSTEM, CustomerView

MODULES = (lifecycle, access, web, customers, data, messaging)
HOOKS: dict[str, Callable[..., Any]] = {
    name: hook for module in MODULES for name, hook in vars(module).items() if hasattr(hook, "regulars_rules")
}
ANNA = CustomerView(id=1, uid="u", kind="person", status="active", display_name="Anna")

# The table of the architecture: what comes of a failure, who waits for an answer, who is asked though switched off.
ABORT = {"plugin_enabled", "customers_merging", "customers_unmerging", "export_personal_data", "erase_personal_data"}
PLUGIN_OFF = {"plugin_hookspecs", "permissions", "settings_schema", "blueprints"}
PAGE = {
    *("nav_items", "customer_panels", "customer_actions", "dashboard_widgets", "search_sources", "sign_in_providers"),
    *("customer_columns", "timeline_sources", "filter_fields", "reports"),
}
DECLARES = PLUGIN_OFF | {
    *("crm_started", "cli_commands", "event_handlers", "jobs", "executors", "health_checks", "importers", "exporters"),
}
DISABLED_TOO = PLUGIN_OFF | ABORT - {"plugin_enabled"} | {"cli_commands"}


def on_failure(name: str) -> OnFailure:
    if name == "contact_vetoes":
        return OnFailure.BLOCK
    return OnFailure.ABORT if name in ABORT else OnFailure.PLUGIN_OFF if name in PLUGIN_OFF else OnFailure.SKIP


def test_there_are_thirty_three_hooks() -> None:
    assert len(HOOKS) == 33


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_declared_with_its_rules(name: str) -> None:
    assert rules_of(HOOKS[name]) == HookRules(
        on_failure(name), page=name in PAGE, disabled_too=name in DISABLED_TOO, declares=name in DECLARES
    )


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_says_what_it_takes_and_what_comes_back(name: str) -> None:
    hook = HOOKS[name]
    parameters = inspect.signature(hook).parameters.values()
    hints = get_type_hints(hook)
    assert hints.keys() == {one.name for one in parameters} | {"return"}
    assert {(one.kind, one.default) for one in parameters} <= {(inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty)}
    promised = hints["return"]
    assert promised is NoneType or get_origin(promised) is Iterable or NoneType in get_args(promised)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_has_its_manual_page(name: str) -> None:
    first, _blank, rest = (inspect.getdoc(HOOKS[name]) or "").partition("\n\n")
    assert len(first.splitlines()) == 1
    page = " ".join(rest.split())
    assert re.search(r"\b(Asked|Called)\b", page), "who calls, and when"
    assert "On failure" in page, "what a failing plugin does to the rest"
    assert re.search(r"Since 1\.\d+\.$", page)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_an_implementation_has_the_hooks_signature(name: str) -> None:
    implementation = getattr(everything, name)
    assert get_type_hints(implementation) == get_type_hints(HOOKS[name])
    assert list(inspect.signature(implementation).parameters) == list(inspect.signature(HOOKS[name]).parameters)


@pytest.fixture
def crm(sqlite_url: str, tmp_path: Path) -> Crm:
    crm = open_with(sqlite_url, tmp_path, everything)
    switching.enable(crm, "everything")
    everything.told.clear()
    return crm


def test_every_hook_answers_through_the_bus(crm: Crm) -> None:
    with crm.transaction() as session:
        arguments = {
            "crm": crm,
            "session": session,
            "viewer": SYSTEM,
            "customer": ANNA,
            "customer_id": 1,
            "customer_ids": [1, 2],
            "channel": "email",
            "purpose": "marketing",
            "identifier": "answer",
            "draft": {"last_name": "Nobody"},
            "existing": None,
            "keep_id": 1,
            "drop_id": 2,
            "merge": {"keep_id": 1, "drop_id": 2},
            "first_time": True,
            "size": "small",
        }
        asked = {
            name: crm.bus.answers(hook, **{one: arguments[one] for one in inspect.signature(hook).parameters})
            for name, hook in HOOKS.items()
        }
    assert {name: [answer.plugin for answer in answers] for name, answers in asked.items()} == {key: ["everything"] for key in HOOKS}
    assert {name: answers[0].failure for name, answers in asked.items()} == dict.fromkeys(HOOKS)
    silent = {name for name, answers in asked.items() if answers[0].value is None}
    assert silent == {"crm_started", "plugin_enabled", "customers_merging", "customers_unmerging", "demo_data"}
    assert {name: len(answers[0].value) for name, answers in asked.items() if isinstance(answers[0].value, list)} == {
        name: {"permissions": 2, "contact_vetoes": 2}.get(name, 1) for name in HOOKS.keys() - silent - {"settings_schema", "find_customer"}
    }


def test_a_plugin_adds_a_hook_for_others(crm: Crm) -> None:
    assert crm.bus.collect(everything_hookspecs.colours) == ["red"]
