"""Imports: give a file, see what a trial run makes of it, run it, read the report, undo."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from regulars_core.exchange import desk, kinds, looking, runs
from regulars_core.exchange.mapping import match_columns
from regulars_core.exchange.models import ImportRun, RunState
from regulars_core.exchange.options import ImportOptions
from regulars_core.exchange.report import report
from regulars_plugin_api.errors import InvalidInput, NotAllowedYet
from regulars_plugin_api.exchange import Importer
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, current_viewer, render
from regulars_web.gate import takes_files
from regulars_web.running import crm_here

pages = Blueprint("imports", __name__)

PAGE_SIZE, REJECTS_SHOWN = 50, 20
FILE_BYTES = 2 * 1024**3
WORKING = (RunState.WAITING, RunState.RUNNING, RunState.UNDOING)
OPTIONS = ("mode", "source", "country", "timezone")
ANSWERS = frozenset(field.name for field in fields(ImportOptions)) - {"mapping", "look_first"}
MODES: Mapping[str, Text] = {
    "upsert": _("Add new ones and change known ones"),
    "create": _("Only add new ones"),
    "update": _("Only change known ones"),
}
STATES: Mapping[str, tuple[str, str, Text]] = {
    "waiting": ("info", "clock", _("Waiting")),
    "running": ("info", "loader", _("Running")),
    "done": ("ok", "circle-check", _("Done")),
    "asking": ("warn", "alert-triangle", _("Has a question")),
    "refused": ("bad", "ban", _("Refused")),
    "stopped": ("bad", "alert-circle", _("Stopped")),
    "undoing": ("info", "loader", _("Being undone")),
    "undone": ("mute", "refresh", _("Undone")),
}


@pages.get("/imports")
@access("imports.run")
def page() -> str:
    """Imports, newest first."""
    with crm_here().read(current_viewer()) as session:
        found = desk.listed(session, before=request.args.get("before", type=int), limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return render("imports.html", runs=found[:PAGE_SIZE], following=following, states=STATES, titles=_titles())


@pages.get("/imports/new")
@access("imports.run")
def new() -> str:
    """The form that takes a file."""
    return _form({"kind": request.args.get("kind", "customer"), "source": "import"}, {})


@pages.post("/imports/new")
@access("imports.run")
@takes_files(FILE_BYTES)
def start() -> ResponseReturnValue:
    """Take the file and begin a trial run; nothing is written yet."""
    given, file = request.form, request.files.get("file")
    importer = next((one for one in _allowed() if one.kind == given.get("kind")), None)
    if importer is None:
        return _form(given, {"kind": _("Choose what is in the file.")}), 422
    if file is None or not file.filename:
        return _form(given, {"file": _("Choose a file.")}), 422
    chosen = {name: given[name].strip() for name in OPTIONS if given.get(name, "").strip()}
    try:
        run_id = _try(importer.kind, file, ImportOptions(**chosen, look_first=True))  # type: ignore[arg-type]
    except InvalidInput as wrong:
        return _form(given, wrong.fields), 422
    return redirect(url_for("imports.show", run_id=run_id))


@pages.get("/imports/<int:run_id>")
@access("imports.run")
def show(run_id: int) -> str:
    """What has become of a run so far."""
    return render("import.html", **_about(run_id))


@pages.get("/imports/<int:run_id>/progress")
@access("imports.run")
def progress(run_id: int) -> str:
    """The part of the run's page that changes while it works."""
    return render("_import_state.html", **_about(run_id))


@pages.post("/imports/<int:run_id>/answer")
@access("imports.run")
def answer(run_id: int) -> ResponseReturnValue:
    """Answer what the file left open; the run goes on."""
    run = _mine(run_id)
    asked = {question["option"] for question in run.questions} & ANSWERS
    given = {name: request.form[name] for name in asked if request.form.get(name)}
    if given:
        runs.answer(crm_here(), run_id, given)
    return redirect(url_for("imports.show", run_id=run_id))


@pages.post("/imports/<int:run_id>/columns")
@access("imports.run")
def match_again(run_id: int) -> ResponseReturnValue:
    """Say by hand which heading is which column: before the first trial, or to try the same file once more."""
    run = _mine(run_id)
    importer = kinds.importer_of(crm_here(), run.kind)
    mapping = {heading: request.form.get(f"column-{place}") or None for place, heading in enumerate(run.header)}
    options = ImportOptions(**{**run.options, "mapping": mapping, "look_first": False})
    try:
        chosen = {heading: name for heading, name in mapping.items() if name}
        titles = {column.name: str(column.title) for column in importer.columns}
        if missing := looking.missing_columns(chosen, importer):
            raise InvalidInput(mapping=_("Still missing: %(columns)s.", columns=", ".join(titles[name] for name in missing)))
        if not chosen:
            raise InvalidInput(mapping=_("Choose at least one column."))
        if run.state is RunState.ASKING:
            runs.answer(crm_here(), run_id, {"mapping": mapping, "look_first": False})
            return redirect(url_for("imports.show", run_id=run_id))
        path = Path(run.file_path)
        again = runs.start(crm_here(), run.kind, path, options, actor=current_viewer(), dry_run=True, name=run.file_name)
    except InvalidInput as wrong:
        return render("import.html", **_about(run_id) | {"matched": chosen, "wrong": wrong.fields}), 422
    return redirect(url_for("imports.show", run_id=again))


@pages.post("/imports/<int:run_id>/again")
@access("imports.run")
@takes_files(FILE_BYTES)
def load_again(run_id: int) -> ResponseReturnValue:
    """Try a corrected file of the rejected records, read the way the run was."""
    run, file = _mine(run_id), request.files.get("file")
    try:
        if file is None or not file.filename:
            raise InvalidInput(file=_("Choose a file."))
        again = _try(
            run.kind, file, ImportOptions(**{**run.options, "look_first": False, "encoding": None, "delimiter": None, "sheet": None})
        )
    except InvalidInput as wrong:
        return render("import.html", **_about(run_id) | {"wrong": wrong.fields}), 422
    return redirect(url_for("imports.show", run_id=again))


@pages.post("/imports/<int:run_id>/run")
@access("imports.run")
def run_for_real(run_id: int) -> ResponseReturnValue:
    """Do what the trial run tried."""
    _mine(run_id)
    return redirect(url_for("imports.show", run_id=runs.run_for_real(crm_here(), run_id, current_viewer())))


@pages.post("/imports/<int:run_id>/stop")
@access("imports.run")
def stop(run_id: int) -> ResponseReturnValue:
    """End the run after the batch it is at."""
    _mine(run_id)
    desk.stop(crm_here(), run_id, current_viewer())
    return redirect(url_for("imports.show", run_id=run_id))


@pages.post("/imports/<int:run_id>/go-on")
@access("imports.run")
def go_on(run_id: int) -> ResponseReturnValue:
    """Go on with a run that was stopped."""
    _mine(run_id)
    desk.go_on(crm_here(), run_id, current_viewer())
    return redirect(url_for("imports.show", run_id=run_id))


@pages.post("/imports/<int:run_id>/undo")
@access("imports.run")
def undo(run_id: int) -> ResponseReturnValue:
    """Take the run back."""
    _mine(run_id)
    desk.ask_undo(crm_here(), run_id, current_viewer())
    return redirect(url_for("imports.show", run_id=run_id))


@pages.get("/imports/<int:run_id>/rejected.csv")
@access("imports.run")
def rejected(run_id: int) -> Response:
    """The rejected records, to be put right and imported again."""
    _mine(run_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the answer
    with crm_here().read(current_viewer()) as session:
        desk.write_rejects(session, run_id, file)
    file.seek(0)
    return send_file(file, "text/csv", as_attachment=True, download_name=f"rejected-{run_id}.csv")


def _try(kind: str, file: FileStorage, options: ImportOptions) -> int:
    """Begin a trial run of an uploaded file. Raises ``InvalidInput``."""
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2][:200]
    with tempfile.TemporaryDirectory(dir=crm_here().config.home) as folder:
        path = Path(folder) / (secure_filename(name) or "file")
        file.save(path)
        return runs.start(crm_here(), kind, path, options, actor=current_viewer(), dry_run=True, name=name)


def _allowed() -> Sequence[Importer]:
    found = kinds.importers(crm_here()).values()
    return sorted((one for one in found if current_viewer().may(one.permission)), key=lambda one: str(one.title))


def _titles() -> dict[str, Text]:
    return {kind: importer.title for kind, importer in kinds.importers(crm_here()).items()}


def _mine(run_id: int) -> ImportRun:
    """The run, if its kind is one the viewer may import."""
    with crm_here().read(current_viewer()) as session:
        run = runs.get(session, run_id)
    if run.kind not in kinds.importers(crm_here()):
        raise NotAllowedYet(_("Nobody knows “%(kind)s” now: the plugin that imports it is off.", kind=run.kind))
    return _readable(run)


def _readable(run: ImportRun) -> ImportRun:
    """The run, unless its kind is one the viewer may not import. Of a plugin that is off it can still be read."""
    importer = kinds.importers(crm_here()).get(run.kind)
    if importer is not None and not current_viewer().may(importer.permission):
        abort(403)
    return run


def _about(run_id: int) -> dict[str, Any]:
    with crm_here().read(current_viewer()) as session:
        run = _readable(runs.get(session, run_id))
        told = report(session, run, most_rejected=REJECTS_SHOWN)
    is_working = run.state in WORKING
    importer = kinds.importers(crm_here()).get(run.kind)
    columns = importer.columns if importer else ()
    return {
        "run": run,
        "report": told,
        "is_working": is_working,
        "state": STATES[run.state.value],
        "title": importer.title if importer else run.kind,
        "is_known": importer is not None,
        "columns": {column.name: column.title for column in columns},
        "required": {column.name for column in columns if column.required},
        "matched": match_columns(run.header, columns, run.options["mapping"]),
        "asks_columns": run.state is RunState.ASKING and any(one["option"] == "mapping" for one in run.questions),
        "wrong": {},
        "can_stop": run.state is RunState.WAITING or (run.state is RunState.RUNNING and not run.dry_run),
        "by_hand": run.trouble == desk.BY_HAND,
        "can_undo": importer is not None and not run.dry_run and run.state in desk.UNDOABLE,
    }


def _form(given: Mapping[str, str], wrong: Mapping[str, Text]) -> str:
    allowed = _allowed()
    columns = {one.kind: one.columns for one in allowed}
    return render("import_new.html", given=given, wrong=wrong, importers=allowed, columns=columns, modes=MODES)
