"""What those who run and extend the plugin can read."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.subject import Subject

ENOUGH = 300


@check(Tier.GOLD)
def readme(subject: Subject) -> Iterator[Flaw]:
    """The distribution carries a README that says what the plugin does and how it is set up."""
    if len(subject.readme.strip()) < ENOUGH:
        words = f"The README has {len(subject.readme.strip())} characters."
        yield Flaw(words, "Write what it does, its settings and permissions; name it as long_description in setup.cfg.")


@check(Tier.GOLD)
def address(subject: Subject) -> Iterator[Flaw]:
    """The manifest says where the manual is."""
    if not subject.manifest.docs.startswith("https://"):
        yield Flaw(f"The manifest's docs is {subject.manifest.docs!r}.", 'Give Manifest(docs="https://…"): the plugins page links to it.')


@check(Tier.GOLD)
def public_part(subject: Subject) -> Iterator[Flaw]:
    """Each public name of ``api.py`` says what it is."""
    path = subject.folder / "api.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node):
            yield Flaw(f"api.py: {node.name} has no docstring.", "Other plugins build on it: give meaning, units and errors.")
