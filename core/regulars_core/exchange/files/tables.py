"""One way to get at the rows of a file, whatever its format."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from regulars_core.exchange.files import delimited, jsonl
from regulars_core.exchange.files.encodings import find_encoding
from regulars_core.exchange.files.formats import is_json_lines, kind_of
from regulars_core.exchange.files.header import HEADER_WITHIN, checked_header, header_position, names_separator
from regulars_core.exchange.files.problems import FileRefused, Question
from regulars_core.exchange.files.rows import ColumnsHint, FlawedRow
from regulars_core.exchange.files.sheet import SheetReader
from regulars_core.exchange.files.workbook import Workbook
from regulars_plugin_api.i18n import Text, _


@dataclass(frozen=True)
class Table:
    """Where a file's records are: how it is read, which of its rows (from 0) names the columns, and how wide that row is.

    JSON lines have no such row (-1). ``width`` is None where a row may be shorter than the header.
    """

    format: Literal["csv", "tsv", "xlsx", "jsonl"]
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: tuple[str, ...] = ()
    header_row: int = -1
    width: int | None = None

    def rows(self, path: Path) -> Iterator[list[str]]:
        """The rows below the header."""
        return itertools.islice(self.all_rows(path), self.header_row + 1, None)

    def all_rows(self, path: Path) -> Iterator[list[str]]:
        """All rows, the header among them."""
        if self.format == "xlsx":
            return self._sheet_rows(path)
        if self.format == "jsonl":
            return jsonl.read_rows(path, self.encoding or "utf-8", self.header)
        return delimited.read_rows(path, self.encoding or "utf-8", self.delimiter or ",")

    def _sheet_rows(self, path: Path) -> Iterator[list[str]]:
        with Workbook(path) as workbook:
            reader = SheetReader(workbook, next(sheet for sheet in workbook.sheets if sheet.name == self.sheet))
            yield from reader.rows()
            merged = reader.merged_below(reader.row_numbers[self.header_row]) if reader.row_numbers else None
            if merged is not None:
                raise FileRefused(
                    "merged_cells",
                    _(
                        "The cells %(range)s are merged, so that only the first has a value. Undo the merging and fill every cell.",
                        range=merged,
                    ),
                )


def find_table(
    path: Path, encoding: str | None, delimiter: str | None, sheet: str | None, hint: ColumnsHint
) -> tuple[Table, list[Question], list[Text]]:
    """Find out how a file is read. Where that has to be asked, the table is the likeliest one."""
    if kind_of(path) == "xlsx":
        table, questions, notes = _workbook_table(path, sheet)
    else:
        table, questions, notes = _text_table(path, encoding, delimiter, hint)
    if table.format == "jsonl":
        return replace(table, header=checked_header(jsonl.keys_in(path, table.encoding or "utf-8"))), questions, notes
    first_rows = list(itertools.islice(table.all_rows(path), HEADER_WITHIN))
    position = header_position(first_rows, hint)
    row = first_rows[position]
    if isinstance(row, FlawedRow):
        raise FileRefused("bad_header", _("The header can't be read: %(why)s", why=next(iter(row.flaws.values())).message))
    if any(any(above) and not names_separator(above) for above in first_rows[:position]):
        notes.append(_("The header was found in row %(row)d; what stands above it is left out.", row=position + 1))
    width = None if table.format == "xlsx" else len(row)
    return replace(table, header=checked_header(row), header_row=position, width=width), questions, notes


def _text_table(path: Path, encoding: str | None, delimiter: str | None, hint: ColumnsHint) -> tuple[Table, list[Question], list[Text]]:
    found = find_encoding(path, encoding)
    notes = [found.note] if found.note else []
    with path.open(encoding=found.name, newline="") as file:
        first_line = next((line for line in file if not line.isspace()), "")
    if is_json_lines(first_line):
        return Table("jsonl", found.name), [found.question] if found.question else [], notes
    mark, question = delimited.find_delimiter(path, found.name, delimiter, hint)
    return Table("tsv" if mark == "\t" else "csv", found.name, mark), [asked for asked in (found.question, question) if asked], notes


def _workbook_table(path: Path, asked: str | None) -> tuple[Table, list[Question], list[Text]]:
    with Workbook(path) as workbook:
        names = [sheet.name for sheet in workbook.sheets]
        if asked is not None:
            if asked not in names:
                raise FileRefused(
                    "unknown_sheet", _("There is no sheet “%(name)s”. There are: %(names)s.", name=asked[:60], names=", ".join(names)[:500])
                )
            return Table("xlsx", sheet=asked), [], []
        filled = [sheet for sheet in workbook.sheets if next(SheetReader(workbook, sheet).rows(), None) is not None]
    visible = [sheet.name for sheet in filled if not sheet.hidden]
    hidden = [sheet.name for sheet in filled if sheet.hidden]
    if not visible:
        raise FileRefused("empty_file", _("The workbook has no visible sheet with anything in it."))
    notes: list[Text] = [_("Hidden sheets are left out: %(names)s.", names=", ".join(hidden)[:500])] if hidden else []
    question = Question("sheet", tuple(visible), _("%(count)d sheets hold something.", count=len(visible)))
    return Table("xlsx", sheet=visible[0]), [question] if len(visible) > 1 else [], notes
