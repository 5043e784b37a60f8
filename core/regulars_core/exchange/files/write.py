"""Files on their way out: row by row, with flat memory, and so that they come back in unchanged."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.formulas import neutralised
from regulars_core.exchange.files.problems import FileRefused
from regulars_plugin_api.i18n import _

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format

FileFormat = Literal["csv", "xlsx", "jsonl"]
Value = str | int | Decimal | dt.date | dt.datetime | None


class RowWriter(ABC):
    """Takes one row after the other, as wide as the columns."""

    @abstractmethod
    def write(self, row: Sequence[Value]) -> None:
        """Write a row. A ``Decimal`` or ``int`` is written as a number, an aware ``datetime`` with its offset, None as blank."""


@contextmanager
def open_writer(format: FileFormat, target: Path | BinaryIO, columns: Sequence[str]) -> Iterator[RowWriter]:
    """Write a file of ``columns``. A path gets the file when the block ends well, and nothing otherwise."""
    if isinstance(target, Path):
        part = target.with_name(f".{target.name}.part")
        try:
            with part.open("wb") as stream, _WRITERS[format](stream, columns) as writer:
                yield writer
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    else:
        with _WRITERS[format](target, columns) as writer:
            yield writer


@contextmanager
def _csv(stream: BinaryIO, columns: Sequence[str]) -> Iterator[RowWriter]:
    # With the mark Excel opens the file as UTF-8, not in the encoding of its country.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=False)
    try:
        yield _CsvWriter(text, columns)
    finally:
        text.flush()
        text.detach()


class _CsvWriter(RowWriter):
    def __init__(self, text: io.TextIOWrapper, columns: Sequence[str]) -> None:
        self._write = csv.writer(text, lineterminator="\r\n").writerow
        self._write([neutralised(column) for column in columns])

    def write(self, row: Sequence[Value]) -> None:
        self._write([neutralised(value) if isinstance(value, str) else _text(value) for value in row])


@contextmanager
def _jsonl(stream: BinaryIO, columns: Sequence[str]) -> Iterator[RowWriter]:
    yield _JsonWriter(stream, columns)


class _JsonWriter(RowWriter):
    def __init__(self, stream: BinaryIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._keys = [json.dumps(column, ensure_ascii=False) for column in columns]

    def write(self, row: Sequence[Value]) -> None:
        pairs = ", ".join(f"{key}: {_json(value)}" for key, value in zip(self._keys, row, strict=True))
        self._stream.write(f"{{{pairs}}}\n".encode())


@contextmanager
def _xlsx(stream: BinaryIO, columns: Sequence[str]) -> Iterator[RowWriter]:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    import xlsxwriter  # the slowest to import of all that web and worker rarely need

    with xlsxwriter.Workbook(stream, options) as workbook:
        yield _XlsxWriter(workbook, columns)


class _XlsxWriter(RowWriter):
    def __init__(self, workbook: xlsxwriter.Workbook, columns: Sequence[str]) -> None:
        self._workbook, self._columns = workbook, columns
        self._sheet = workbook.add_worksheet()
        self._formats: dict[str, Format] = {}
        self._row = 0
        self._sheet.freeze_panes(1, 0)
        self.write(columns)

    def write(self, row: Sequence[Value]) -> None:
        if self._row >= limits.XLSX_ROWS:
            raise FileRefused("too_many_rows", _("An XLSX sheet holds %(count)d rows. Export as CSV.", count=limits.XLSX_ROWS))
        for column, value in enumerate(row):
            if isinstance(value, (Decimal, int)) and len(Decimal(value).as_tuple().digits) <= 15:
                self._sheet.write_number(self._row, column, float(value), self._format(_number_format(Decimal(value))))
            elif isinstance(value, dt.date) and not isinstance(value, dt.datetime) and value.year >= 1901:
                self._sheet.write_datetime(self._row, column, value, self._format("yyyy-mm-dd"))
            elif value is not None and value != "":
                self._text(column, neutralised(value) if isinstance(value, str) else _text(value))
        self._row += 1

    def _text(self, column: int, text: str) -> None:
        if len(text) + sum(letter > "\uffff" for letter in text) > limits.XLSX_CELL_CHARACTERS:
            raise FileRefused(
                "cell_too_long",
                _(
                    "Row %(row)d, column %(column)s: a cell of an XLSX sheet holds %(count)d characters. Export as CSV.",
                    row=self._row + 1,
                    column=self._columns[column],
                    count=limits.XLSX_CELL_CHARACTERS,
                ),
            )
        if text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter takes such a text for markup of its own and writes it unescaped. It escapes three pieces or more.
            self._sheet.write_rich_string(self._row, column, *text[:2], text[2:])
        else:
            self._sheet.write_string(self._row, column, text)

    def _format(self, code: str) -> Format:
        return self._formats.get(code) or self._formats.setdefault(code, self._workbook.add_format({"num_format": code}))


def _number_format(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    return f"0.{'0' * -exponent}" if isinstance(exponent, int) and exponent < 0 else "0"


def _text(value: Value) -> str:
    if value is None:
        return ""
    return format(value, "f") if isinstance(value, Decimal) else value.isoformat() if isinstance(value, dt.date) else str(value)


def _json(value: Value) -> str:
    if value is None:
        return "null"
    return _text(value) if isinstance(value, (Decimal, int)) else json.dumps(_text(value), ensure_ascii=False)


_WRITERS = {"csv": _csv, "xlsx": _xlsx, "jsonl": _jsonl}
