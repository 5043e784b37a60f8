"""What people do with import runs at a page or the command line, and the worker's part of it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.exchange import runs, undo
from regulars_core.exchange.files.write import open_writer
from regulars_core.exchange.models import ImportRun, RunState
from regulars_core.users.models import User
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import _, in_locale
from regulars_plugin_api.views import Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

UNDOABLE = (RunState.DONE, RunState.STOPPED)
BY_HAND = "stopped by hand"
"""The trouble of a run that somebody stopped."""
# Names that no importer knows: a mended file is taken as it is.
REASONS = ("reject_record", "reject_field", "reject_code", "reject_message")


def listed(session: Session, *, before: int | None = None, limit: int = 50, kinds: Sequence[str] | None = None) -> Sequence[ImportRun]:
    """Runs, newest first, those before the number ``before``; of some kinds or all."""
    query = sa.select(ImportRun).where(sa.true() if kinds is None else ImportRun.kind.in_(kinds)).order_by(ImportRun.id.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(ImportRun.id < before)).all()


def ask_undo(crm: Crm, run_id: int, actor: Viewer) -> None:
    """Let the worker take a run back."""
    with crm.transaction(actor, f"undo:{run_id}") as session:
        run = runs.get(session, run_id)
        if run.dry_run or run.state not in UNDOABLE:
            raise NotAllowedYet(_("Only an import that has ended can be undone."))
        run.state, run.leased_until, run.undone_by_id = RunState.UNDOING, None, actor.user_id


def stop(crm: Crm, run_id: int, actor: Viewer) -> None:
    """End a run after the batch it is at. What was written stays, to be taken back or gone on with. Raises ``NotAllowedYet``.

    A trial run writes nothing, and can't be reached while it reads.
    """
    ours = sa.or_(ImportRun.state == RunState.WAITING, sa.and_(ImportRun.state == RunState.RUNNING, ~ImportRun.dry_run))
    ended = {"state": RunState.STOPPED, "trouble": BY_HAND, "leased_until": None, "holder": None, "fence": ImportRun.fence + 1}
    with crm.transaction(actor, f"import:{run_id}") as session:
        asked = sa.update(ImportRun).where(ImportRun.id == run_id, ours).values(ended).returning(ImportRun.id)
        if session.scalar(asked) is None:
            raise NotAllowedYet(_("Only an import that waits or runs can be stopped."))


def go_on(crm: Crm, run_id: int, actor: Viewer) -> None:
    """Let the worker go on with a run that was stopped, where it stopped. Raises ``NotAllowedYet``."""
    with crm.transaction(actor, f"import:{run_id}") as session:
        run = runs.get(session, run_id)
        if run.state is not RunState.STOPPED:
            raise NotAllowedYet(_("Only an import that was stopped can be gone on with."))
        run.state, run.trouble = RunState.WAITING, None


def work_once(crm: Crm) -> bool:
    """Go on with the oldest run that waits; the worker's part. False when there is none."""
    run_id = runs.next_unfinished(crm)
    if run_id is None:
        return False
    with crm.read() as session:
        run = runs.get(session, run_id)
        language = session.scalar(sa.select(User.locale).where(User.id == run.actor_id))
    # What is written down about a file is written for whoever gave it.
    with in_locale(language or "en"):
        if run.state is RunState.UNDOING:
            undo.undo(crm, run_id)
            return True
        return runs.process(crm, run_id)


def write_rejects(session: Session, run_id: int, target: Path | BinaryIO) -> None:
    """The rejected records as CSV, to be mended and imported again: why, then the cells as they stood in the file, card numbers masked."""
    header = runs.get(session, run_id).header
    # The file itself may be of rejected records, mended in part.
    old = {place for place, heading in enumerate(header) if heading in REASONS}
    with open_writer("csv", target, [*REASONS, *_without(header, old)]) as writer:
        for reject in runs.rejects(session, run_id):
            writer.write([reject.record, reject.field, reject.code, reject.message, *_without(reject.cells, old)])


def _without(cells: Sequence[str], places: Container[int]) -> list[str]:
    return [cell for place, cell in enumerate(cells) if place not in places]
