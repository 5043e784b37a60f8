"""The first look at a file: how it is read, which column is which, and what only a person can say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.source import FileOptions, Inspection, inspect
from regulars_core.exchange.mapping import match_columns
from regulars_core.exchange.models import ImportRun
from regulars_core.exchange.options import ImportOptions
from regulars_plugin_api.exchange import ColumnType, Importer
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import masked


def look(run: ImportRun, importer: Importer, options: ImportOptions) -> tuple[Inspection, dict[str, str]]:
    """How the file of a run is read, and which column each of its headings means. Raises ``FileRefused``."""
    types = {column.name: column.type for column in importer.columns}
    mapping: dict[str, str] = {}

    def column_types(header: tuple[str, ...]) -> dict[str, ColumnType]:
        mapping.clear()
        mapping.update(match_columns(header, importer.columns, options.mapping))
        return {heading: types[column] for heading, column in mapping.items()}

    file_options = FileOptions(options.encoding, options.delimiter, options.sheet, options.date_order, options.decimal)
    inspection = inspect(Path(run.file_path), file_options, column_types)
    absent = sorted(options.mapping.keys() - set(inspection.header))
    if absent:
        headings = ", ".join(inspection.header[:50])
        message = _("The file has no column %(absent)s. Its columns are: %(headings)s.", absent=", ".join(absent), headings=headings)
        raise FileRefused("unknown_heading", message)
    return inspection, mapping


def open_questions(inspection: Inspection, options: ImportOptions) -> list[dict[str, Any]]:
    """What is still open: how the file is read, then which columns it has, then what its dates and numbers mean."""
    asked = [{"option": q.option, "choices": list(q.choices), "why": masked(str(q.why))} for q in inspection.questions]
    of_table = [question for question in asked if question["option"] in ("encoding", "delimiter", "sheet")]
    if not options.look_first or of_table:
        return of_table or asked
    samples = [[masked(value) for value in values_] for values_ in inspection.samples]
    return [{"option": "mapping", "choices": [], "why": str(_("Which column is which?")), "samples": samples}]


def check_columns(inspection: Inspection, mapping: dict[str, str], importer: Importer) -> None:
    """Raise ``FileRefused`` where a column is missing that the importer needs, or none is known."""
    headings = ", ".join(inspection.header[:50])
    if missing := missing_columns(mapping, importer):
        raise FileRefused(
            "missing_column",
            _("The file lacks the column %(columns)s. Its columns are: %(headings)s.", columns=", ".join(missing), headings=headings),
        )
    if not mapping:
        known = ", ".join(column.name for column in importer.columns)
        raise FileRefused("missing_column", _("No column of the file is known. Known are: %(known)s.", known=known))


def missing_columns(mapping: Mapping[str, str], importer: Importer) -> list[str]:
    """Columns an importer can't do without that no heading is mapped to."""
    return [column.name for column in importer.columns if column.required and column.name not in mapping.values()]
