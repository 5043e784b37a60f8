"""Exports: ask for a file, leave, fetch it when it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue

from regulars_core.customers.filter import compiler
from regulars_core.exchange import export_desk, kinds
from regulars_core.exchange.models import ExportRun
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.exchange import Exporter
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.gate import SIGNED_IN
from regulars_web.running import crm_here

pages = Blueprint("exports", __name__)
PAGE_SIZE = 50

FORMATS: Mapping[str, Text] = {"csv": _("CSV, for any program"), "xlsx": _("Excel workbook"), "jsonl": _("JSON lines, for programmers")}
STATES: Mapping[str, tuple[str, str, Text]] = {
    "waiting": ("info", "clock", _("Waiting")),
    "running": ("info", "loader", _("Running")),
    "done": ("ok", "circle-check", _("Done")),
    "stopped": ("bad", "alert-circle", _("Stopped")),
    "cancelled": ("mute", "ban", _("Cancelled")),
}


@pages.get("/exports")
@access(SIGNED_IN)
def page() -> str:
    """One's own exports, newest first."""
    with crm_here().read() as session:
        found = export_desk.listed(session, _me(), before=request.args.get("before", type=int), limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    shown = [(run, *STATES[run.state.value]) for run in found[:PAGE_SIZE]]
    return render("exports.html", runs=shown, titles=_titles(), following=following, may_export=bool(_allowed()))


@pages.get("/exports/new")
@access(SIGNED_IN)
def new() -> str:
    """The form: what, and in which format."""
    return _form({"kind": request.args.get("kind", "customer"), "filter": request.args.get("filter", "")}, {})


@pages.post("/exports/new")
@access(SIGNED_IN)
def start() -> ResponseReturnValue:
    """Ask for the file; the worker writes it."""
    given = request.form
    try:
        where = _filter(given.get("filter", ""))
        run_id = export_desk.start(crm_here(), current_viewer(), given.get("kind", ""), given.get("format", ""), where)
    except InvalidInput as wrong:
        return _form(given, wrong.fields or {"filter": wrong.message}), 422
    return redirect(url_for("exports.show", run_id=run_id))


@pages.get("/exports/<int:run_id>")
@access(SIGNED_IN)
def show(run_id: int) -> str:
    """How far it has come, or the file."""
    return render("export.html", **_about(run_id))


@pages.get("/exports/<int:run_id>/progress")
@access(SIGNED_IN)
def progress(run_id: int) -> str:
    """The part of the page that changes meanwhile."""
    return render("_export_state.html", **_about(run_id))


@pages.post("/exports/<int:run_id>/cancel")
@access(SIGNED_IN)
def cancel(run_id: int) -> ResponseReturnValue:
    """End an export that is not done."""
    with crm_here().transaction() as session:
        export_desk.cancel(session, _me(), run_id)
    return redirect(url_for("exports.show", run_id=run_id))


@pages.get("/exports/<int:run_id>/file")
@access(SIGNED_IN)
def download(run_id: int) -> ResponseReturnValue:
    """The file, to whoever asked for it and may still export."""
    run = _run(run_id)
    exporter = kinds.exporter_of(crm_here(), run.kind)
    if not current_viewer().may(exporter.permission) or not _is_there(run):
        raise NotFound(_("The file is gone: it is kept for a day. Ask for the export again."))
    name = f"{run.kind}-{run.created_at:%Y-%m-%d}.{run.format}"
    reply: Response = send_file(Path(str(run.file_path)).absolute(), as_attachment=True, download_name=name)
    return reply


@pages.post("/exports/<int:run_id>/again")
@access(SIGNED_IN)
def again(run_id: int) -> ResponseReturnValue:
    """The same export once more."""
    run = _run(run_id)
    fresh = export_desk.start(crm_here(), current_viewer(), run.kind, run.format, run.where)
    flash(str(_("The export is asked for again.")), "ok")
    return redirect(url_for("exports.show", run_id=fresh))


def _me() -> int:
    return current_viewer().user_id or 0


def _run(run_id: int) -> ExportRun:
    with crm_here().read() as session:
        return export_desk.get(session, _me(), run_id)


def _about(run_id: int) -> dict[str, Any]:
    run = _run(run_id)
    return {
        "run": run,
        "title": _titles().get(run.kind, run.kind),
        "state": STATES[run.state.value],
        "is_working": run.state in export_desk.OPEN,
        "is_there": _is_there(run),
        "formats": FORMATS,
    }


def _is_there(run: ExportRun) -> bool:
    return run.file_path is not None and Path(run.file_path).exists()


def _allowed() -> Sequence[Exporter]:
    found = kinds.exporters(crm_here()).values()
    return sorted((one for one in found if current_viewer().may(one.permission)), key=lambda one: str(one.title))


def _titles() -> dict[str, Text]:
    return {kind: exporter.title for kind, exporter in kinds.exporters(crm_here()).items()}


def _filter(text: str) -> Any | None:
    """The filter in the form, checked before anything begins."""
    if not text.strip():
        return None
    try:
        where = json.loads(text)
    except ValueError as broken:
        raise InvalidInput(filter=_("This filter can't be read. Choose it again in the list of customers.")) from broken
    compiler(crm_here()).compile(where)
    return where


def _form(given: Mapping[str, str], wrong: Mapping[str, Text]) -> str:
    return render("export_new.html", given=given, wrong=wrong, exporters=_allowed(), formats=FORMATS)
