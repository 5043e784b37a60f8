"""A file that is to be imported: found out about as a whole, then read record by record."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from regulars_core.exchange.files.evidence import Evidence, Reading, date_question, decimal_question
from regulars_core.exchange.files.problems import Question
from regulars_core.exchange.files.records import RecordReader
from regulars_core.exchange.files.rows import ROWS_AT_ONCE, BadRecord, ColumnsHint, RawRecord
from regulars_core.exchange.files.scan import Scan
from regulars_core.exchange.files.tables import Table, find_table
from regulars_plugin_api.exchange import ColumnType
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.values import DateOrder, DecimalMark


@dataclass(frozen=True)
class FileOptions:
    """What a person said about a file; None is found out or asked."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    date_order: DateOrder | None = None
    decimal: DecimalMark | None = None


@dataclass(frozen=True)
class Inspection:
    """All there is to know of a file before its records are read. With ``questions`` open it can only be shown, not read.

    ``table`` says how it is read (format, encoding, delimiter, sheet, header). ``types`` names the columns that will be imported.
    ``date_order`` is None if no date needs one. ``records`` counts all, ``bad_records`` those that can't be taken as they stand in the
    file. ``samples`` has up to five values of each column. ``sha256`` and ``size`` are those of the file's bytes.
    """

    table: Table
    types: Mapping[str, ColumnType]
    date_order: DateOrder | None
    decimal: DecimalMark
    records: int
    bad_records: int
    questions: tuple[Question, ...]
    notes: tuple[Text, ...]
    samples: tuple[tuple[str, ...], ...]
    size: int
    sha256: str

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, as they stand in the file."""
        return self.table.header


def inspect(path: Path, options: FileOptions | None = None, columns_hint: ColumnsHint | None = None) -> Inspection:
    """Read a whole file and say what it is, what has to be asked, and what is odd. Raises ``FileRefused``; memory stays flat."""
    asked, hint = options or FileOptions(), columns_hint or _no_hint
    table, questions, notes = find_table(path, asked.encoding, asked.delimiter, asked.sheet, hint)
    types = hint(table.header)
    scan = Scan(path, table, types)
    date_order = _settled(asked.date_order, scan.dates, notes)
    decimal = _settled(asked.decimal, scan.numbers, notes)
    if date_order is None and scan.dates.is_open():
        questions.append(date_question(scan.dates))
    if decimal is None and scan.numbers.is_open():
        questions.append(decimal_question(scan.numbers))
    if scan.blank:
        notes.append(_("Blank rows left out: %(count)d.", count=scan.blank))
    if not scan.records:
        notes.append(_("The file has a header and no records."))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Inspection(
        table=table,
        types=types,
        date_order=date_order,
        decimal=decimal or ".",
        records=scan.records,
        bad_records=scan.bad,
        questions=tuple(questions),
        notes=tuple(notes),
        samples=tuple(map(tuple, scan.samples)),
        size=path.stat().st_size,
        sha256=digest,
    )


def read_records(path: Path, inspection: Inspection, *, skip: int = 0) -> Iterator[RawRecord | BadRecord]:
    """The records after number ``skip``, one after the other; memory stays flat.

    Cells are text as it stands in the file, formulas' apostrophes taken off; numbers and days of a workbook are written in the
    inspection's decimal mark and year first. Asking for records while a question is open is an error.
    """
    if inspection.questions:
        raise ValueError("a file with open questions can't be read")
    reader = RecordReader(inspection.table, inspection.types, inspection.decimal)
    filled = itertools.islice((row for row in inspection.table.rows(path) if any(row) or type(row) is not list), skip, None)
    while rows := list(itertools.islice(filled, ROWS_AT_ONCE)):
        yield from reader.read_all(skip + 1, rows)
        skip += len(rows)


def _no_hint(_header: tuple[str, ...]) -> Mapping[str, ColumnType]:
    return {}


def _settled(asked: Reading | None, evidence: Evidence[Reading], notes: list[Text]) -> Reading | None:
    reading = asked or evidence.settled()
    odd = evidence.contradicting(reading) if reading else None
    if odd is not None:
        notes.append(_("Some values, such as “%(value)s”, do not fit the way the others are read. Their records are rejected.", value=odd))
    return reading
