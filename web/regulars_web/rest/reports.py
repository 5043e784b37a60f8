"""``/reports``: what can be asked, and the answer as a table."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from regulars_plugin_api.contributions import FieldType
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import RestBlueprint, RestSchema, json_of
from regulars_plugin_api.web import access, current_viewer
from regulars_web import reports as running
from regulars_web.gate import SIGNED_IN
from regulars_web.running import crm_here
from regulars_web.schema_forms import kind_of

reports = RestBlueprint("reports", __name__, description="Named questions with a table for an answer.")


class ParameterSchema(RestSchema):
    """A parameter of a report."""

    name = fields.String(required=True)
    kind = fields.String(required=True)
    required = fields.Boolean(required=True)


class OfferedReportSchema(RestSchema):
    """A report: `definition` says what is counted and what is not."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    definition = fields.String(required=True)
    parameters = fields.List(fields.Nested(ParameterSchema), required=True)


class ReportsSchema(RestSchema):
    """The reports you may run."""

    items = fields.List(fields.Nested(OfferedReportSchema), required=True)


class RunQuery(RestSchema):
    """How to run it."""

    parameters = fields.String(
        validate=validate.Length(max=20_000), metadata={"description": "JSON object of its parameters.", "example": "{}"}
    )


class TableColumnSchema(RestSchema):
    """A column of the answer."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    type = fields.String(required=True, validate=validate.OneOf([one.value for one in FieldType]))


class TableSchema(RestSchema):
    """The answer. Money and other exact numbers are text."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    definition = fields.String(required=True)
    columns = fields.List(fields.Nested(TableColumnSchema), required=True)
    rows = fields.List(fields.List(fields.Raw(allow_none=True)), required=True)
    notes = fields.List(fields.String(), required=True)


@reports.route("")
@access(SIGNED_IN)
@reports.response(200, ReportsSchema)
def listed() -> Any:
    """The reports you may run."""
    return {"items": [_described(one) for one in running.offered(crm_here(), current_viewer())]}


@reports.route("/<name>")
@access(SIGNED_IN)
@reports.arguments(RunQuery, location="query")
@reports.response(200, TableSchema)
def run(query: dict[str, Any], name: str) -> Any:
    """Run a report."""
    given = json_of(query["parameters"], "parameters") if "parameters" in query else {}
    if not isinstance(given, dict):
        raise InvalidInput(parameters=_("An object is needed here."))
    chosen = running.find(crm_here(), current_viewer(), name)
    return running.document(chosen.report, running.run(crm_here(), current_viewer(), chosen, given))


def _described(one: running.Offered) -> dict[str, Any]:
    parameters = [{"name": key, "kind": kind_of(field), "required": field.required} for key, field in one.schema.fields.items()]
    return {"name": one.report.name, "title": one.report.title, "definition": one.report.definition, "parameters": parameters}
