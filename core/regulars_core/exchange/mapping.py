"""Which heading of a file is which column of an importer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from regulars_core.users.service import LOCALES
from regulars_plugin_api.exchange import Column
from regulars_plugin_api.i18n import in_locale
from regulars_plugin_api.values import fold


def match_columns(header: Sequence[str], columns: Sequence[Column], chosen: Mapping[str, str | None]) -> dict[str, str]:
    """Heading -> canonical column, for the headings that are known: by name or alias, and what is left by a column's title.

    ``chosen`` is a person's own mapping and wins: heading -> column, or None to leave the heading out.
    """
    named = {_plain(name): column.name for column in columns for name in (column.name, *column.aliases)}
    titled = {title: name for title, name in _titles(columns).items() if title not in named}
    taken = {name for name in chosen.values() if name}
    mapping: dict[str, str] = {}
    for known in (named, titled):
        for heading in header:
            if heading in chosen:
                column = chosen[heading]
            else:
                column = known.get(_plain(heading))
                column = None if column in taken else column
            if column is not None and column not in mapping.values():
                mapping[heading] = column
    return mapping


def _titles(columns: Sequence[Column]) -> dict[str, str]:
    """Title, in every language of the product -> column; a title that two columns share is neither's."""
    found: dict[str, set[str]] = defaultdict(set)
    for locale in LOCALES:
        with in_locale(locale):
            for column in columns:
                found[_plain(str(column.title))].add(column.name)
    return {title: names.pop() for title, names in found.items() if len(names) == 1}


def _plain(heading: str) -> str:
    return fold(heading).replace("_", " ").replace("-", " ").strip(" .")
