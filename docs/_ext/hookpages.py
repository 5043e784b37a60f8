"""A page for each hook: what it is for, its exact signature, how it is called, and an example out of a sample plugin that the tests run."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from regulars_plugin_api import contributions
from regulars_plugin_api.hookspecs import OnFailure, rules_of

Hook = Callable[..., Any]
SUBJECTS = ("lifecycle", "access", "web", "customers", "data", "messaging")
SAMPLES = Path(__file__).parents[2] / "tests" / "sample_plugins"
PLUGINS = {"wrapping": SAMPLES / "wrapping" / "plugin.py", "everything": SAMPLES / "everything.py"}
"""Sample plugins with examples, the better ones first."""
FAILING = {
    OnFailure.SKIP: "The failing plugin is left out.",
    OnFailure.ABORT: "The whole call fails, and what was begun is rolled back.",
    OnFailure.BLOCK: "The answer counts as no.",
    OnFailure.PLUGIN_OFF: "The plugin is off, with the reason on the plugins page.",
}


def hooks() -> dict[str, Hook]:
    """Every hook of the platform by name, subject by subject."""
    return {name: hook for module in _modules() for name, hook in _hooks_of(module).items()}


def hook_list() -> str:
    """A Markdown table for each subject: each hook, and what it is for in a line."""
    return "\n".join(_subject(module) for module in _modules())


def hook_pages() -> dict[str, str]:
    """The page of each hook, by its name."""
    return {name: page(hook) for name, hook in hooks().items()}


def page(hook: Hook) -> str:
    """One hook in Markdown."""
    purpose, _blank, rest = (inspect.getdoc(hook) or "").partition("\n\n")
    plugin, code = example(hook.__name__)
    parts = [f"# {hook.__name__}", purpose, f"```python\n{signature(hook)}\n```", rest, *_called(hook), *_types(hook)]
    parts += [f"## Example\n\nFrom the sample plugin `{plugin}`, which the tests of the platform run:\n\n```python\n{code}\n```"]
    return "\n\n".join(parts) + "\n"


def signature(hook: Hook) -> str:
    """How an implementation is written."""
    shape = inspect.signature(hook)
    parameters = ", ".join(f"{one.name}: {one.annotation}" for one in shape.parameters.values())
    return f"@hookimpl\ndef {hook.__name__}({parameters}) -> {shape.return_annotation}: ..."


def example(name: str) -> tuple[str, str]:
    """A sample plugin that implements the hook, and its code for it. Raises ``LookupError``."""
    for plugin, path in PLUGINS.items():
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                lines = text.splitlines()[node.decorator_list[0].lineno - 1 : node.end_lineno]
                return plugin, "\n".join(lines)
    raise LookupError(f"no sample plugin implements {name}")


@cache
def _modules() -> list[ModuleType]:
    return [import_module(f"regulars_plugin_api.hookspecs.{subject}") for subject in SUBJECTS]


def _hooks_of(module: ModuleType) -> dict[str, Hook]:
    return {name: one for name, one in vars(module).items() if hasattr(one, "regulars_rules")}


def _subject(module: ModuleType) -> str:
    title = inspect.cleandoc(module.__doc__ or "").splitlines()[0].rstrip(".")
    rows = "".join(f"| [{name}](hooks/{name}.md) | {_purpose(hook)} |\n" for name, hook in _hooks_of(module).items())
    return f"## {title}\n\n| hook | what it is for |\n| --- | --- |\n{rows}"


def _purpose(documented: object) -> str:
    return (inspect.getdoc(documented) or "").splitlines()[0]


def _called(hook: Hook) -> Iterator[str]:
    rules = rules_of(hook)
    lines = [f"- On failure: {FAILING[rules.on_failure]}"]
    lines += ["- A page waits for it: after two seconds it goes on without the plugin."] if rules.page else []
    lines += ["- Nobody waits for it longer than ten seconds: a process starts and works without the plugin."] if rules.declares else []
    lines += ["- Asked of plugins that are switched off, too."] if rules.disabled_too else []
    yield "## How it is called\n\n" + "\n".join(lines)


def _types(hook: Hook) -> Iterator[str]:
    kinds = {one.__name__: one for hint in get_type_hints(hook).values() for one in _classes(hint)}
    rows = [
        f"- `{name}` of `{_home(kind)}`: {inspect.cleandoc(kind.__doc__ or '').splitlines()[0]}" for name, kind in sorted(kinds.items())
    ]
    if rows:
        yield "## Types\n\n" + "\n".join(rows)


def _classes(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and hint.__module__.startswith("regulars_plugin_api"):
        yield hint
    for inner in get_args(hint):
        yield from _classes(inner)


def _home(kind: type) -> str:
    """Where plugins import it from."""
    return contributions.__name__ if kind.__name__ in contributions.__all__ else kind.__module__
