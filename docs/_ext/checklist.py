"""The checks of the conformance kit as Markdown, from their own first lines."""

from __future__ import annotations

from regulars_testkit.conformance import Place, all_checks
from regulars_testkit.conformance.findings import TIERS

WHERE = {Place.PACKAGE: "", Place.HOUSE: "", Place.EACH_DATABASE: " *On SQLite and on PostgreSQL.*"}


def checklist() -> str:
    """A table for each tier: each check and what a plugin has to keep."""
    tables = []
    for tier in TIERS:
        rows = [f"| `{one.id}` | {one.about}{WHERE[one.place]} |" for one in all_checks() if one.tier is tier]
        tables.append("\n".join([f"### {tier.value.capitalize()}", "", "| check | what has to hold |", "| --- | --- |", *rows, ""]))
    return "\n".join(tables)
