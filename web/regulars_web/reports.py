"""Reports of plugins: which there are for a viewer, running one, and its table as a file. For pages, REST and the command line."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import marshmallow
from markupsafe import Markup

from regulars_core.crm import Crm
from regulars_core.exchange.files.write import open_writer
from regulars_plugin_api.contributions import Report, Table
from regulars_plugin_api.errors import InvalidInput, NotFound, PluginFailed, RegularsError
from regulars_plugin_api.hookspecs import data as hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import Viewer
from regulars_web.schema_forms import by_field

PATIENCE = 30.0
"""Seconds a page waits for a report: somebody asked for it."""
FORMATS: Mapping[str, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}


@dataclass(frozen=True)
class Offered:
    """A report and the plugin that offers it."""

    plugin: str
    report: Report

    @property
    def schema(self) -> marshmallow.Schema:
        """A fresh schema of its parameters."""
        return self.report.parameters(unknown=marshmallow.RAISE)


def offered(crm: Crm, viewer: Viewer) -> list[Offered]:
    """The reports that the viewer may run, by title."""
    found = [Offered(plugin, one) for plugin, reports in crm.bus.each(hooks.reports) for one in reports]
    mine = [one for one in found if viewer.may(one.report.permission) and one.report.name.startswith(f"{one.plugin}.")]
    return sorted(mine, key=lambda one: str(one.report.title).casefold())


def find(crm: Crm, viewer: Viewer, name: str) -> Offered:
    """The report of this name. Raises ``NotFound``, also where the viewer may not run it."""
    chosen = next((one for one in offered(crm, viewer) if one.report.name == name), None)
    if chosen is None:
        raise NotFound(_("There is no report named %(name)s.", name=name))
    return chosen


def run(crm: Crm, viewer: Viewer, chosen: Offered, given: Mapping[str, Any], *, patience: float = PATIENCE) -> Table:
    """Run a report. Raises ``InvalidInput`` by parameter, and ``PluginFailed`` where it fails, takes too long or answers no table."""
    report = chosen.report

    def asked() -> Table | RegularsError:
        try:
            values = chosen.schema.load(dict(given))
            with crm.read(viewer) as session:
                return _whole(report.run(session, values, viewer))
        except marshmallow.ValidationError as wrong:
            return InvalidInput(**by_field(wrong))
        except RegularsError as refusal:
            return refusal

    answer = crm.bus.guarded(chosen.plugin, f"report {report.name}", asked, patience)
    if isinstance(answer.value, RegularsError):
        raise answer.value
    if answer.value is None:
        raise PluginFailed(chosen.plugin, f"report {report.name}", answer.failure or "")
    return answer.value


def written(report: Report, table: Table, form: str) -> bytes:
    """The table as a file in one of ``FORMATS``. No formula is evaluated by whoever opens it."""
    if form == "json":
        return json.dumps(document(report, table), ensure_ascii=False, indent=2).encode()
    if form == "html":
        return _page(report, table).encode()
    file = io.BytesIO()
    with open_writer("csv" if form == "csv" else "xlsx", file, [str(column.title) for column in table.columns]) as writer:
        for row in table.rows:
            writer.write([_cell(value) for value in row])
    return file.getvalue()


def document(report: Report, table: Table) -> dict[str, Any]:
    """Report and table as JSON says them: money and other exact numbers as text."""
    return {
        "name": report.name,
        "title": str(report.title),
        "definition": str(report.definition),
        "columns": [{"name": one.name, "title": str(one.title), "type": one.type.value} for one in table.columns],
        "rows": [[_as_json(value) for value in row] for row in table.rows],
        "notes": [str(note) for note in table.notes],
    }


def _whole(table: Any) -> Table:
    if not isinstance(table, Table):
        raise TypeError(f"answered with {type(table).__name__}, not Table")
    if any(len(row) != len(table.columns) for row in table.rows):
        raise ValueError("a row is not as long as there are columns")
    return table


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, int | Decimal | dt.date) and not isinstance(value, bool)):
        return value
    return str(value)


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _page(report: Report, table: Table) -> str:
    head = Markup("").join(Markup("<th>{}</th>").format(str(column.title)) for column in table.columns)
    body = Markup("\n").join(Markup("<tr>{}</tr>").format(_cells(row)) for row in table.rows)
    notes = Markup("").join(Markup("<p>{}</p>").format(str(note)) for note in table.notes)
    page = Markup(
        "<!doctype html>\n<meta charset='utf-8'><title>{title}</title>\n<h1>{title}</h1>\n<p>{about}</p>\n"
        "<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n{notes}\n"
    )
    return page.format(title=str(report.title), about=str(report.definition), head=head, body=body, notes=notes)


def _cells(row: Sequence[Any]) -> Markup:
    shown = ("" if value is None else str(_as_json(value)) for value in row)
    return Markup("").join(Markup("<td>{}</td>").format(value) for value in shown)
