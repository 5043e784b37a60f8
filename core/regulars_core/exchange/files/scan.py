"""One pass over all records of a file before any is imported: how many, which can't be taken, what their values prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.evidence import Evidence, weigh_date, weigh_number
from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.records import RecordReader
from regulars_core.exchange.files.rows import ROWS_AT_ONCE, BadRecord, Number
from regulars_core.exchange.files.tables import Table
from regulars_plugin_api.exchange import ColumnType
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import DateOrder, DecimalMark

_SAMPLES = 5
_SAMPLED = 1000
_DISTINCT = 20_000
_DAY_LENGTH = 12  # Long enough for a day and what follows it; the time of day would make every value a different one.
_NUMBER_LENGTH = 40


class Scan:
    """What a pass over a table's records found."""

    def __init__(self, path: Path, table: Table, types: Mapping[str, ColumnType]) -> None:
        self.records = self.bad = self.blank = 0
        self.dates: Evidence[DateOrder] = Evidence()
        self.numbers: Evidence[DecimalMark] = Evidence()
        self.samples: list[list[str]] = [[] for _name in table.header]
        kinds = [types.get(name) for name in table.header]
        self._date_columns = [at for at, kind in enumerate(kinds) if kind in (ColumnType.DATE, ColumnType.DATETIME)]
        self._number_columns = [at for at, kind in enumerate(kinds) if kind is ColumnType.NUMBER]
        self._seen_dates: set[str] = set()
        self._seen_numbers: set[str] = set()
        self._run(path, table, types)
        self._weigh()

    def _run(self, path: Path, table: Table, types: Mapping[str, ColumnType]) -> None:
        reader, rows = RecordReader(table, types), table.rows(path)
        while chunk := list(islice(rows, ROWS_AT_ONCE)):
            filled = [row for row in chunk if any(row) or type(row) is not list]
            self.blank += len(chunk) - len(filled)
            good, first = [], self.records + 1
            for row, record in zip(filled, reader.read_all(first, filled), strict=True):
                if not isinstance(record, BadRecord):
                    good.append(row)
                    if first < _SAMPLED:
                        self._sample(record[1])
            self.records += len(filled)
            self.bad += len(filled) - len(good)
            self._collect(good)
            if self.records > limits.RECORDS:
                raise FileRefused("too_many_records", _("There are more than %(count)d records. Split the file.", count=limits.RECORDS))

    def _sample(self, cells: list[str]) -> None:
        """Keep what is not blank."""
        for values, cell in zip(self.samples, cells, strict=True):
            if cell and len(values) < _SAMPLES:
                values.append(cell)

    def _collect(self, rows: Sequence[list[str]]) -> None:
        """Keep what dates and numbers look like, each look once."""
        for at in self._date_columns:
            self._seen_dates.update([row[at][:_DAY_LENGTH] for row in rows if at < len(row)])
        for at in self._number_columns:
            self._seen_numbers.update([row[at][:_NUMBER_LENGTH] for row in rows if at < len(row) and type(row[at]) is not Number])
        if len(self._seen_dates) > _DISTINCT or len(self._seen_numbers) > _DISTINCT:
            self._weigh()

    def _weigh(self) -> None:
        for value in self._seen_dates:
            weigh_date(value, self.dates)
        for value in self._seen_numbers:
            weigh_number(value, self.numbers)
        self._seen_dates.clear()
        self._seen_numbers.clear()
