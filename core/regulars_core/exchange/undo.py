"""Takes an import back from the journal: what it changed gets its old values, what it created goes.

What somebody has changed since, or hung something on, is kept and listed. All is worked out anew from what is there, so an undo
that was interrupted is simply started again.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from regulars_core.audit.journal import BulkJournal, from_json
from regulars_core.audit.models import CREATED, ROW, Change
from regulars_core.db.database import analyze
from regulars_core.exchange import kinds
from regulars_core.exchange.leases import LEASE, LostLease, claim, kept_alive, let_go
from regulars_core.exchange.memory import Bitmap
from regulars_core.exchange.models import ImportRun, RunState
from regulars_core.exchange.runs import Progress, get
from regulars_core.exchange.usage import References
from regulars_plugin_api.bulk import delete_rows, staged, update_rows
from regulars_plugin_api.db import Base, BigInt
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.events import ImportUndone, emit
from regulars_plugin_api.exchange import Importer
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import SYSTEM, Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

UNDOABLE = (RunState.DONE, RunState.STOPPED, RunState.RUNNING, RunState.UNDOING)
STEP_ON_SQLITE, STEP = 500, 5000
MOST_KEPT = 1000


def undo(crm: Crm, run_id: int, *, actor: Viewer = SYSTEM, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Take a run back, in the name of ``actor`` or of who asked for it.

    Returns ``{"run", "restored", "deleted", "kept": [{"table", "id", "why"}]}``: numbers of rows, and what stayed.
    """
    with crm.read() as session:
        asked = get(session, run_id)
    importer = kinds.importer_of(crm, asked.kind)
    run = None if asked.dry_run else claim(crm, run_id, UNDOABLE, RunState.UNDOING)
    if run is None:
        raise NotAllowedYet(_("Only an import that has ended can be undone, and nobody else must be at it."))
    if actor is SYSTEM:
        actor = replace(SYSTEM, user_id=run.undone_by_id)
    work = _Undo(crm, run, importer, actor)
    try:
        with kept_alive(crm, run):
            restored = work.restore_values()
            deleted = work.delete_created(progress)
            analyze(crm.database)
    except BaseException:
        let_go(crm, run)
        raise
    with work.transaction() as (session, _journal):
        ended = {"state": RunState.UNDONE, "finished_at": crm.clock.now(), "leased_until": None, "holder": None}
        work.write_down(session, **ended, kept=work.kept[:MOST_KEPT])
        emit(session, ImportUndone(run_id=run_id, kind=run.kind))
    Path(run.file_path).unlink(missing_ok=True)
    return {"run": run_id, "restored": restored, "deleted": deleted, "kept": work.kept}


class _Undo:
    def __init__(self, crm: Crm, run: ImportRun, importer: Importer, actor: Viewer) -> None:
        self.crm, self.run, self.importer, self.actor = crm, run, importer, actor
        self.mine = (f"import:{run.id}", f"undo:{run.id}")
        self.step = STEP_ON_SQLITE if crm.database.is_sqlite else STEP
        self.references = References(crm.database.engine, importer, self.mine)
        self.kept: list[dict[str, Any]] = []

    def restore_values(self) -> int:
        """Give old values back, newest change first; a value that is no longer what the import wrote stays."""
        below, restored = None, 0
        while changes := self._changes(below):
            below = changes[-1].id
            with self.transaction() as (session, journal):
                restored += self._restore(session, journal, changes)
        return restored

    def delete_created(self, progress: Progress) -> int:
        """Delete the rows the import made, but those somebody has made use of."""
        doomed = {table: self._doomed(table) for table in self.importer.tables}
        total, looked_at, deleted = sum(len(ids) for ids in doomed.values()), 0, 0
        roots = Bitmap()
        for row_id in doomed[self.importer.root]:
            roots.add(row_id)
        for table, ids in doomed.items():
            for start in range(0, len(ids), self.step):
                step = ids[start : start + self.step].tolist()
                with self.transaction() as (session, journal):
                    deleted += self._delete(session, journal, table, step, roots)
                looked_at += len(step)
                progress(looked_at, total)
        return deleted

    @contextmanager
    def transaction(self) -> Iterator[tuple[Session, BulkJournal]]:
        """One step; it counts only while the run is in this process's hands."""
        journal = BulkJournal()
        with self.crm.transaction(self.actor, self.mine[1]) as session:
            self.write_down(session, leased_until=self.crm.clock.now() + LEASE)
            yield session, journal
            journal.write(session, actor_id=self.actor.user_id, cause=self.mine[1], at=self.crm.clock.now())

    def write_down(self, session: Session, **values: Any) -> None:
        """Change the run's own row. Raises ``LostLease``."""
        mine = sa.and_(ImportRun.id == self.run.id, ImportRun.fence == self.run.fence, ImportRun.state == RunState.UNDOING)
        if session.connection().execute(sa.update(ImportRun.__table__).where(mine).values(values)).rowcount != 1:
            raise LostLease

    def _changes(self, below: int | None) -> Sequence[Any]:
        query = sa.select(Change.id, Change.table_name, Change.row_id, Change.column_name, Change.old, Change.new).where(
            Change.cause == self.mine[0], Change.column_name != ROW
        )
        if below is not None:
            query = query.where(Change.id < below)
        with self.crm.read() as session:
            return session.execute(query.order_by(Change.id.desc()).limit(self.step)).all()

    def _restore(self, session: Session, journal: BulkJournal, changes: Sequence[Any]) -> int:
        cells: dict[tuple[str, str], dict[int, tuple[str | None, str | None]]] = defaultdict(dict)
        for change in changes:
            rows = cells[change.table_name, change.column_name]
            # Changed twice by the import: back to before the first, if it still is what the last one wrote.
            newest = rows[change.row_id][1] if change.row_id in rows else change.new
            rows[change.row_id] = (change.old, newest)
        back = [(table, column, self._restorable(session, table, column, rows)) for (table, column), rows in cells.items()]
        touched: dict[str, set[int]] = defaultdict(set)
        for table, _column, rows in back:
            touched[table].update(rows)
        with self.importer.undoing(session, {}, {table: sorted(ids) for table, ids in touched.items()}):
            for table, column, rows in back:
                kind = Base.metadata.tables[table].c[column].type
                update_rows(
                    session, Base.metadata.tables[table], [column], [(row_id, from_json(old, kind)) for row_id, (old, _n) in rows.items()]
                )
                journal.entries.extend((table, row_id, column, new, old) for row_id, (old, new) in rows.items())
        return sum(len(ids) for ids in touched.values())

    def _restorable(
        self, session: Session, table: str, column: str, rows: Mapping[int, tuple[str | None, str | None]]
    ) -> dict[int, tuple[str | None, str | None]]:
        model = Base.metadata.tables[table]
        kind = model.c[column].type
        with staged(session, {"id": BigInt}, ((row_id,) for row_id in rows)) as stage:
            present = {
                row.id: row[1]
                for row in session.execute(sa.select(model.c.id, model.c[column]).join_from(stage, model, model.c.id == stage.c.id))
            }
            # An undo that was interrupted has put these back already.
            undone = sa.select(Change.row_id).join(stage, stage.c.id == Change.row_id)
            done = set(
                session.scalars(undone.where(Change.cause == self.mine[1], Change.table_name == table, Change.column_name == column))
            )
        # An import leaves a value empty only where it is kept elsewhere, as members of staff are: there the journal alone tells.
        theirs = self.references.changed_by_others(session, table, column, [row_id for row_id, (_old, new) in rows.items() if new is None])
        found = {}
        for row_id, (old, new) in rows.items():
            if row_id in present and row_id not in theirs and present[row_id] == from_json(new, kind):
                found[row_id] = (old, new)
            elif row_id in present and row_id not in done and (row_id in theirs or present[row_id] != from_json(old, kind)):
                self._keep(table, row_id, _("“%(column)s” was changed since.", column=column))
        return found

    def _doomed(self, table: str) -> array[int]:
        created = sa.select(Change.row_id).where(
            Change.cause == self.mine[0], Change.table_name == table, Change.column_name == ROW, Change.new == CREATED
        )
        with self.crm.read() as session:
            return array("q", session.scalars(created.order_by(Change.row_id).execution_options(yield_per=10_000)))

    def _delete(self, session: Session, journal: BulkJournal, table: str, step: Sequence[int], roots: Bitmap) -> int:
        present = self.references.present(session, table, step)
        # What is part of a record that goes, goes with it; what is part of one that stays, stays.
        free = [row_id for row_id, owner in present.items() if owner is None or owner not in roots]
        in_use = self.references.in_use(session, table, free)
        for row_id, why in in_use.items():
            self._keep(table, row_id, why)
        going = [row_id for row_id in free if row_id not in in_use]
        with self.importer.undoing(session, {table: going}, {}):
            delete_rows(session, Base.metadata.tables[table], going)
        journal.deleted(table, going)
        return len(going)

    def _keep(self, table: str, row_id: int, why: LazyString | str) -> None:
        self.kept.append({"table": table, "id": row_id, "why": str(why)})
