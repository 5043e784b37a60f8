"""Plugins that do not fit become rows with a reason; the rest start, in an order in which they can build on each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import marshmallow
import pytest
from sample_plugins import SECRET, candidate, everything, manifest, open_with, toy

from regulars_core.config import Config
from regulars_core.crm import Crm, open_crm
from regulars_core.plugins import loader, switching
from regulars_core.plugins.loader import Candidate, load_all
from regulars_core.plugins.registry import State
from regulars_plugin_api.contributions import Permission
from regulars_plugin_api.manifest import Erase, Merge, PersonalTable
from regulars_plugin_api.web import PluginBlueprint


def failing(error: BaseException) -> Callable[[], ModuleType]:
    def load() -> ModuleType:
        raise error

    return load


def reasons(*candidates: Candidate) -> dict[str, str]:
    loaded, broken = load_all([candidate(toy("good")), *candidates])
    assert "good" in [plugin.name for plugin in loaded]
    return {one.name: str(one.reason) for one in broken}


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (
            [Candidate("bad", "1", failing(ImportError("no module named shoes")))],
            "It could not be imported: ImportError: no module named shoes",
        ),
        ([Candidate("bad", "1", failing(SystemExit(1)))], "It could not be imported: SystemExit: 1"),
        ([Candidate("bad", "1", failing(SyntaxError("half a line")))], "It could not be imported: SyntaxError: half a line"),
        ([Candidate("bad", "1", lambda: ModuleType("bad"))], "Its module has no MANIFEST."),
        ([Candidate("bad", "1", lambda: toy("other"))], "Its manifest calls it other, its entry point does not."),
        ([candidate(toy("bad", api="2.0"))], "It needs version 2.0 of the plugin contract; this is 1.0."),
        ([candidate(toy("bad", api="1.7"))], "It needs version 1.7 of the plugin contract; this is 1.0."),
        ([candidate(toy("bad"), needs=("requests", "regulars>=9"))], "It was made for regulars>=9; this is Regulars 0.1.0."),
        ([candidate(toy("bad"), needs=("regulars >=",))], "Its requirement regulars >= can't be read."),
        ([candidate(toy("bad", requires={"missing": ">=1"}))], "It needs the plugin missing, which is not there."),
        ([candidate(toy("bad", requires={"good": ">=2"}))], "It needs good >=2; installed is 1.0."),
        ([candidate(toy("bad", requires={"good": "two"}))], "Its requirement good two can't be read."),
        ([candidate(toy("good_deeds"))], "Its name overlaps with that of the plugin good."),
        ([candidate(toy("customer"))], "Its name is the beginning of the platform's table "),
    ],
)
def test_a_misfit_is_named_with_its_reason(candidates: list[Candidate], expected: str) -> None:
    [reason] = reasons(*candidates).values()
    assert reason.startswith(expected)


def test_one_whose_schema_leads_nowhere_is_a_misfit(tmp_path: Path) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "bad_0001.py").write_text("revision = 'bad_0001'")
    module = toy("bad")
    module.__file__ = str(tmp_path / "plugin.py")
    assert reasons(candidate(module)) == {"bad": "bad_0001.py: revision and down_revision have to be written as plain text."}


def test_one_that_hangs_is_left_behind_and_one_that_times_out_by_itself_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "IMPORT_BUDGET", 1.0)
    let_go = threading.Event()

    def hang() -> ModuleType:
        let_go.wait(60)
        return toy("slow")

    try:
        assert reasons(Candidate("slow", "1", hang), Candidate("bad", "1", failing(TimeoutError("no licence server")))) == {
            "slow": "It could not be imported: TimeoutError: no end within 1 s",
            "bad": "It could not be imported: TimeoutError: no licence server",
        }
    finally:
        let_go.set()


def test_who_needs_a_misfit_is_one_too_and_so_are_those_who_need_each_other() -> None:
    assert reasons(
        Candidate("bad", "1", failing(ImportError())),
        candidate(toy("leaf", requires={"bad": ">=1"})),
        candidate(toy("tip", requires={"leaf": ">=1"})),
        candidate(toy("hen", requires={"egg": ">=1"})),
        candidate(toy("egg", requires={"hen": ">=1"})),
    ) == {
        "bad": "It could not be imported: ImportError: ",
        "leaf": "It needs the plugin bad, which is not there.",
        "tip": "It needs the plugin leaf, which is not there.",
        "hen": "It and a plugin it builds on need each other.",
        "egg": "It and a plugin it builds on need each other.",
    }


def test_the_order_follows_requirements_then_wishes_then_names() -> None:
    plugins = [
        toy("alpha", requires={"omega": ">=1"}),
        toy("beta", after=("gamma", "not_there")),
        toy("gamma"),
        toy("omega"),
    ]
    loaded, _broken = load_all([candidate(one) for one in plugins])
    assert [one.name for one in loaded] == ["gamma", "omega", "alpha", "beta"]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"name": "Loyalty"}, "plugin name 'Loyalty'"),
        ({"name": "a__b"}, "plugin name 'a__b'"),
        ({"name": "x" * 31}, "at most 30 characters"),
        ({"name": "toy", "api": "1"}, "api '1' is not a version like 1.0"),
        ({"name": "toy", "requires": {"toy": ">=1"}}, "toy requires itself"),
        ({"name": "toy", "personal_data": (PersonalTable("customer"),)}, "personal data of customer, which is not one of its tables"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(about: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        manifest(**about)


def test_a_personal_data_map_says_what_it_means_and_survives_saving() -> None:
    entry = PersonalTable("toy_card", export=("number",), erase=Erase.CLEAR, clear=("number",), merge=Merge.SUM, add=("points",))
    assert PersonalTable.from_json(entry.to_json()) == entry
    for wrong in ({"erase": Erase.CLEAR}, {"clear": ("number",)}, {"merge": Merge.SUM}, {"add": ("points",)}):
        with pytest.raises(ValueError, match="toy_card: "):
            PersonalTable("toy_card", **wrong)


def states(crm: Crm) -> dict[str, tuple[State, str | None]]:
    return {one.name: (one.state, str(one.reason) if one.reason else None) for one in crm.plugins.listed()}


def test_a_plugin_whose_declarations_fail_is_off_and_the_house_stands(sqlite_url: str, tmp_path: Path) -> None:
    def permissions() -> Iterable[Any]:
        return [Permission("other.see", "See")]

    def settings_schema() -> type[marshmallow.Schema]:
        raise ValueError("no schema")

    def no_such_hook() -> None:
        pass

    def plugin_hookspecs() -> Iterable[ModuleType]:
        raise OSError("gone")

    plugins = [
        toy("a", permissions),
        toy("b", settings_schema),
        toy("c", no_such_hook),
        toy("d", plugin_hookspecs),
        toy("e", requires={"a": ">=1"}),
        toy("good"),
    ]
    assert states(open_with(sqlite_url, tmp_path, *plugins)) == {
        "a": (State.BROKEN, "Its permission other.see does not begin with its own name."),
        "b": (State.BROKEN, "The plugin b could not do its part (settings_schema): ValueError: no schema"),
        "c": (State.BROKEN, "there is no hook named no_such_hook"),
        "d": (State.BROKEN, "The plugin d could not do its part (plugin_hookspecs): OSError: gone"),
        "e": (State.BROKEN, "It needs the plugin a, which is not there."),
        "good": (State.INSTALLED, None),
    }


def test_addresses_are_claimed(sqlite_url: str, tmp_path: Path) -> None:
    def claiming(name: str, *claims: str) -> ModuleType:
        def blueprints() -> Iterable[PluginBlueprint]:
            return [PluginBlueprint(f"{name}{number}", __name__, url_prefix=claim) for number, claim in enumerate(claims)]

        return toy(name, blueprints)

    def blueprints() -> Iterable[PluginBlueprint]:
        return [PluginBlueprint("f", __name__, url_prefix="/f/g")]

    plugins = [
        claiming("a", "/a", "/u", "/api/v1/things"),
        claiming("b", "/u"),
        claiming("c", "/api/v1/customers"),
        claiming("d", "/sign-in"),
    ]
    crm = open_with(sqlite_url, tmp_path, *plugins, toy("e", requires={"b": ">=1"}), toy("f", blueprints))
    assert [(name, one.claim) for name, one in crm.plugins.blueprints()] == [("a", "/a"), ("a", "/u"), ("a", "/api/v1/things")]
    assert states(crm) == {
        "a": (State.INSTALLED, None),
        "b": (State.BROKEN, "Its address /u is taken by a."),
        "c": (State.BROKEN, "Its address /api/v1/customers is taken by Regulars."),
        "d": (State.BROKEN, "Its address /sign-in is taken by Regulars."),
        "e": (State.BROKEN, "It needs the plugin b, which is not there."),
        "f": (State.BROKEN, "ValueError: url_prefix '/f/g': a blueprint claims /<name> or /api/v1/<resource>"),
    }


def test_of_two_commands_of_one_name_the_first_stays(sqlite_url: str, tmp_path: Path) -> None:
    def cli_commands() -> Iterable[click.Command]:
        return [click.Command("count")]

    crm = open_with(sqlite_url, tmp_path, toy("a", cli_commands), toy("b", cli_commands))
    assert [(name, command.name) for name, command in crm.plugins.cli_commands()] == [("a", "count")]


def test_safe_mode_imports_nothing_and_forgets_nothing(sqlite_url: str, tmp_path: Path) -> None:
    crm = open_with(sqlite_url, tmp_path, toy("a"))
    switching.enable(crm, "a")
    config = Config(home=tmp_path, database_url=sqlite_url, secret_key=SECRET, safe_mode=True)
    safe = open_crm(config, plugins=[Candidate("a", "1.0", failing(AssertionError("imported")))])
    assert states(safe) == {"a": (State.BROKEN, "Safe mode: no plugin is loaded.")}
    assert states(open_with(sqlite_url, tmp_path, toy("a"))) == {"a": (State.ENABLED, None)}


def test_without_a_database_every_plugin_is_off_and_none_is_made(tmp_path: Path) -> None:
    crm = open_with(f"sqlite:///{tmp_path}/none.db", tmp_path, everything)
    assert states(crm) == {"everything": (State.INSTALLED, None)}
    assert not (tmp_path / "none.db").exists()
