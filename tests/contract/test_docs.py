"""Guards: the manual tells of everything there is."""

import ast
import inspect
import pkgutil
import re
import subprocess
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import checklist
import hookpages
import pictures
import pytest
import reference
from svg import Box, draw

from regulars_plugin_api import contributions, hookspecs
from regulars_testkit.conformance import all_checks
from regulars_web.cli import CORE

HOUSE = Path(__file__).parents[2]


def test_every_folder_has_its_line_on_the_architecture_page() -> None:
    tracked = subprocess.check_output(["git", "ls-tree", "-d", "--name-only", "HEAD"], cwd=HOUSE, text=True).splitlines()
    page = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [folder for folder in tracked if f"| `{folder}/` |" not in page] == []


def test_every_table_is_on_a_picture_and_every_model_says_what_a_row_is() -> None:
    for owner, tables in pictures.tables_by_owner().items():
        picture, listing = pictures.table_picture(tables, owner), pictures.table_list(tables)
        assert [table.name for table in tables if f">{table.name}</text>" not in picture] == []
        assert listing.count("\n") > 0


def test_every_setting_is_on_the_settings_page() -> None:
    read = re.findall(r'"(REGULARS_[A-Z_]+[A-Z])"', (HOUSE / "core" / "regulars_core" / "config.py").read_text(encoding="utf-8"))
    page = (HOUSE / "docs" / "operate" / "settings.md").read_text(encoding="utf-8")
    assert len(read) > 5
    assert sorted({name for name in read if f"`{name}`" not in page}) == []


def test_every_command_is_on_the_page_of_commands() -> None:
    page = (HOUSE / "docs" / "operate" / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in CORE if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", sorted(hookpages.hooks()))
def test_a_hook_has_a_page_with_its_exact_signature_and_an_example(name: str) -> None:
    hook = hookpages.hooks()[name]
    page = hookpages.page(hook)
    hints = get_type_hints(hook)
    code = re.findall(r"```python\n(.+?)\n```", page, re.DOTALL)
    assert len(code) == 2
    for given in (ast.parse(one).body[0] for one in code):
        assert isinstance(given, ast.FunctionDef)
        assert (given.name, [ast.unparse(mark) for mark in given.decorator_list]) == (name, ["hookimpl"])
    written = ast.parse(code[0]).body[0]
    assert isinstance(written, ast.FunctionDef)
    assert {one.arg: ast.unparse(one.annotation) for one in written.args.args if one.annotation} | {
        "return": ast.unparse(written.returns or ast.Constant(None))
    } == inspect.get_annotations(hook)
    assert hints.keys() == inspect.get_annotations(hook).keys()
    assert f"[{name}](hooks/{name}.md)" in hookpages.hook_list()


def test_every_hook_of_the_contract_has_a_page() -> None:
    declared = [name for module in hooks_of_the_contract() for name, one in inspect.getmembers(module) if hasattr(one, "regulars_rules")]
    assert sorted(declared) == sorted(hookpages.hook_pages())
    assert len(declared) == len(set(declared)) >= 30


def hooks_of_the_contract() -> list[ModuleType]:
    return [import_module(f"{hookspecs.__name__}.{one.name}") for one in pkgutil.iter_modules(hookspecs.__path__)]


def test_every_public_name_of_the_contract_is_in_the_manual() -> None:
    manual = reference.reference()
    assert [name for name in contributions.__all__ if f"### {name}\n\n```python\nclass {name}" not in manual] == []
    for line in ("def emit(session: Session, event: DomainEvent) -> None", "    weight: int = 50", "    timezone: ZoneInfo"):
        assert line in manual


def test_every_check_of_the_kit_is_in_the_manual() -> None:
    manual = checklist.checklist()
    assert [one.id for one in all_checks() if f"| `{one.id}` | {one.about}" not in manual or not one.about.endswith(".")] == []


def test_every_event_is_in_the_manual_with_its_fields() -> None:
    manual = pictures.event_list()
    assert "### customer.updated\n\n`CustomerUpdated` of `regulars_plugin_api.events`, version 1\n\n" in manual
    assert "| `changed` | `tuple[str, ...]` |" in manual
    assert "### purchases.receipts_imported\n" in manual


def test_every_page_for_developers_has_its_line_on_their_first_page() -> None:
    folder = HOUSE / "docs" / "develop"
    first = (folder / "index.md").read_text(encoding="utf-8")
    pages = [path.stem for path in sorted(folder.glob("*.md")) if path.stem != "index"]
    assert [page for page in pages if not re.search(rf"^- \[.+\]\({page}\.md\): .+", first, re.MULTILINE)] == []


def test_a_picture_escapes_names_and_survives_circles() -> None:
    picture = draw([Box("a<b", ("x & y",)), Box("b"), Box("c")], [("a<b", "b"), ("b", "c"), ("c", "b"), ("b", "b")], "circle")
    assert "a&lt;b" in picture
    assert "x &amp; y" in picture
    assert picture.count("marker-end") == 3
