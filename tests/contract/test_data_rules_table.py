"""The table of rules names tests that are there."""

import re
from pathlib import Path

HOUSE = Path(__file__).parents[2]
TABLE = HOUSE / "docs" / "develop" / "data-rules.md"


def test_every_rule_names_tests_that_are_there() -> None:
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "---" not in line][1:]
    named = [re.findall(r"`((?:tests|plugins)/[\w/]+\.py)::(\w+)`", row) for row in rows]
    assert [row for row, tests in zip(rows, named, strict=True) if not tests] == []
    missing = [
        f"{path}::{name}"
        for tests in named
        for path, name in tests
        if not (HOUSE / path).exists() or f"def {name}(" not in (HOUSE / path).read_text(encoding="utf-8")
    ]
    assert missing == []
