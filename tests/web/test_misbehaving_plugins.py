"""Every hook a page asks x every misdeed, through the pages themselves (F10): they stand, the others are there, the log names each once."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from markupsafe import Markup
from sample_plugins import SECRET, candidate, everything, open_with
from sample_plugins.misbehaving import AT_START, HOOKS, MISDEEDS, failures, hanging, misbehaving
from structlog.testing import capture_logs

from regulars_core.bus import hooks as bus
from regulars_core.bus.breaker import FAILURES
from regulars_core.crm import Crm
from regulars_core.plugins import registry
from regulars_core.plugins.switching import enable
from regulars_plugin_api.contributions import (
    Action,
    CustomerColumn,
    FieldType,
    FilterField,
    NavItem,
    Panel,
    Place,
    SearchHit,
    SearchSource,
    Widget,
)
from regulars_plugin_api.hookspecs import hookimpl, rules_of
from regulars_plugin_api.i18n import _
from regulars_testkit.staff import Staff, plugin
from regulars_web import cli, troubles
from regulars_web.app import create_app

DOORS = {
    "/": ("nav_items", "dashboard_widgets"),
    "/customers": ("nav_items", "customer_actions", "customer_columns"),
    "/customers/1": ("nav_items", "customer_panels", "customer_actions", "timeline_sources"),
    "/customers/filter": ("nav_items", "filter_fields"),
    "/search?q=Holm": ("nav_items", "search_sources"),
    "/till?find=4711": ("nav_items", "find_customer", "search_sources"),
}
PAGE_HOOKS = sorted({hook for hooks in DOORS.values() for hook in hooks})
HEAVY: dict[str, Any] = {"weight": "heavy"}
NO_FUNCTION: dict[str, Any] = {"load": "load"}
NOTHING: Any = None
FAILING = sorted(MISDEEDS.keys() - {"answers_nothing"})


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: nothing is written here."""
    return sqlite_url


@pytest.fixture
def open_house(sqlite_url: str, tmp_path: Path) -> Iterator[Callable[..., Crm]]:
    """``open_house(module, …)``: a system with these plugins on, and a customer."""
    with hanging() as made:

        def make(*modules: Any) -> Crm:
            crm = open_with(sqlite_url, tmp_path / "home", *modules)
            made.append(crm)
            for one in modules:
                enable(crm, one.MANIFEST.name)
            crm.customers.create({"display_name": "Åsa Holm"})
            return crm

        yield make


def test_pages_stand_whatever_plugins_do(open_house: Any, staff: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # None of these hangs; on a busy machine one may look as if it did.
    monkeypatch.setattr(bus, "PAGE_BUDGET", 60.0)
    bad = [misbehaving(misdeed, misdeed, PAGE_HOOKS) for misdeed in MISDEEDS if misdeed != "sleeps"]
    crm = open_house(*bad, everything)
    admin: Staff = staff(role="administrator", on=create_app(crm))
    implemented = {one.MANIFEST.name: set(crm.bus.implemented_by(one.MANIFEST.name)) for one in bad if one.MANIFEST.name in FAILING}
    for visit, (door, hooks) in enumerate(DOORS.items(), 1):
        with capture_logs() as logs:
            page = admin.get(door)
        assert page.status_code == 200, door
        assert "Everything" in page.text, door
        asked = [hook for hook in hooks if hook != "nav_items" or visit <= FAILURES]
        expected = sorted((name, hook) for name, found in implemented.items() for hook in asked if hook in found)
        assert sorted(failures(logs)) == expected, f"each is named once, until its breaker opens: {door}"
    resting = {(one.plugin, one.hook) for one in crm.bus.troubles() if one.rests_until is not None}
    assert resting == {(name, "nav_items") for name in implemented if name != "commits"}
    shown = admin.get("/plugins/raises").text
    assert "ValueError: out of toys" in shown
    assert "Rests after repeated failures until" in shown
    assert "KeyboardInterrupt" in admin.get("/plugins/interrupts").text


def test_pages_wait_for_nobody(open_house: Any, staff: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = open_house(*(misbehaving(f"sleeps_in_{hook}", "sleeps", [hook]) for hook in PAGE_HOOKS), everything)
    admin: Staff = staff(role="administrator", on=create_app(crm))
    monkeypatch.setattr(bus, "PAGE_BUDGET", 0.2)
    seen: list[tuple[str, str]] = []
    for door, hooks in DOORS.items():
        began = time.monotonic()
        with capture_logs() as logs:
            page = admin.get(door)
        assert page.status_code == 200, door
        assert "Everything" in page.text, door
        new = [(f"sleeps_in_{hook}", hook) for hook in hooks if (f"sleeps_in_{hook}", hook) not in seen]
        assert sorted(failures(logs)) == sorted(new), door
        assert time.monotonic() - began < 30, door
        seen += new
    assert {hook for _plugin, hook in seen} == set(PAGE_HOOKS)
    assert {one.reason for one in crm.bus.troubles()} == {"TimeoutError: no answer within 0.2 s"}


def test_a_page_waits_two_seconds_and_no_longer(open_house: Any, staff: Any) -> None:
    crm = open_house(misbehaving("bad", "sleeps", ["customer_panels"]), everything)
    admin: Staff = staff(role="administrator", on=create_app(crm))
    began = time.monotonic()
    page = admin.get("/customers/1")
    assert 2 <= time.monotonic() - began < 30
    assert [one.reason for one in crm.bus.troubles()] == ["TimeoutError: no answer within 2 s"]
    assert "Bad could not be asked for its part of this page." in page.text
    with capture_logs() as logs:
        assert admin.get("/customers/1").status_code == 200
    assert failures(logs) == [], "its thread is stuck, so it is left alone"


def test_sign_in_stands(open_house: Any) -> None:
    app = create_app(
        open_house(*(misbehaving(misdeed, misdeed, ["sign_in_providers"]) for misdeed in sorted(MISDEEDS.keys() - {"sleeps"})))
    )
    assert app.test_client().get("/sign-in").status_code == 200


@pytest.mark.parametrize("hook", sorted(hook for hook, spec in HOOKS.items() if hook not in AT_START and rules_of(spec).page))
def test_every_hook_of_a_page_is_named_here(hook: str) -> None:
    elsewhere = {"sign_in_providers", "reports"}
    assert hook in {*PAGE_HOOKS, *elsewhere}


class Shouting:
    """What hooks may not yield."""


def noisy() -> Any:
    """A plugin with a script in every title, a panel of 100 MB, cells of markup, and hits of the wrong kind."""
    script = "<script>alert(1)</script>"
    odd: Any = lambda *_given: 7  # noqa: E731
    endless: Any = lambda *_given: itertools.repeat(SearchHit(script, "/"))  # noqa: E731
    shouting: Any = lambda *_given: [Shouting()]  # noqa: E731

    @hookimpl
    def nav_items(viewer: Any) -> Any:
        yield NavItem(_("Menu of %(name)s", name=script), "home.page", "customers.view")
        yield NavItem("Needs a number", "customers.show", "customers.view")

    @hookimpl
    def customer_panels(customer: Any, viewer: Any) -> Any:
        yield Panel(f"Panel {script}", Place.SIDE, "noisy/text.html", lambda *_given: {"text": f"Said: {script}"})
        yield Panel("Huge", Place.MAIN, "noisy/huge.html", lambda *_given: {"text": "x" * 100_000_000})
        yield Panel("Endless", Place.MAIN, "noisy/endless.html", lambda *_given: {"numbers": itertools.count()})
        yield Panel("Odd", Place.MAIN, "noisy/text.html", odd)

    @hookimpl
    def customer_actions(customer: Any, viewer: Any) -> Any:
        yield Action(f"Press {script}", "noisy.nowhere", "customers.view", bulk=customer is None)
        yield Action(f"Go {script}", "customers.edit", "customers.view")

    @hookimpl
    def customer_columns() -> Any:
        cell = Markup(script * 999)  # noqa: S704 - what a plugin might do
        yield CustomerColumn("noisy.cell", script, "customers.view", lambda session, ids, viewer: dict.fromkeys(ids, cell))
        yield CustomerColumn("noisy.none", "None", "customers.view", lambda session, ids, viewer: {})

    @hookimpl
    def search_sources() -> Any:
        yield SearchSource("Endless", "customers.view", endless)
        yield SearchSource("Odd", "customers.view", shouting)

    @hookimpl
    def dashboard_widgets(viewer: Any) -> Any:
        yield Widget(script, "noisy/text.html", lambda *_given: {"text": script}, "customers.view")

    @hookimpl
    def filter_fields() -> Any:
        def choices(session: Any) -> Any:
            raise ValueError("no choices")

        yield FilterField("noisy.broken", "Broken", FieldType.CHOICE, ["eq"], odd, lambda session, one: 1, choices)

    hooks = (nav_items, customer_panels, customer_actions, customer_columns, search_sources, dashboard_widgets, filter_fields)
    return plugin("noisy", **{one.__name__: one for one in hooks})


def test_scripts_are_text_and_output_has_an_end(open_house: Any, staff: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "PAGE_BUDGET", 60.0)
    module = noisy()
    texts = {
        "text": "{{ text }}",
        "huge": "{{ text }}",
        "endless": "{% for number in numbers %}{{ number }}" + " wide" * 2000 + "{% endfor %}",
    }
    folder = tmp_path / "noisy" / "templates" / "noisy"
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text)
    module.__file__ = str(folder.parents[1] / "plugin.py")
    crm = open_house(module)
    admin: Staff = staff(role="administrator", on=create_app(crm))
    broken = quote('{"field": "noisy.broken", "op": "eq", "value": 1}')
    doors = [*DOORS, "/home/widgets/noisy/text", f"/customers?filter={broken}"]
    for door in doors:
        page = admin.get(door)
        assert page.status_code == 200, door
        assert "<script>alert" not in page.text, door
        assert "&lt;script&gt;alert" in page.text, door
        assert len(page.data) < 100_000, door
    text = admin.get("/customers/1").text
    assert text.count("This part could not be shown.") == 3
    assert "Said: &lt;script&gt;" in text
    assert "Nobody fits" in admin.get(doors[-1]).text
    troubles = {trouble.hook for trouble in crm.bus.troubles()}
    assert troubles == {"panel huge", "panel endless", "panel text", "search", "filter field noisy.broken"}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: NavItem("Toys", "toy.page", "toy.see", **HEAVY), "NavItem.weight is str, not int"),
        (lambda: NavItem(Markup("<b>Toys</b>"), "toy.page", "toy.see"), "NavItem.label is markup: give plain text"),
        (lambda: NavItem("Toys" * 100, "toy.page", "toy.see"), "NavItem.label has 400 characters, more than 300"),
        (lambda: SearchHit(NOTHING, "/"), "SearchHit.title is NoneType, not LazyString or str"),
        (lambda: Widget("Toys", "toy.html", permission="toy.see", **NO_FUNCTION), "Widget.load is str, not Callable"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is_made(make: Callable[[], Any], why: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{why}$"):
        make()


def test_what_was_typed_is_text_in_every_message(staff: Any) -> None:
    reply = staff(role="clerk").post("/customers/new", {"kind": "person", "display_name": "Åsa", "emails": "<script>alert(1)</script>"})
    assert reply.status_code == 422
    assert "<script>alert" not in reply.text
    assert "“&lt;script&gt;alert(1)&lt;/script&gt;” is not an e-mail address" in reply.text


def test_every_process_tells_of_the_troubles_of_all(
    open_house: Any, staff: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = misbehaving("bad", "raises", ["nav_items"])
    somewhere: Staff = staff(role="administrator", on=create_app(open_house(module)))
    for _visit in range(FAILURES):
        somewhere.get("/")
    monkeypatch.setattr(troubles, "_process", lambda: "elsewhere:1")
    elsewhere: Staff = staff(role="administrator", on=create_app(open_house(module)))
    page = elsewhere.get("/plugins/bad").text
    assert "ValueError: out of toys" in page
    assert "Rests after repeated failures until" in page
    assert "rests" in elsewhere.get("/plugins").text
    monkeypatch.setattr(troubles, "_process", lambda: "here:2")
    monkeypatch.setattr(registry, "installed", lambda: [candidate(module)])
    monkeypatch.setattr(sys, "argv", ["regulars", "plugins", "list", "--json"])
    url = somewhere.client.application.extensions["regulars"].config.database_url
    for name, value in {"HOME": tmp_path / "home", "DATABASE_URL": url, "SECRET_KEY": SECRET}.items():
        monkeypatch.setenv(f"REGULARS_{name}", str(value))
    capsys.readouterr()
    with pytest.raises(SystemExit):
        cli.main()
    [told] = json.loads(capsys.readouterr().out)
    [trouble] = told["troubles"]
    assert (trouble["hook"], trouble["reason"], trouble["count"]) == ("nav_items", "ValueError: out of toys", FAILURES + 2)
    assert trouble["rests_until"] is not None
