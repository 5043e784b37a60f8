"""Which heading of a file is which column of an importer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regulars_plugin_api.exchange import Column
from regulars_plugin_api.values import fold


def match_columns(header: Sequence[str], columns: Sequence[Column], chosen: Mapping[str, str | None]) -> dict[str, str]:
    """Heading -> canonical column, for the headings that are known.

    ``chosen`` is a person's own mapping and wins: heading -> column, or None to leave the heading out.
    """
    known = {_plain(name): column.name for column in columns for name in (column.name, *column.aliases)}
    taken = {name for name in chosen.values() if name}
    mapping: dict[str, str] = {}
    for heading in header:
        if heading in chosen:
            column = chosen[heading]
        else:
            column = known.get(_plain(heading))
            column = None if column in taken else column
        if column is not None and column not in mapping.values():
            mapping[heading] = column
    return mapping


def _plain(heading: str) -> str:
    return fold(heading).replace("_", " ").replace("-", " ").strip()
