"""A trial run: everything as in the real one, in a place that is thrown away.

On PostgreSQL that is a transaction that is rolled back; SQLite has one writer at a time, so there it is a copy of the database.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.db.database import Database
from regulars_core.exchange.engine import Transaction
from regulars_core.exchange.models import ImportReject, ImportRun
from regulars_plugin_api.bulk import insert_rows

if TYPE_CHECKING:
    from regulars_core.crm import Crm

COUNTS = ("position", "created", "updated", "unchanged", "merged", "rejected", "notes")
REJECT_COLUMNS = ("run_id", "record", "field", "code", "message", "cells")


@contextmanager
def database_to_throw_away(crm: Crm) -> Iterator[Transaction]:
    """Transactions that see the real data and leave no trace."""
    if crm.database.is_sqlite:
        with _copied(crm) as copy:
            yield lambda _optimistic: _quiet(copy)
        return
    with crm.database.engine.connect() as connection:
        outer = connection.begin()
        try:
            yield lambda _optimistic: _inside(connection)
        finally:
            outer.rollback()


@dataclass(frozen=True)
class TrialResult:
    """What a trial run found out."""

    figures: dict[str, Any]
    rejected: list[tuple[Any, ...]]


def result(transaction: Transaction, run_id: int) -> TrialResult:
    """The run's figures and rejected records, as they stand in the place that is about to be thrown away."""
    with transaction(False) as session:
        figures = session.execute(sa.select(*(getattr(ImportRun, name) for name in COUNTS)).where(ImportRun.id == run_id)).one()
        columns = [getattr(ImportReject, name) for name in REJECT_COLUMNS]
        rejected = [tuple(row) for row in session.execute(sa.select(*columns).where(ImportReject.run_id == run_id))]
    return TrialResult(figures._asdict(), rejected)


def keep(crm: Crm, run_id: int, found: TrialResult) -> None:
    """Write what a trial run found out into the real database."""
    with crm.transaction(cause=f"import:{run_id}") as session:
        session.execute(sa.update(ImportRun).where(ImportRun.id == run_id).values(found.figures))
        insert_rows(session, ImportReject.__table__, REJECT_COLUMNS, found.rejected)


@contextmanager
def _copied(crm: Crm) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(dir=crm.config.home, prefix="trial-") as folder:
        path = Path(folder) / "trial.db"
        with sqlite3.connect(str(crm.database.url.database)) as source, sqlite3.connect(path) as target:
            source.backup(target)
        source.close()
        target.close()
        copy = Database(f"sqlite:///{path}")
        try:
            yield copy
        finally:
            copy.dispose()


@contextmanager
def _quiet(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        session.info["emit"] = _tell_nobody
        yield session


@contextmanager
def _inside(connection: sa.Connection) -> Iterator[Session]:
    with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session, session.begin():
        session.info["emit"] = _tell_nobody
        yield session


def _tell_nobody(_session: Session, _event: object) -> None:
    """Nothing happened, so there is nothing to tell."""
