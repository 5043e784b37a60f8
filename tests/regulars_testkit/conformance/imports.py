"""What the plugin imports: the contract, itself, and the public part of plugins it requires."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.subject import Subject

CONTRACT = "regulars_plugin_api"
PLATFORM = ("regulars_core", "regulars_web", "regulars_migrations", "regulars_testkit")
_BEHIND = re.compile(rf"(?:{'|'.join(PLATFORM)})(?:\.\w+)*")
_OURS = re.compile(r"regulars_\w+")


@check(Tier.BRONZE)
def only_the_contract(subject: Subject) -> Iterator[Flaw]:
    """Of Regulars, only ``regulars_plugin_api`` and the ``api`` of required plugins is imported, also inside functions and by name."""
    for path in subject.sources:
        for line, module in imported(path):
            hint = _refusal(subject, module)
            if hint:
                yield Flaw(f"{subject.place_of(path)}:{line} imports {module}.", hint)


@check(Tier.BRONZE)
def nothing_private(subject: Subject) -> Iterator[Flaw]:
    """No name with a leading underscore is taken from the contract."""
    for path in subject.sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == CONTRACT:
                for name in [one.name for one in node.names if one.name.startswith("_") and one.name not in ("_", "_n")]:
                    words = f"{subject.place_of(path)}:{node.lineno} imports {name} from {node.module}."
                    yield Flaw(words, "Names with an underscore may be gone tomorrow: ask for what you need in an issue.")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """``(line, module)`` of each import, and of each text that names a module of the platform."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # ``from regulars_b import api`` is an import of ``regulars_b.api``.
            whole = _OURS.fullmatch(node.module) and node.module != CONTRACT
            yield from ((node.lineno, f"{node.module}.{one.name}" if whole else node.module) for one in node.names)
        elif isinstance(node, ast.Call):
            texts = [one for one in (*node.args, *(one.value for one in node.keywords)) if isinstance(one, ast.Constant)]
            yield from ((one.lineno, one.value) for one in texts if isinstance(one.value, str) and _BEHIND.fullmatch(one.value))
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and _BEHIND.fullmatch(str(node.slice.value)):
            yield node.lineno, str(node.slice.value)


def _refusal(subject: Subject, module: str) -> str | None:
    """Why not, and what instead; None if the import is fine."""
    top, _dot, rest = module.partition(".")
    if not _OURS.fullmatch(top) or top in (CONTRACT, subject.package.partition(".")[0]):
        return None
    if top in PLATFORM:
        return "Plugins import regulars_plugin_api only: what lies behind it changes without notice."
    other = top.removeprefix("regulars_")
    if other not in subject.manifest.requires:
        return f"Add {other} to the manifest's requires, and to install_requires, or do without it."
    if rest.partition(".")[0] != "api":
        return f"Only {top}.api is public."
    return None
