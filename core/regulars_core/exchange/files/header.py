"""Which row names the columns, and whether the names can be used."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.formulas import restored
from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.rows import ColumnsHint, FlawedRow
from regulars_plugin_api.i18n import _

HEADER_WITHIN = 20
# Blanks, and the byte order mark that stays behind when files are put together.
_INVISIBLE = " \t\r\n\u00a0\u3000\u200b\ufeff"


def names_in(row: Iterable[str]) -> tuple[str, ...]:
    """A row as names of columns."""
    return tuple(restored(cell.strip(_INVISIBLE)).strip(_INVISIBLE) for cell in row)


def most_known(rows: Iterable[Sequence[str]], hint: ColumnsHint) -> int:
    """How many known columns the best of the first rows names."""
    return max((len(hint(names_in(row))) for row in itertools.islice(rows, HEADER_WITHIN)), default=0)


def header_position(first_rows: Sequence[Sequence[str]], hint: ColumnsHint) -> int:
    """Which of the first rows is the header: the one with most known columns, else the first that is not blank."""
    filled = ((position, row) for position, row in enumerate(first_rows) if isinstance(row, FlawedRow) or any(map(str.strip, row)))
    first = [(position, row) for position, row in filled if not names_separator(row)]
    if not first:
        raise FileRefused("no_header", _("There is no header: the first line must name the columns."))
    return max(first, key=lambda found: (len(hint(names_in(found[1]))), -found[0]))[0]


def checked_header(row: Sequence[str]) -> tuple[str, ...]:
    """The names in a header row without the blank ones at its end. Names must be there and differ."""
    names = names_in(row)
    while names and not names[-1]:
        names = names[:-1]
    if len(names) > limits.COLUMNS:
        raise FileRefused(
            "too_many_columns", _("There are %(found)d columns; at most %(count)d can be read.", found=len(names), count=limits.COLUMNS)
        )
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if not name:
            raise FileRefused("unnamed_column", _("Column %(column)d has no name in the header.", column=position))
        first = seen.setdefault(name.casefold(), position)
        if first != position:
            raise FileRefused(
                "duplicate_column",
                _("Columns %(first)d and %(second)d are both named “%(name)s”.", first=first, second=position, name=name[:60]),
            )
    return names


def names_separator(row: Sequence[str]) -> bool:
    """Excel's own ``sep=;`` above the header."""
    return row[0][:4].lower() == "sep=" and len(row[0]) <= 5 and not any(row[1:])
