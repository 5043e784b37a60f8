"""``/imports``: files on their way in."""

from __future__ import annotations

import tempfile
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

from flask import Response, send_file, url_for
from flask_smorest.fields import Upload
from marshmallow import fields, validate
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from regulars_core.exchange import desk, kinds, runs
from regulars_core.exchange.models import ImportRun, RunState
from regulars_core.exchange.options import ImportOptions
from regulars_core.exchange.report import report, verdict
from regulars_plugin_api.errors import Forbidden, InvalidInput
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import PageQuery, Place, RestBlueprint, RestSchema, json_of, page_of, page_schema
from regulars_plugin_api.web import access, current_viewer
from regulars_web.gate import takes_files
from regulars_web.pages.imports import FILE_BYTES
from regulars_web.running import crm_here

imports = RestBlueprint("imports", __name__, description="Files on their way in.")
BY_ID = Place(int)
OPTIONS = frozenset(field.name for field in fields_of(ImportOptions)) - {"mapping"}
FILE = {"type": "string", "format": "binary"}


def _text(**options: Any) -> Any:
    return fields.String(validate=validate.Length(1, 100), **options)


class AnswersSchema(RestSchema):
    """What a person says about a file; what is left out is found out, or asked for."""

    encoding = _text()
    delimiter = _text()
    sheet = _text()
    date_order = fields.String(validate=validate.OneOf(["dmy", "mdy", "ymd"]))
    decimal = fields.String(validate=validate.OneOf([",", "."]))
    country = _text(metadata={"description": "Of phone numbers, ISO 3166."})
    timezone = _text()
    source = _text(metadata={"description": "Whose numbers the external ids are; `import` if you leave it out."})
    mode = fields.String(validate=validate.OneOf(["create", "update", "upsert"]))


class UploadSchema(AnswersSchema):
    """A file and what it holds."""

    file = Upload(required=True)
    kind = fields.String(required=True, validate=validate.Length(1, 64), metadata={"example": "customer"})
    mapping = fields.String(metadata={"description": "JSON: heading of the file -> column, or null to leave it out."})
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Write nothing; say what would happen."})


class RunSchema(RestSchema):
    """A line in the list of imports."""

    run = fields.Integer(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in RunState]))
    verdict = fields.String(required=True, validate=validate.OneOf(["accept", "partial", "ask", "reject"]))
    dry_run = fields.Boolean(required=True)
    file = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    finished_at = fields.DateTime(allow_none=True)
    records = fields.Integer(required=True)
    created = fields.Integer(required=True)
    updated = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    merged = fields.Integer(required=True)


class RejectSchema(RestSchema):
    """A record that was not taken."""

    record = fields.Integer(required=True)
    field = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class ReportSchema(RunSchema):
    """What has become of a file. The counts add up to `records`."""

    rejected = fields.List(fields.Nested(RejectSchema), required=True)
    questions = fields.List(fields.Dict(), required=True, metadata={"description": "What has to be answered before it goes on."})
    notes = fields.List(fields.Dict(), required=True, metadata={"description": "Oddities that stopped no record."})
    kept = fields.List(fields.Raw(), required=True, metadata={"description": "What undoing left, as somebody had changed it since."})


@imports.route("")
@access("imports.run")
@imports.arguments(PageQuery, location="query")
@imports.response(200, page_schema(RunSchema))
def listed(query: dict[str, Any], session: Session) -> Any:
    """Imports of the kinds you may import, newest first."""
    before = BY_ID.read(query.get("cursor"))
    found = desk.listed(session, before=before[0] if before else None, limit=query["limit"] + 1, kinds=_allowed())
    body, headers = page_of(found, query["limit"], lambda last: BY_ID.cursor(last.id))
    return body | {"items": [_about(run) for run in body["items"]]}, headers


@imports.route("", methods=("POST",))
@access("imports.run")
@takes_files(FILE_BYTES)
@imports.arguments(UploadSchema, location="multipart")
@imports.response(202, ReportSchema)
def start(given: dict[str, Any]) -> Any:
    """Give a file. The worker imports it; ask `Location` what has become of it.

    The same file with the same options is taken up once while it is under way.
    """
    kind, file = given["kind"], given["file"]
    if not current_viewer().may(kinds.importer_of(crm_here(), kind).permission):
        raise Forbidden
    chosen: dict[str, Any] = {name: given[name] for name in OPTIONS & given.keys()}
    options = ImportOptions(mapping=_mapping(given.get("mapping")), **chosen)
    name = (file.filename or "file").replace("\\", "/").rpartition("/")[2][:200]
    with tempfile.TemporaryDirectory(dir=crm_here().config.home) as folder:
        path = Path(folder) / (secure_filename(name) or "file")
        FileStorage.save(file, path)
        run_id = runs.start(crm_here(), kind, path, options, actor=current_viewer(), dry_run=given["dry_run"], name=name)
    with crm_here().read() as session:
        return _report(session, run_id), {"Location": url_for("rest-imports.show", run_id=run_id)}


@imports.route("/<run:run_id>")
@access("imports.run")
@imports.response(200, ReportSchema)
def show(session: Session, run_id: int) -> Any:
    """What has become of a file."""
    _mine(session, run_id)
    return _report(session, run_id)


@imports.route("/<run:run_id>/answer", methods=("POST",))
@access("imports.run")
@imports.arguments(AnswersSchema)
@imports.response(202, ReportSchema)
def answer(given: dict[str, Any], run_id: int) -> Any:
    """Answer what the file left open; it goes on."""
    with crm_here().read() as session:
        _mine(session, run_id)
    runs.answer(crm_here(), run_id, given)
    with crm_here().read() as session:
        return _report(session, run_id)


@imports.route("/<run:run_id>/undo", methods=("POST",))
@access("imports.run")
@imports.response(202, ReportSchema)
def undo(run_id: int) -> Any:
    """Take an import back. What somebody has changed since is kept and listed."""
    with crm_here().read() as session:
        _mine(session, run_id)
    desk.ask_undo(crm_here(), run_id, current_viewer())
    with crm_here().read() as session:
        return _report(session, run_id)


@imports.route("/<run:run_id>/rejects")
@access("imports.run")
@imports.response(200, FILE, content_type="text/csv")
def rejects(session: Session, run_id: int) -> Response:
    """The rejected records with their reasons, to be put right and imported again."""
    _mine(session, run_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the answer
    desk.write_rejects(session, run_id, file)
    file.seek(0)
    return send_file(file, "text/csv", as_attachment=True, download_name=f"rejected-{run_id}.csv")


def _allowed() -> list[str]:
    return [importer.kind for importer in kinds.importers(crm_here()).values() if current_viewer().may(importer.permission)]


def _mine(session: Session, run_id: int) -> ImportRun:
    run = runs.get(session, run_id)
    if run.kind not in _allowed():
        raise Forbidden
    return run


def _about(run: ImportRun) -> dict[str, Any]:
    counts = {name: getattr(run, name) for name in ("created", "updated", "unchanged", "merged")}
    return counts | {
        "run": run.id,
        "kind": run.kind,
        "state": run.state.value,
        "verdict": verdict(run),
        "dry_run": run.dry_run,
        "file": run.file_name,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "records": sum(counts.values()) + run.rejected,
    }


def _report(session: Session, run_id: int) -> dict[str, Any]:
    run = runs.get(session, run_id)
    return _about(run) | report(session, run) | {"kept": run.kept}


def _mapping(text: str | None) -> dict[str, str | None]:
    found = json_of(text, "mapping") if text is not None else {}
    if not isinstance(found, dict) or not all(isinstance(one, str | None) for one in found.values()):
        raise InvalidInput(mapping=_("The mapping is a JSON object: heading -> column, or null to leave it out."))
    return found
