"""Writing the journal: by itself for every flush, and in bulk for importers.

Values are kept as JSON of what the database keeps, so that undo puts back exactly that.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, UOWTransaction

from regulars_core.audit import chain
from regulars_core.audit.chain import Entry
from regulars_core.audit.models import CREATED, DELETED, ROW
from regulars_plugin_api.db import Quantity, UnitPrice, UtcDateTime, unscaled

# Moved by the ORM on every write: no news to a person, nothing to give back.
SILENT = frozenset({"version", "updated_at", "created_at", "fold_name", "fold_first", "fold_last", "fold_city"})


def as_json(value: Any) -> str | None:
    """A value of the database as journal text; None stays None."""
    return None if value is None else json.dumps(value, ensure_ascii=False, default=_plain)


def from_json(text: str | None, kind: sa.types.TypeEngine[Any]) -> Any:
    """The value that ``as_json`` wrote, as the column's type hands it out."""
    if text is None:
        return None
    value = json.loads(text)
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:
        return kind.enum_class(value)
    if isinstance(kind, sa.Date):
        return dt.date.fromisoformat(value)
    if isinstance(kind, UtcDateTime):
        at = dt.datetime.fromisoformat(value)
        return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at
    if isinstance(kind, Quantity | UnitPrice):
        return unscaled(value, kind.digits)
    return value


def _plain(value: Any) -> str:
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the journal")


def _as_kept(name: str) -> str:
    # SQLAlchemy's names are no plain text: SQLite's driver asks each one, in every row, how it wants to be kept.
    return str(name)


class BulkJournal:
    """Collects what one batch created and changed, then writes it in one statement."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def created(self, table: str, ids: Iterable[int]) -> None:
        """These rows are new."""
        name = _as_kept(table)
        self.entries.extend((name, row_id, ROW, None, CREATED) for row_id in ids)

    def deleted(self, table: str, ids: Iterable[int], owner: int | None = None) -> None:
        """These rows are gone; ``owner`` is the customer they were part of."""
        name, of = _as_kept(table), as_json(owner)
        self.entries.extend((name, row_id, ROW, of, DELETED) for row_id in ids)

    def updated(self, table: str, changes: Iterable[tuple[int, str, Any, Any]]) -> None:
        """``(row id, column, old, new)`` for each changed value, as the database keeps them."""
        name = _as_kept(table)
        self.entries.extend((name, row_id, _as_kept(column), as_json(old), as_json(new)) for row_id, column, old, new in changes)

    def write(self, session: Session, *, actor_id: int | None, cause: str, at: dt.datetime) -> None:
        """Put everything collected into the journal and start afresh."""
        if self.entries:
            chain.append(session, self.entries, actor_id=actor_id, cause=cause, at=at)
            self.entries.clear()


@sa.event.listens_for(Session, "after_flush")
def journal_flush(session: Session, _context: UOWTransaction) -> None:
    """Write what this flush created, changed and deleted."""
    entries = list(_entries(session))
    if not entries:
        return
    at = session.info.get("at") or dt.datetime.now(dt.UTC)
    chain.append(session, entries, actor_id=session.info.get("actor_id"), cause=session.info.get("cause") or "system", at=at)


def _entries(session: Session) -> Iterator[Entry]:
    for row in session.new:
        if (table := _journaled(row)) is not None:
            yield _as_kept(table.name), row.id, ROW, None, CREATED
    for row in session.deleted:
        if (table := _journaled(row)) is not None:
            # Whose it was, so that an erasure finds what the journal knows of rows that went long before.
            yield _as_kept(table.name), row.id, ROW, as_json(_owner(row, table)), DELETED
    dialect = session.get_bind().dialect
    for row in session.dirty:
        if (table := _journaled(row)) is not None:
            yield from _changed(row, table, dialect)


def _journaled(row: Any) -> sa.Table | None:
    table = row.__table__
    rules = table.info.get("dump")
    return table if rules is not None and not rules["journal"] and "id" in table.c else None


def _owner(row: Any, table: sa.Table) -> int | None:
    if "customer_id" not in table.c:
        return None
    history = sa.inspect(row).attrs.customer_id.history
    return next(iter(history.deleted or history.unchanged or ()), None)


def _changed(row: Any, table: sa.Table, dialect: sa.Dialect) -> Iterator[Entry]:
    state = sa.inspect(row)
    for attribute in state.mapper.column_attrs:
        column = attribute.columns[0]
        history = state.attrs[attribute.key].history
        if column.name in SILENT or column.name in table.info["dump"]["omit"] or not history.has_changes():
            continue
        # What is kept as JSON is fit for the journal as it is; each driver would wrap it in its own way.
        process = None if isinstance(column.type, sa.JSON) else column.type.dialect_impl(dialect).bind_processor(dialect)
        keep = process or (lambda value: value)
        old = keep(history.deleted[0]) if history.deleted and history.deleted[0] is not None else None
        new = keep(history.added[0]) if history.added and history.added[0] is not None else None
        if old != new:
            yield _as_kept(table.name), row.id, _as_kept(column.name), as_json(old), as_json(new)
