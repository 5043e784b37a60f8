"""Files on their way in and out: found out about, read record by record, written row by row. No database here."""

from regulars_core.exchange.files.problems import FileRefused, Question
from regulars_core.exchange.files.rows import BadRecord, ColumnsHint, RawRecord
from regulars_core.exchange.files.source import FileOptions, Inspection, inspect, read_records
from regulars_core.exchange.files.write import FileFormat, RowWriter, open_writer

__all__ = [
    "BadRecord",
    "ColumnsHint",
    "FileFormat",
    "FileOptions",
    "FileRefused",
    "Inspection",
    "Question",
    "RawRecord",
    "RowWriter",
    "inspect",
    "open_writer",
    "read_records",
]
