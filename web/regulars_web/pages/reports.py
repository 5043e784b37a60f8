"""Reports: what can be asked, a form for the parameters of one, its table and the table as a file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from regulars_plugin_api.errors import InvalidInput, PluginFailed
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web import reports
from regulars_web.gate import SIGNED_IN
from regulars_web.running import crm_here
from regulars_web.schema_forms import default_of, form_field, given_in, plain

pages = Blueprint("reports", __name__)
MOST_ROWS = 500


@pages.get("/reports")
@access(SIGNED_IN)
def page() -> str:
    """The reports the viewer may run."""
    return render("reports.html", offered=reports.offered(crm_here(), current_viewer()))


@pages.get("/reports/<name>")
@access(SIGNED_IN)
def show(name: str) -> ResponseReturnValue:
    """The form of its parameters, and the table once they are given or when it needs none."""
    chosen = reports.find(crm_here(), current_viewer(), name)
    fields = chosen.schema.fields
    is_asked = "run" in request.args or not fields
    given, table, wrong, failure = _given(fields), None, {}, None
    if is_asked:
        try:
            table = reports.run(crm_here(), current_viewer(), chosen, given)
        except InvalidInput as refusal:
            wrong, failure = dict(refusal.fields), None if refusal.fields else refusal.message
        except PluginFailed as broken:
            failure = broken.message
    shown = [form_field(key, one, request.args.get(key, plain(default_of(one)))) for key, one in fields.items()]
    values = {"report": chosen.report, "fields": shown, "table": table, "most": MOST_ROWS, "wrong": wrong, "failure": failure}
    address = {key: value for key, value in request.args.items() if key in fields}
    return render("report.html", formats=[form for form in reports.FORMATS if form != "html"], address=address, **values), (
        422 if wrong else 502 if failure else 200
    )


@pages.get("/reports/<name>/file.<form>")
@access(SIGNED_IN)
def file(name: str, form: str) -> Response:
    """The table as a file."""
    if form not in reports.FORMATS:
        raise NotFound
    chosen = reports.find(crm_here(), current_viewer(), name)
    table = reports.run(crm_here(), current_viewer(), chosen, _given(chosen.schema.fields))
    answer = Response(reports.written(chosen.report, table, form), mimetype=reports.FORMATS[form])
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{form}")
    return answer


def _given(fields: Any) -> dict[str, Any]:
    found = {key: given_in(request.args, key, field) for key, field in fields.items()}
    return {key: value for key, value in found.items() if value is not None}
