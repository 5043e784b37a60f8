"""Jobs: what runs by itself or was asked for, and trying again what failed."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from regulars_core.jobs.models import JobSlot
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import access, render
from regulars_web import job_desk as desk
from regulars_web.heartbeat import alive
from regulars_web.running import crm_here

pages = Blueprint("jobs", __name__)
PAGE_SIZE = 50

STATES: Mapping[str, tuple[str, str, Text]] = {
    "waiting": ("info", "clock", _("Waiting")),
    "running": ("info", "loader", _("Running")),
    "stopping": ("warn", "loader", _("Being cancelled")),
    "done": ("ok", "circle-check", _("Done")),
    "dead": ("bad", "alert-circle", _("Given up")),
}
TABS: Mapping[str, Text] = {"": _("All"), "ready": _("Open"), "dead": _("Given up")}


@pages.get("/jobs")
@access("jobs.manage")
def page() -> str:
    """Runs of jobs, newest first, and the jobs that run by themselves."""
    crm, chosen = crm_here(), request.args.get("show", "")
    chosen = chosen if chosen in TABS else ""
    with crm.read() as session:
        runs = desk.runs(session, chosen or None, before=request.args.get("before", type=int), limit=PAGE_SIZE + 1)
        workers = alive(session, crm.clock.now())
    following = runs[PAGE_SIZE - 1].id if len(runs) > PAGE_SIZE else None
    jobs = sorted(crm.jobs.jobs().values(), key=lambda job: job.name)
    shown = [(run, *STATES[_state(run)]) for run in runs[:PAGE_SIZE]]
    return render("jobs.html", runs=shown, jobs=jobs, tabs=TABS, chosen=chosen, following=following, workers=workers)


@pages.post("/jobs/<int:run_id>/retry")
@access("jobs.manage")
def retry(run_id: int) -> ResponseReturnValue:
    """Give a run another round of attempts."""
    with crm_here().transaction() as session:
        desk.retry(session, run_id)
    flash(str(_("It is tried again.")), "ok")
    return redirect(url_for("jobs.page"))


@pages.post("/jobs/<int:run_id>/cancel")
@access("jobs.manage")
def cancel(run_id: int) -> ResponseReturnValue:
    """Give up a run: at once if nobody has begun it, else when it next says how far it is."""
    with crm_here().transaction() as session:
        is_over = desk.cancel(session, run_id)
    flash(str(_("The run is cancelled; it can be tried again.") if is_over else _("The run ends after the batch it is at.")), "ok")
    return redirect(url_for("jobs.page"))


@pages.post("/jobs/start/<name>")
@access("jobs.manage")
def start(name: str) -> ResponseReturnValue:
    """Run a job now, whatever its time."""
    crm = crm_here()
    with crm.transaction() as session:
        if name in crm.jobs.jobs():
            crm.jobs.start(session, name, f"asked {session.info['at'].isoformat()}")
    flash(str(_("The job starts as soon as the worker is free.")), "ok")
    return redirect(url_for("jobs.page"))


def _state(run: JobSlot) -> str:
    if run.state != "ready":
        return run.state
    is_held = run.leased_until is not None and run.leased_until > crm_here().clock.now()
    return ("stopping" if run.stopping else "running") if is_held else "waiting"
