"""CSV and TSV: which character parts their cells, and the rows they hold (RFC 4180)."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.header import most_known
from regulars_core.exchange.files.problems import FileRefused, Question
from regulars_core.exchange.files.rows import ColumnsHint
from regulars_plugin_api.i18n import _

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {"\t": "tab"}
_SAMPLE = 256 * limits.KIB
_ROWS = 200
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)

# The limit is one for the whole process; Python's own (128 KiB) would cut off what we take.
csv.field_size_limit(limits.CELL_CHARACTERS)


def read_rows(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """All rows, the header among them, blank ones as empty lists. A file that is no whole CSV is refused with the line."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        before, record = 0, 0
        try:
            for row in reader:
                yield row
                before, record = reader.line_num, record + 1
        except csv.Error as problem:
            raise _refusal(str(problem), path, encoding, delimiter, before, record) from None


def find_delimiter(path: Path, encoding: str, asked: str | None, hint: ColumnsHint) -> tuple[str, Question | None]:
    """The delimiter, by which header is known and which rows are of one length; several that fit equally well are asked about."""
    if asked is not None:
        return known_delimiter(asked), None
    with path.open(encoding=encoding, newline="") as file:
        lines = list(io.StringIO(file.read(_SAMPLE), newline=""))
        whole = not file.read(1)
    named = _SEPARATOR_LINE.fullmatch(lines[0])
    if named:
        return named[1], None
    tables = {delimiter: _table(lines, delimiter, whole) for delimiter in DELIMITERS}
    known = {delimiter: most_known(rows, hint) for delimiter, rows in tables.items()}
    best = [delimiter for delimiter in DELIMITERS if known[delimiter] == max(known.values()) and _widest(tables[delimiter]) > 1]
    fitting = _fitting({delimiter: tables[delimiter] for delimiter in best})
    if len(fitting) < 2:
        return (fitting or best or [","])[0], None
    rows = tables[fitting[0]]
    why = _("The first line can be parted in several ways: %(line)s", line=" ".join(lines[0].split())[:120] if rows else "")
    return fitting[0], Question("delimiter", tuple(_NAMES.get(delimiter, delimiter) for delimiter in fitting), why)


def known_delimiter(asked: str) -> str:
    """The character that ``asked`` names, such as ``tab``. Raises ``FileRefused``."""
    delimiter = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(asked.lower(), asked)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0 ':
        raise FileRefused("wrong_delimiter", _("“%(asked)s” can't part columns. Give one character, or “tab”.", asked=asked[:20]))
    return delimiter


def _table(lines: list[str], delimiter: str, whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in itertools.islice(csv.reader(lines, delimiter=delimiter), _ROWS) if any(row))
    except csv.Error:
        return rows
    return rows if whole or len(rows) < 2 or len(rows) == _ROWS else rows[:-1]


def _widest(rows: list[list[str]]) -> int:
    return max(map(len, rows), default=0)


def _fitting(tables: dict[str, list[list[str]]]) -> list[str]:
    """Delimiters that part the first row into as many cells as most others; among several, those that do so for every row."""
    widths = {delimiter: [len(row) for row in rows] for delimiter, rows in tables.items()}
    usual = {delimiter: Counter(counts).most_common(1)[0][0] for delimiter, counts in widths.items()}
    parting = [delimiter for delimiter, counts in widths.items() if counts[0] > 1]
    steady = [delimiter for delimiter in parting if usual[delimiter] == widths[delimiter][0]] or parting
    whole = [delimiter for delimiter in steady if not _tears_quotes(tables[delimiter])] or steady
    always = [delimiter for delimiter in whole if set(widths[delimiter]) == {usual[delimiter]}]
    return always or whole or [delimiter for delimiter, count in usual.items() if count > 1]


def _tears_quotes(rows: list[list[str]]) -> bool:
    """Whether a quoted cell was parted: its halves hold one quotation mark each."""
    return any(cell.count('"') % 2 for row in rows for cell in row)


def _refusal(problem: str, path: Path, encoding: str, delimiter: str, lines_before: int, record: int) -> FileRefused:
    line = lines_before + 1
    if "field larger" in problem:
        with path.open(encoding=encoding, newline="") as file:
            column = _large_column(itertools.islice(file, lines_before, None), delimiter)
        return FileRefused(
            "cell_too_large",
            _(
                "Record %(record)d, column %(column)d (line %(line)d): more than %(count)d characters. Is a quotation mark not closed?",
                record=record,
                column=column,
                line=line,
                count=limits.CELL_CHARACTERS,
            ),
        )
    if "unexpected end" in problem:
        return FileRefused("unclosed_quote", _("A quotation mark is opened in the record on line %(line)d and never closed.", line=line))
    return FileRefused(
        "stray_quote",
        _(
            "In the record that begins on line %(line)d, text follows a closing quotation mark. A quotation mark inside a cell is doubled.",
            line=line,
        ),
    )


def _large_column(lines: Iterator[str], delimiter: str) -> int:
    pieces = re.compile(f'"|{re.escape(delimiter)}|[^"{re.escape(delimiter)}]+')
    column, length, quoted = 1, 0, False
    for line in lines:
        for piece in pieces.findall(line):
            if piece == '"':
                quoted = not quoted
            elif piece == delimiter and not quoted:
                column, length = column + 1, 0
            else:
                length += len(piece)
                if length > limits.CELL_CHARACTERS:
                    return column
    return column
