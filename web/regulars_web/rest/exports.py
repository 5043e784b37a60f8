"""``/exports``: ask for a file, come back for it when it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, send_file, url_for
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_core.customers.filter import compiler
from regulars_core.exchange import export_desk, kinds
from regulars_core.exchange.models import ExportRun, ExportState
from regulars_plugin_api.errors import Forbidden, NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import PageQuery, Place, RestBlueprint, RestSchema, page_of, page_schema
from regulars_plugin_api.web import access, current_viewer
from regulars_web.gate import SIGNED_IN
from regulars_web.running import crm_here

exports = RestBlueprint("exports", __name__, description="Files on their way out.")
BY_ID = Place(int)
FILE = {"type": "string", "format": "binary"}
TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}


class ExportSchema(RestSchema):
    """An export: what, in which format, and how far it has come. Its file is kept for a day."""

    id = fields.Integer(required=True, dump_only=True)
    kind = fields.String(required=True, validate=validate.Length(1, 64), metadata={"example": "customer"})
    format = fields.String(load_default="csv", validate=validate.OneOf(list(TYPES)))
    filter = fields.Dict(allow_none=True, attribute="where", metadata={"description": "A filter of the filter language."})
    state = fields.Enum(ExportState, by_value=True, required=True, dump_only=True)
    written = fields.Integer(required=True, dump_only=True)
    trouble = fields.String(allow_none=True, dump_only=True)
    created_at = fields.DateTime(required=True, dump_only=True)
    finished_at = fields.DateTime(allow_none=True, dump_only=True)


@exports.route("")
@access(SIGNED_IN)
@exports.arguments(PageQuery, location="query")
@exports.response(200, page_schema(ExportSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """Your exports, newest first."""
    before = BY_ID.read(query.get("cursor"))
    found = export_desk.listed(session, _me(), before=before[0] if before else None, limit=query["limit"] + 1)
    return page_of(found, query["limit"], lambda last: BY_ID.cursor(last.id))


@exports.route("", methods=("POST",))
@access(SIGNED_IN)
@exports.arguments(ExportSchema)
@exports.response(202, ExportSchema)
def start(given: dict[str, Any], session: Session) -> Any:
    """Ask for an export. The worker writes it; ask `Location` how far it has come."""
    if given.get("where") is not None:
        compiler(crm_here()).compile(given["where"])
    run_id = export_desk.start(crm_here(), current_viewer(), given["kind"], given["format"], given.get("where"), session=session)
    return export_desk.get(session, _me(), run_id), {"Location": url_for("rest-exports.show", run_id=run_id)}


@exports.route("/<run:run_id>")
@access(SIGNED_IN)
@exports.response(200, ExportSchema)
def show(session: Session, run_id: int) -> Any:
    """How far an export of yours has come."""
    return export_desk.get(session, _me(), run_id)


@exports.route("/<run:run_id>/file")
@access(SIGNED_IN)
@exports.response(200, FILE, content_type=TYPES["csv"])
@exports.alt_response(200, schema=FILE, content_type=TYPES["xlsx"], success=True)
@exports.alt_response(200, schema=FILE, content_type=TYPES["jsonl"], success=True)
def download(session: Session, run_id: int) -> Response:
    """The file, while you may still export what is in it."""
    run = export_desk.get(session, _me(), run_id)
    if not current_viewer().may(kinds.exporter_of(crm_here(), run.kind).permission):
        raise Forbidden
    path = _file(run)
    return send_file(path, TYPES[run.format], as_attachment=True, download_name=f"{run.kind}-{run.id}.{run.format}")


def _me() -> int:
    return current_viewer().user_id or 0


def _file(run: ExportRun) -> Path:
    path = Path(run.file_path).absolute() if run.file_path else None
    if path is None or not path.exists():
        raise NotFound(_("There is no file: it is not written yet, or its day is over."))
    return path
