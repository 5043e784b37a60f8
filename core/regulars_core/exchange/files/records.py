"""From rows to records: as many cells as there are columns, none of them unfit to be kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.formulas import restored
from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.rows import WHOLE_ROW, BadRecord, Flaw, FlawedRow, Number, RawRecord
from regulars_core.exchange.files.tables import Table
from regulars_plugin_api.exchange import ColumnType
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import DecimalMark

_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


class RecordReader:
    """Checks rows of a table one by one.

    Cells of columns without a type may hold what can't be taken, unless no column has one. With a decimal comma, numbers that a
    workbook or JSON holds as numbers are written with it, as the text beside them is.
    """

    def __init__(self, table: Table, types: Mapping[str, ColumnType], decimal: DecimalMark = ".") -> None:
        self._header, self._width, self._count = table.header, table.width, len(table.header)
        self._escaped = table.format != "jsonl"
        self._wanted = {at for at, name in enumerate(table.header) if name in types or not types}
        numbers = (at for at, name in enumerate(table.header) if types.get(name) is ColumnType.NUMBER)
        self._decimal_comma = tuple(numbers) if decimal == "," else ()

    def read_all(self, first: int, rows: Sequence[list[str]]) -> Sequence[RawRecord | BadRecord]:
        """The records in consecutive rows that are not blank, the first of them number ``first``."""
        # Looked at all at once, rows that need no second look cost a tenth.
        if (
            self._width == self._count
            and {self._width}.issuperset(map(len, rows))
            and {list}.issuperset(map(type, rows))
            and "'" not in "".join(map("".join, rows))
        ):
            return list(enumerate(rows, first))
        return [self.read(number, row) for number, row in enumerate(rows, first)]

    def read(self, number: int, row: list[str]) -> RawRecord | BadRecord:
        """The record in a row that is not blank."""
        if self._width is None or type(row) is not list:
            return self._loose(number, row)
        if len(row) != self._width or (self._width > self._count and any(row[self._count :])):
            return self._wrong_count(number, row)
        cells = row if self._width == self._count else row[: self._count]
        # One look at the whole row is cheaper than one at each cell, and few rows hold an apostrophe.
        return number, [restored(cell) for cell in cells] if "'" in "".join(cells) else cells

    def _loose(self, number: int, row: list[str]) -> RawRecord | BadRecord:
        """Rows of workbooks and JSON lines: what is missing at the end is blank, and numbers are numbers."""
        if isinstance(row, FlawedRow):
            at = next((at for at in sorted(row.flaws) if at == WHOLE_ROW or at in self._wanted), None)
            if at is not None:
                return self._bad(number, row, row.flaws[at], at)
        if any(row[self._count :]):
            return self._bad(number, row, Flaw("wrong_cell_count", _("There is text beyond the last column that has a name.")))
        for at in self._decimal_comma:
            if at < len(row) and isinstance(row[at], Number):
                row[at] = row[at].replace(".", ",")
        joined = "".join(row)
        if not joined.isprintable():
            unfit = next((at for at, cell in enumerate(row) if _UNKEEPABLE.search(cell)), None)
            if unfit is not None:
                return self._bad(number, row, Flaw("control_character", _("There is a character that is no text.")), unfit)
        if len(joined) > limits.CELL_CHARACTERS:
            self._check_lengths(number, row)
        cells = [restored(cell) if self._escaped and cell[:1] == "'" else str(cell) for cell in row[: self._count]]
        return number, cells + [""] * (self._count - len(cells))

    def _wrong_count(self, number: int, row: list[str]) -> BadRecord:
        message = _("The record has %(found)d cells; the header has %(count)d.", found=len(row), count=self._count)
        return self._bad(number, row, Flaw("wrong_cell_count", message))

    def _check_lengths(self, number: int, row: list[str]) -> None:
        for column, cell in enumerate(row, 1):
            if len(cell) > limits.CELL_CHARACTERS:
                message = _(
                    "Record %(record)d, column %(column)d holds more than %(count)d characters.",
                    record=number,
                    column=column,
                    count=limits.CELL_CHARACTERS,
                )
                raise FileRefused("cell_too_large", message)

    def _bad(self, number: int, row: list[str], flaw: Flaw, at: int = WHOLE_ROW) -> BadRecord:
        cells = tuple(_UNKEEPABLE.sub("\ufffd", restored(cell) if self._escaped else str(cell)) for cell in row)
        column = self._header[at] if 0 <= at < self._count else ""
        return BadRecord(number, flaw.code, flaw.message, column, cells)
