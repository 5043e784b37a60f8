"""Exports people ask for at a page: waited for by nobody, written by the worker, fetched when they are done."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from regulars_core.exchange import exports, kinds
from regulars_core.exchange.files.write import FileFormat
from regulars_core.exchange.models import ExportRun, ExportState
from regulars_core.users.holding import viewer_of
from regulars_core.users.models import User
from regulars_plugin_api.errors import Forbidden, InvalidInput, NotFound, RegularsError
from regulars_plugin_api.formats import number
from regulars_plugin_api.i18n import _, _n, in_locale
from regulars_plugin_api.views import Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)
FORMATS: tuple[FileFormat, ...] = ("csv", "xlsx", "jsonl")
OPEN = (ExportState.WAITING, ExportState.RUNNING)
KEPT = dt.timedelta(days=1)
LEASE = dt.timedelta(minutes=2)


class _Stopped(Exception):
    """Somebody has cancelled the export, or another worker has it."""


def start(crm: Crm, actor: Viewer, kind: str, format_: str, where: Any | None = None, *, session: Session | None = None) -> int:
    """Ask for an export and return its number. Raises ``Forbidden``, ``InvalidInput``."""
    if not actor.may(kinds.exporter_of(crm, kind).permission) or actor.user_id is None:
        raise Forbidden
    if format_ not in FORMATS:
        raise InvalidInput(format=_("Choose one of: %(choices)s.", choices=", ".join(FORMATS)))
    with nullcontext(session) if session is not None else crm.transaction(actor, "export") as writer:
        run = ExportRun(
            kind=kind, format=format_, where=where, state=ExportState.WAITING, actor_id=actor.user_id, created_at=crm.clock.now()
        )
        writer.add(run)
        writer.flush()
        return run.id


def listed(session: Session, user_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[ExportRun]:
    """A user's exports, newest first, those before the number ``before``."""
    query = sa.select(ExportRun).where(ExportRun.actor_id == user_id).order_by(ExportRun.id.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(ExportRun.id < before)).all()


def get(session: Session, user_id: int, run_id: int) -> ExportRun:
    """A user's own export. Raises ``NotFound``."""
    run = session.scalar(sa.select(ExportRun).where(ExportRun.id == run_id, ExportRun.actor_id == user_id))
    if run is None:
        raise NotFound(_("There is no such export of yours."))
    return run


def cancel(session: Session, user_id: int, run_id: int) -> None:
    """End an export that is not done; its file goes."""
    run = get(session, user_id, run_id)
    if run.state in OPEN:
        run.state, run.finished_at = ExportState.CANCELLED, session.info["at"]


def work_once(crm: Crm) -> bool:
    """Write the oldest export that waits; the worker's part. False when there is none."""
    now = crm.clock.now()
    with crm.read() as session:
        free = sa.or_(ExportRun.leased_until.is_(None), ExportRun.leased_until < now)
        run_id = session.scalar(sa.select(ExportRun.id).where(ExportRun.state.in_(OPEN), free).order_by(ExportRun.id).limit(1))
    if run_id is None:
        return False
    with crm.transaction(cause="export") as session:
        claimed = sa.update(ExportRun).where(ExportRun.id == run_id, ExportRun.state.in_(OPEN), free)
        values = {"state": ExportState.RUNNING, "leased_until": now + LEASE, "written": 0}
        if session.connection().execute(claimed.values(values)).rowcount != 1:
            return True
        run = session.get_one(ExportRun, run_id)
        user = session.get_one(User, run.actor_id, options=[sa.orm.selectinload(User.roles)])
        viewer = viewer_of(session, user)
    with in_locale(user.locale):
        _write(crm, run, viewer)
    return True


def _write(crm: Crm, run: ExportRun, viewer: Viewer) -> None:
    folder = crm.config.home / "exports"
    folder.mkdir(mode=0o700, exist_ok=True)
    _forget(crm, folder)
    path = folder / f"{os.urandom(8).hex()}.{run.format}"
    path.touch(mode=0o600)

    def tell(written: int) -> None:
        _note(crm, run.id, written=written, leased_until=crm.clock.now() + LEASE)

    try:
        written = exports.export(crm, run.kind, path, run.format, viewer=viewer, where=run.where, progress=tell)  # type: ignore[arg-type]
        _note(crm, run.id, state=ExportState.DONE, written=written, file_path=str(path), finished_at=crm.clock.now(), leased_until=None)
    except _Stopped:
        path.unlink()
    except Exception as trouble:
        path.unlink()
        log.exception("an export stopped", run=run.id)
        reason = str(trouble) if isinstance(trouble, RegularsError) else None
        _note(crm, run.id, state=ExportState.STOPPED, trouble=reason, finished_at=crm.clock.now(), leased_until=None)


def _note(crm: Crm, run_id: int, **values: Any) -> None:
    with crm.transaction(cause="export") as session:
        mine = sa.update(ExportRun).where(ExportRun.id == run_id, ExportRun.state == ExportState.RUNNING)
        if session.connection().execute(mine.values(values)).rowcount != 1:
            raise _Stopped
        if "finished_at" in values:
            run = session.get_one(ExportRun, run_id)
            is_done = run.state is ExportState.DONE
            ready = _n(
                "The export is ready: %(count)s record.", "The export is ready: %(count)s records.", run.written, count=number(run.written)
            )
            text = ready if is_done else _("The export has stopped.")
            crm.notices.tell(
                session, [run.actor_id], f"export:{run_id}", text, f"/exports/{run_id}", icon="download" if is_done else "alert-circle"
            )


def _forget(crm: Crm, folder: Path) -> None:
    oldest = crm.clock.now().timestamp() - KEPT.total_seconds()
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
