"""Keeps the kernel small: counts lines of code (no blank lines, comments or docstrings) and fails above the limits of ADR 0006."""

import ast
import io
import sys
import tokenize
from pathlib import Path

CORE = Path(__file__).parent.parent / "core" / "regulars_core"
PARTS = {"file formats": CORE / "exchange" / "files", "import engine": CORE / "exchange", "kernel": CORE}
LIMITS = {"kernel": 7000, "import engine": 2000, "file formats": 2000}
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(path: Path) -> int:
    text = path.read_text(encoding="utf-8")
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstring_lines(ast.parse(text)))


def docstring_lines(tree: ast.AST) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            found.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return found


def main() -> int:
    sizes = dict.fromkeys(LIMITS, 0)
    for path in CORE.rglob("*.py"):
        sizes[next(part for part, folder in PARTS.items() if path.is_relative_to(folder))] += code_lines(path)
    for part, size in sizes.items():
        sys.stdout.write(f"{part}: {size} of {LIMITS[part]} lines of code\n")
    return int(any(sizes[part] > limit for part, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
