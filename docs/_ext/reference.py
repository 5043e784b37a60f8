"""The plugin API as a page: every public name of ``regulars_plugin_api`` with its signature and its docstring, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "regulars_plugin_api"
ELSEWHERE = ("hookspecs", "version")
"""Modules that have a page of their own, or nothing to say."""
Definition = ast.ClassDef | ast.FunctionDef


def reference() -> str:
    """A Markdown section for each module; what a package passes on stands under the package."""
    return "\n".join(_section(name, paths) for name, paths in _modules())


def _modules() -> Iterator[tuple[str, list[Path]]]:
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    for path in sorted(Path(spec.origin).parent.iterdir()):
        if path.stem.startswith("_") or path.stem in ELSEWHERE:
            continue
        if path.suffix == ".py":
            yield path.stem, [path]
        elif (path / "__init__.py").exists():
            yield path.name, [path / "__init__.py", *sorted(one for one in path.glob("*.py") if one.name != "__init__.py")]


def _section(name: str, paths: list[Path]) -> str:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    passed_on = _passed_on(trees[0]) if len(paths) > 1 else None
    parts = [f"## {PACKAGE}.{name}\n\n{ast.get_docstring(trees[0]) or ''}\n"]
    constants = [ast.unparse(node) for tree in trees for node in tree.body if _is_public_value(node, passed_on)]
    if constants:
        parts.append("```python\n" + "\n".join(constants) + "\n```\n")
    for tree in trees:
        parts += [_entry(one) for one in _public(tree.body) if passed_on is None or one.name in passed_on]
    return "\n".join(parts)


def _is_public_value(node: ast.stmt, passed_on: set[str] | None) -> bool:
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return False
    name = ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
    is_tool = any(word in ast.unparse(node) for word in ("TypeVar(", "ParamSpec(", "re.compile("))
    return not name.startswith("_") and not is_tool and (passed_on is None or name in passed_on)


def _passed_on(tree: ast.Module) -> set[str]:
    return {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def _public(body: Iterable[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_") and ast.get_docstring(node):
            yield node


def _entry(node: Definition) -> str:
    signature = _class(node) if isinstance(node, ast.ClassDef) else _function(node)
    return f"### {node.name}\n\n```python\n{signature}\n```\n\n{ast.get_docstring(node)}\n"


def _function(node: ast.FunctionDef, indent: str = "") -> str:
    answer = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{indent}def {node.name}({ast.unparse(node.args)}){answer}"


def _class(node: ast.ClassDef) -> str:
    bases = ", ".join(map(ast.unparse, node.bases))
    lines = [f"class {node.name}({bases}):" if bases else f"class {node.name}:"]
    lines += [f"    {ast.unparse(part)}" for part in node.body if _is_public_value(part, None)]
    for method in _public(node.body):
        if isinstance(method, ast.FunctionDef):
            lines += ["", *(f"    # {line}".rstrip() for line in (ast.get_docstring(method) or "").splitlines())]
            is_property = any(ast.unparse(one) in ("property", "cached_property") for one in method.decorator_list)
            answer = ast.unparse(method.returns) if method.returns else "Any"
            lines.append(f"    {method.name}: {answer}" if is_property else _function(method, "    "))
    return "\n".join(lines)
