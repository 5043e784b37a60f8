"""A change of the contract with plugins is a visible difference, and one that somebody wanted."""

from __future__ import annotations

import difflib
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from regulars_plugin_api.version import API_VERSION

ROOT = Path(__file__).resolve().parents[2]
ACCEPT = "The public names of regulars_plugin_api changed. If that is meant, see docs/develop/compatibility.md, then: make api-snapshot"


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("api_snapshot", ROOT / "tools" / "api_snapshot.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_contract_is_as_written_down(tool: Any) -> None:
    written, now = tool.SNAPSHOT.read_text(encoding="utf-8"), tool.snapshot()
    difference = "\n".join(difflib.unified_diff(written.splitlines(), now.splitlines(), "written down", "now", lineterm="", n=1))
    assert not difference, f"{ACCEPT}\n{difference}"


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ("module regulars_plugin_api.hookspecs.web", "every module"),
        ("def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]", "hooks with their signature"),
        ("@hookspec(on_failure=OnFailure.BLOCK)", "how hooks are called"),
        ("class Panel(Contribution)", "classes with their bases"),
        ("    template: str", "fields"),
        ("    lazy: bool = False", "defaults"),
        ("    def may(self, permission: str) -> bool", "methods"),
        ("API_VERSION = '1.0'", "constants"),
    ],
)
def test_the_snapshot_holds(tool: Any, line: str, about: str) -> None:
    assert line in tool.snapshot().splitlines(), about


def test_private_names_are_not_promised(tool: Any) -> None:
    kept = ("__all__ = ", *(f"def {name}(" for name in tool.KEPT))
    lines = [line.strip() for line in tool.snapshot().splitlines()]
    assert [line for line in lines if line.startswith(("_", "def _", "class _")) and not line.startswith(kept)] == []


def test_the_first_version_of_the_contract() -> None:
    assert API_VERSION == "1.0"
