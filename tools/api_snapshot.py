"""Write down all public names and signatures of ``regulars_plugin_api``: ``python tools/api_snapshot.py``, or ``make api-snapshot``.

What stands in the file is what plugins may rely on, so a change of the contract is seen in every review.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "plugin_api" / "regulars_plugin_api"
SNAPSHOT = ROOT / "docs" / "develop" / "api-snapshot.txt"
HEAD = "All public names of regulars_plugin_api. Made by `make api-snapshot`; see compatibility.md for what may change when.\n"
KEPT = {"__init__", "__call__", "__enter__", "__exit__", "__get__", "__set__", "__post_init__"}
"""Methods with underscores that others meet."""
LONGEST = 120


def snapshot() -> str:
    """The whole file."""
    modules = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        lines = list(_names(ast.parse(path.read_text(encoding="utf-8")).body, ""))
        if lines and not any(part.startswith("_") and part != "__init__" for part in parts):
            name = ".".join(part for part in parts if part != "__init__")
            modules.append("\n".join([f"module {name}", *lines]) + "\n")
    return "\n".join([HEAD, *modules])


def _names(body: list[ast.stmt], indent: str) -> Iterator[str]:
    """One block of lines for each public name of a module or class, sorted; fields of a class come first and in their order."""
    fields, others = [], []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_public(node.name):
                others.append((node.name, _function(node, indent)))
        elif isinstance(node, ast.ClassDef):
            if _is_public(node.name):
                others.append((node.name, _class(node, indent)))
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            fields += [line for line in _assigned(node, indent) if indent or not line.startswith("__version__")]
        elif isinstance(node, ast.ImportFrom):
            # ``import x as x`` hands a name on.
            others += [(one.name, f"{indent}{one.name}: from {node.module}") for one in node.names if one.asname == one.name]
    yield from fields if indent else sorted(fields)
    yield from (text for _name, text in sorted(others, key=lambda one: one[0]))


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name in KEPT


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, indent: str) -> str:
    marks = "".join(f"{indent}@{ast.unparse(one)}\n" for one in node.decorator_list)
    answer = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{marks}{indent}def {node.name}({ast.unparse(node.args)}){answer}"


def _class(node: ast.ClassDef, indent: str) -> str:
    marks = "".join(f"{indent}@{ast.unparse(one)}\n" for one in node.decorator_list)
    bases = ", ".join(ast.unparse(one) for one in [*node.bases, *(word.value for word in node.keywords)])
    head = f"{marks}{indent}class {node.name}({bases})" if bases else f"{marks}{indent}class {node.name}"
    return "\n".join([head, *_names(node.body, indent + "    ")])


def _assigned(node: ast.AnnAssign | ast.Assign, indent: str) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = "" if node.value is None else f" = {ast.unparse(node.value)}"
    kind = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    for target in targets:
        for name in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(name, ast.Name) and (_is_public(name.id) or name.id == "__all__"):
                line = f"{indent}{name.id}{kind}{value}"
                yield line if len(line) <= LONGEST or name.id == "__all__" else f"{indent}{name.id}{kind} = …"


def main() -> int:
    """Write the file."""
    SNAPSHOT.write_text(snapshot(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
