"""Import runs from the first look at a file to the report: started by a person, gone on with by whoever finds them unfinished."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit.journal import BulkJournal
from regulars_core.db.database import analyze
from regulars_core.exchange import kinds, trial
from regulars_core.exchange.engine import ImportWork, Transaction
from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.source import Inspection
from regulars_core.exchange.leases import LEASE, LostLease, claim, kept_alive
from regulars_core.exchange.looking import check_columns, look, open_questions
from regulars_core.exchange.memory import RunNotes, SeenRows
from regulars_core.exchange.models import ImportBatch, ImportReject, ImportRun, RunState
from regulars_core.exchange.options import ImportOptions
from regulars_core.exchange.report import verdict
from regulars_core.stores.service import store_refs
from regulars_plugin_api import values
from regulars_plugin_api.errors import NotAllowedYet, NotFound
from regulars_plugin_api.events import ImportFinished, emit
from regulars_plugin_api.exchange import ImportContext, Importer
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import masked
from regulars_plugin_api.views import SYSTEM, Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

UPLOADS_KEPT = dt.timedelta(days=1)
WATCHED_EVERY = 0.5
UNFINISHED = (RunState.WAITING, RunState.RUNNING)
RESUMABLE = (*UNFINISHED, RunState.STOPPED)

Progress = Callable[[int, int], None]


def start(
    crm: Crm, kind: str, path: Path, options: ImportOptions, *, actor: Viewer = SYSTEM, dry_run: bool = False, name: str | None = None
) -> int:
    """Take a copy of the file and make a run of it; the number of an unfinished run of the same file and options if there is one."""
    options.check()
    options.check_mapping(kinds.importer_of(crm, kind).columns)
    if not path.is_file():
        raise NotFound(_("There is no file %(path)s.", path=path))
    folder = crm.config.home / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _forget_uploads(crm, folder)
    kept, digest = _copy(path, folder)
    with crm.transaction(actor, "import") as session:
        if not crm.database.is_sqlite:
            # Of two who start the same file at once, the second finds the run of the first.
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(digest))))
        same = sa.select(ImportRun).where(
            ImportRun.file_sha256 == digest, ImportRun.kind == kind, ImportRun.dry_run == dry_run, ImportRun.state.in_(RESUMABLE)
        )
        for run in session.scalars(same):
            if run.options == asdict(options) and Path(run.file_path).exists():
                kept.unlink()
                return run.id
        run = ImportRun(
            kind=kind,
            state=RunState.WAITING,
            file_name=name or path.name,
            file_path=str(kept),
            file_sha256=digest,
            options=asdict(options),
            dry_run=dry_run,
            actor_id=actor.user_id,
            created_at=crm.clock.now(),
        )
        session.add(run)
        session.flush()
        return run.id


def process(crm: Crm, run_id: int, progress: Progress = lambda done, records: None) -> bool:
    """Work on a run until it ends. False if another process has it in hand, or it has ended.

    What stops it half way is raised, and written down; the run can then be gone on with, or undone.
    """
    run = claim(crm, run_id, RESUMABLE, RunState.RUNNING)
    if run is None:
        return False
    try:
        with kept_alive(crm, run):
            _process(crm, run, progress)
    except LostLease:
        return False
    except Exception as trouble:
        _end(crm, run, RunState.STOPPED, trouble=masked(f"{type(trouble).__name__}: {trouble}"))
        raise
    return True


def finish(crm: Crm, run_id: int, progress: Progress = lambda done, records: None) -> None:
    """Work on a run until it has ended, or watch whoever has it in hand. Raises ``NotAllowedYet`` if they had to stop."""
    while not process(crm, run_id, progress):
        with crm.read() as session:
            run = get(session, run_id)
        if run.state is RunState.STOPPED:
            raise NotAllowedYet(_("The import stopped: %(trouble)s", trouble=run.trouble))
        if run.state not in UNFINISHED:
            return
        progress(run.position, run.records)
        time.sleep(WATCHED_EVERY)


def _process(crm: Crm, run: ImportRun, progress: Progress) -> None:
    importer = kinds.importer_of(crm, run.kind)
    options = ImportOptions(**run.options)
    try:
        inspection, mapping = look(run, importer, options)
        questions = open_questions(inspection, options)
        if not questions:
            check_columns(inspection, mapping, importer)
    except FileRefused as refusal:
        _end(crm, run, RunState.REFUSED, notes={refusal.code: {"message": masked(str(refusal.message)), "count": 1, "records": []}})
        return
    if questions:
        _end(crm, run, RunState.ASKING, questions=questions, header=list(inspection.header), records=inspection.records)
        return
    with crm.transaction(cause=f"import:{run.id}") as session:
        session.execute(
            sa.update(ImportRun).where(ImportRun.id == run.id).values(records=inspection.records, header=list(inspection.header))
        )

    def tell(done: int) -> None:
        progress(done, inspection.records)

    if run.dry_run:
        with trial.database_to_throw_away(crm) as transaction:
            _work(crm, run, importer, inspection, mapping, transaction).run(tell)
            found = trial.result(transaction, run.id)
        trial.keep(crm, run.id, found)
    else:
        _work(
            crm,
            run,
            importer,
            inspection,
            mapping,
            lambda optimistic: crm.transaction(cause=f"import:{run.id}", repeatable=True, optimistic=optimistic),
        ).run(tell)
        analyze(crm.database)
    _end(crm, run, RunState.DONE)


def next_unfinished(crm: Crm) -> int | None:
    """The oldest run that waits for somebody to work on it."""
    now = crm.clock.now()
    with crm.read() as session:
        free = sa.or_(ImportRun.leased_until.is_(None), ImportRun.leased_until < now)
        return session.scalar(
            sa.select(ImportRun.id).where(ImportRun.state.in_((*UNFINISHED, RunState.UNDOING)), free).order_by(ImportRun.id).limit(1)
        )


def get(session: Session, run_id: int) -> ImportRun:
    """A run. Raises ``NotFound``."""
    run = session.get(ImportRun, run_id)
    if run is None:
        raise NotFound(_("There is no import %(run)s.", run=run_id))
    return run


def answer(crm: Crm, run_id: int, answers: dict[str, Any]) -> None:
    """Give an asking run its answers; it waits for the worker again."""
    with crm.transaction(cause=f"import:{run_id}") as session:
        run = get(session, run_id)
        if run.state is not RunState.ASKING:
            raise NotAllowedYet(_("This import is not asking anything."))
        options = ImportOptions(**(run.options | answers))
        options.check()
        options.check_mapping(kinds.importer_of(crm, run.kind).columns)
        run.options, run.questions, run.state = asdict(options), [], RunState.WAITING


def run_for_real(crm: Crm, run_id: int, actor: Viewer) -> int:
    """Start the run that a trial run was for."""
    with crm.transaction(actor, "import") as session:
        trial_run = get(session, run_id)
        if not (trial_run.dry_run and trial_run.state is RunState.DONE and Path(trial_run.file_path).exists()):
            raise NotAllowedYet(_("Only a finished trial run can be run for real."))
        kept = Path(trial_run.file_path)
        copy = kept.with_name(f"{os.urandom(8).hex()}{kept.suffix}")
        os.link(kept, copy)
        run = ImportRun(
            kind=trial_run.kind,
            state=RunState.WAITING,
            file_name=trial_run.file_name,
            file_path=str(copy),
            file_sha256=trial_run.file_sha256,
            options=trial_run.options,
            actor_id=actor.user_id,
            created_at=crm.clock.now(),
        )
        session.add(run)
        session.flush()
        return run.id


def _copy(path: Path, folder: Path) -> tuple[Path, str]:
    kept = folder / f"{os.urandom(8).hex()}{path.suffix[:10]}"
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
        source.seek(0)
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return kept, digest


def _forget_uploads(crm: Crm, folder: Path) -> None:
    """Delete what lies there since yesterday: trial runs nobody made real, questions nobody answered, copies of a killed process."""
    with crm.read() as session:
        wanted = set(session.scalars(sa.select(ImportRun.file_path).where(ImportRun.state.in_(RESUMABLE))))
    oldest = crm.clock.now().timestamp() - UPLOADS_KEPT.total_seconds()
    for path in folder.iterdir():
        if str(path) not in wanted and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _work(
    crm: Crm, run: ImportRun, importer: Importer, inspection: Inspection, mapping: dict[str, str], transaction: Transaction
) -> ImportWork:
    options = ImportOptions(**run.options)
    seen, journal = SeenRows(), BulkJournal()
    notes = RunNotes(run.notes, first_record=run.position + 1)
    with crm.read() as session:
        stores = store_refs(session)
        for packed in session.scalars(sa.select(ImportBatch.touched).where(ImportBatch.run_id == run.id)):
            seen.restore(packed)
    if run.position == 0:
        unused = [heading for heading in inspection.header if heading not in mapping]
        if unused:
            notes.add("unused_columns", _("Columns that are not used: %(headings)s.", headings=", ".join(unused)), 0, len(unused))
        for number, note in enumerate(inspection.notes, start=1):
            notes.add(f"file_{number}", note, 0)
    context = ImportContext(
        run_id=run.id,
        source=options.source,
        mode=options.mode,
        at=crm.clock.now(),
        columns=frozenset(mapping.values()),
        date_order=inspection.date_order,
        decimal=inspection.decimal,
        country=values.country(options.country) if options.country else crm.config.country,
        timezone=values.timezone(options.timezone) if options.timezone else None,
        chain_timezone=crm.config.timezone,
        chain_currency=crm.config.currency,
        stores=stores,
        journal=journal,
        seen=seen,
        notes=notes,
    )
    return ImportWork(
        importer=importer,
        inspection=inspection,
        path=Path(run.file_path),
        mapping=mapping,
        context=context,
        seen=seen,
        notes=notes,
        journal=journal,
        transaction=transaction,
        run_id=run.id,
        fence=run.fence,
        position=run.position,
        actor_id=run.actor_id,
        lease=lambda: crm.clock.now() + LEASE,
        small_batches=crm.database.is_sqlite,
    )


def _end(crm: Crm, run: ImportRun, state: RunState, **values_: Any) -> None:
    with crm.transaction(cause=f"import:{run.id}") as session:
        mine = sa.and_(ImportRun.id == run.id, ImportRun.fence == run.fence)
        ended = {"state": state, "finished_at": crm.clock.now(), "leased_until": None, "holder": None, **values_}
        if session.connection().execute(sa.update(ImportRun.__table__).where(mine).values(ended)).rowcount != 1:
            raise LostLease
        if state is RunState.STOPPED:
            return
        session.execute(sa.delete(ImportBatch).where(ImportBatch.run_id == run.id))
        finished = get(session, run.id)
        session.refresh(finished)
        if not run.dry_run and state is not RunState.ASKING:
            emit(session, ImportFinished(run_id=run.id, kind=run.kind, verdict=verdict(finished)))
            if run.actor_id is not None:
                text = _("The import of %(file)s has ended.", file=finished.file_name)
                crm.notices.tell(session, [run.actor_id], f"import:{run.id}", text, f"/imports/{run.id}", icon="upload")
    if state is RunState.REFUSED or (state is RunState.DONE and not run.dry_run):
        Path(run.file_path).unlink(missing_ok=True)


def rejects(session: Session, run_id: int) -> Iterator[ImportReject]:
    """The rejected records of a run, as they stood in the file."""
    yield from session.scalars(
        sa.select(ImportReject).where(ImportReject.run_id == run_id).order_by(ImportReject.record).execution_options(yield_per=1000)
    )
