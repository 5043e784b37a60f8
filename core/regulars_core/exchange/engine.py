"""Takes one file in: read, parse, and apply batch by batch, each batch one transaction that a restart goes on after."""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit.journal import BulkJournal
from regulars_core.exchange.files.rows import BadRecord
from regulars_core.exchange.files.source import Inspection, read_records
from regulars_core.exchange.leases import LostLease
from regulars_core.exchange.memory import RunNotes, SeenRows
from regulars_core.exchange.models import ImportBatch, ImportReject, ImportRun, RunState
from regulars_plugin_api.bulk import FIRST_WRITE, insert_rows
from regulars_plugin_api.exchange import ImportContext, Importer, Outcome, Record, Rejected
from regulars_plugin_api.values import masked

# A batch may hold SQLite's write lock for 100 ms.
LOCK_TARGET_SECONDS = 0.08
SMALLEST_BATCH, LARGEST_BATCH = 500, 10_000
# One batch that had to wait for the disk or a processor says nothing of the next: the best of so many counts.
PACES = 4
RETRIES = 5
# Serialization failure, deadlock, and a key that another import has just taken: seen again, that row is known.
RETRIED_SQLSTATES = frozenset({"40001", "40P01", "23505"})

# Opened optimistically or not, see ``Database.transaction``.
Transaction = Callable[[bool], AbstractContextManager[Session]]
Rejection = tuple[int, str, str, str, Sequence[str]]


@dataclass
class Batch:
    """Consecutive records of the file: those to apply, and those that are refused before they reach the database."""

    records: list[Record] = field(default_factory=list)
    cells: list[Sequence[str]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    last: int = 0
    seconds: float = 0.0
    """For how long it made others wait."""

    @property
    def size(self) -> int:
        """Records in the batch, refused ones included."""
        return len(self.records) + len(self.rejections)


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """A batch makes a hundred thousand objects that all go at its end; walking over them on the way took a third of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@dataclass
class ImportWork:
    """One run at work in this process."""

    importer: Importer
    inspection: Inspection
    path: Any
    mapping: dict[str, str]
    context: ImportContext
    seen: SeenRows
    notes: RunNotes
    journal: BulkJournal
    transaction: Transaction
    run_id: int
    fence: int
    position: int
    actor_id: int | None
    lease: Callable[[], Any]
    small_batches: bool

    def run(self, progress: Callable[[int], None]) -> None:
        """Apply every record after ``position``, then let the importer finish."""
        with _collecting_rarely():
            self._run(progress)

    def _run(self, progress: Callable[[int], None]) -> None:
        for batch in self._sized_batches() if self.small_batches else self._batches_ahead():
            batch.seconds = self._commit(batch)
            progress(batch.last)
        with self.transaction(False) as session:
            self.importer.finished(session, self.context)
            self.journal.write(session, actor_id=self.actor_id, cause=f"import:{self.run_id}", at=self.context.at)
            self._write_down(session, notes=self.notes.up_to(self.position))

    def _sized_batches(self) -> Iterator[Batch]:
        """Batches that hold SQLite's lock as long as they may, each sized by those before it."""
        records, size = self._records(), SMALLEST_BATCH
        paces: deque[float] = deque(maxlen=PACES)
        while (batch := self._next_batch(records, size)).size:
            yield batch
            paces.append(batch.seconds / batch.size)
            size = max(SMALLEST_BATCH, min(LARGEST_BATCH, 2 * size, int(LOCK_TARGET_SECONDS / max(min(paces), 1e-6))))

    def _batches_ahead(self) -> Iterator[Batch]:
        """Batches of one size, each read while PostgreSQL works on the one before."""
        records = self._records()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="regulars-reading") as reader:

            def read() -> Future[Batch]:
                return reader.submit(copy_context().run, self._next_batch, records, LARGEST_BATCH // 2)

            coming = read()
            while (batch := coming.result()).size:
                coming = read()
                yield batch

    def _records(self) -> Iterator[tuple[int, Sequence[str], Any]]:
        """``(number, cells, value or Rejected)`` of every record; those already applied are parsed for the importer's memory only."""
        wanted = [(index, name) for index, heading in enumerate(self.inspection.header) if (name := self.mapping.get(heading)) is not None]
        indexes, names = zip(*wanted, strict=True)
        # One column's cell would come without the tuple around it.
        cells_of = itemgetter(*indexes) if len(indexes) > 1 else lambda cells: (cells[indexes[0]],)
        parse, context, position = self.importer.parse, self.context, self.position
        for raw in read_records(self.path, self.inspection):
            if isinstance(raw, BadRecord):
                if raw.number > position:
                    yield raw.number, raw.cells, Rejected(self.mapping.get(raw.column, raw.column), raw.code, raw.message)
                continue
            number, cells = raw
            try:
                value: Any = parse(dict(zip(names, cells_of(cells), strict=False)), context, number)
            except Rejected as refusal:
                value = refusal
            if number > position:
                yield number, cells, value

    def _next_batch(self, records: Iterator[tuple[int, Sequence[str], Any]], size: int) -> Batch:
        batch = Batch()
        for number, cells, value in islice(records, size):
            batch.last = number
            if isinstance(value, Rejected):
                batch.rejections.append((number, value.field, value.code, str(value.message), cells))
            else:
                batch.records.append(Record(number, value))
                batch.cells.append(cells)
        return batch

    def _commit(self, batch: Batch) -> float:
        """Apply a batch; again when the database asks for it. Returns the seconds others had to wait for it."""
        noted = self.notes.pending
        for attempt in range(RETRIES):
            try:
                return self._attempt(batch, optimistic=attempt == 0)
            except Exception as failure:
                if not _asks_again(getattr(failure, "orig", failure)) or attempt == RETRIES - 1:
                    raise
                self.notes.rewind(noted, batch.last)
                # SQLite waits for the lock itself.
                if not self.small_batches:
                    time.sleep(0.05 * 2**attempt)
            finally:
                self.seen.forget()
                self.journal.entries.clear()
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, batch: Batch, *, optimistic: bool) -> float:
        with self.transaction(optimistic) as session:
            session.connection()
            started = time.perf_counter()
            outcomes = self.importer.apply(session, batch.records, self.context) if batch.records else []
            rejections = list(batch.rejections)
            counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
            rejections.extend(
                (record.number, outcome.field, outcome.code, str(outcome.message), cells)
                for record, cells, outcome in zip(batch.records, batch.cells, outcomes, strict=True)
                if isinstance(outcome, Rejected)
            )
            self.journal.write(session, actor_id=self.actor_id, cause=f"import:{self.run_id}", at=self.context.at)
            columns = ("run_id", "record", "field", "code", "message", "cells")
            if rejections:
                kept = (
                    (self.run_id, *rejection[:3], masked(rejection[3]), [masked(cell) for cell in rejection[4]]) for rejection in rejections
                )
                insert_rows(session, ImportReject.__table__, columns, kept)
            insert_rows(
                session, ImportBatch.__table__, ("run_id", "last_record", "touched"), [(self.run_id, batch.last, self.seen.packed())]
            )
            self._advance(session, batch.last, counts, len(rejections))
        held = time.perf_counter() - (session.info.get(FIRST_WRITE, started) if optimistic else started)
        self.seen.keep()
        self.notes.keep(batch.last)
        self.position = batch.last
        return held

    def _advance(self, session: Session, position: int, counts: dict[Outcome, int], rejected: int) -> None:
        values = {
            "run": self.run_id,
            "my_fence": self.fence,
            "now_at": position,
            "now_noted": self.notes.up_to(position),
            "until": self.lease(),
            "more_rejected": rejected,
            **{f"more_{outcome.value}": count for outcome, count in counts.items()},
        }
        self._mine(session.connection().execute(_ADVANCE, values))

    def _write_down(self, session: Session, **values: Any) -> None:
        """Set columns of the run."""
        mine = sa.and_(_RUN.c.id == self.run_id, _RUN.c.fence == self.fence)
        self._mine(session.connection().execute(sa.update(_RUN).where(mine).values(values)))

    def _mine(self, moved: sa.CursorResult[Any]) -> None:
        if moved.rowcount != 1:
            raise LostLease


def _asks_again(failure: BaseException | None) -> bool:
    """Whether the database only wants the same once more: somebody else wrote between, or stood in the way."""
    return getattr(failure, "sqlstate", None) in RETRIED_SQLSTATES or getattr(failure, "sqlite_errorname", "").startswith("SQLITE_BUSY")


_RUN = ImportRun.__table__
_ADVANCE = (
    sa.update(_RUN)
    .where(_RUN.c.id == sa.bindparam("run"), _RUN.c.fence == sa.bindparam("my_fence"), _RUN.c.state == RunState.RUNNING)
    .values(
        {
            "position": sa.bindparam("now_at"),
            "notes": sa.bindparam("now_noted"),
            "leased_until": sa.bindparam("until"),
            "rejected": _RUN.c.rejected + sa.bindparam("more_rejected"),
            **{outcome.value: _RUN.c[outcome.value] + sa.bindparam(f"more_{outcome.value}") for outcome in Outcome},
        }
    )
)
