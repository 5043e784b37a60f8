"""Who makes use of rows that an import created: the question undo asks before it deletes one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session, aliased

from regulars_core.audit.models import Change
from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import Base, BigInt
from regulars_plugin_api.exchange import Importer
from regulars_plugin_api.i18n import _


@dataclass(frozen=True)
class Reference:
    """A foreign key as the database reports it, also of plugins that are not installed any more."""

    child: str
    column: str
    parent: str


class References:
    """The foreign keys of a database, seen from the rows of one import."""

    def __init__(self, engine: sa.Engine, importer: Importer, mine: tuple[str, str]) -> None:
        self.importer, self.mine = importer, mine
        inspector = sa.inspect(engine)
        self.keys = [
            Reference(table, key["constrained_columns"][0], key["referred_table"])
            for table in inspector.get_table_names()
            for key in inspector.get_foreign_keys(table)
        ]

    def present(self, session: Session, table: str, ids: Sequence[int]) -> dict[int, int | None]:
        """The rows that are still there, with the record each is part of; None for records themselves and what they refer to."""
        model = Base.metadata.tables[table]
        owner = next(
            (key.column for key in self.keys if key.child == table and key.parent == self.importer.root and table != key.parent), None
        )
        owned_by = model.c[owner] if owner else sa.null()
        with staged(session, {"id": BigInt}, ((row_id,) for row_id in ids)) as stage:
            return {
                row.id: row[1] for row in session.execute(sa.select(model.c.id, owned_by).join_from(stage, model, model.c.id == stage.c.id))
            }

    def in_use(self, session: Session, table: str, ids: Sequence[int]) -> dict[int, LazyString]:
        """Row -> why it has to stay."""
        found: dict[int, LazyString] = {}
        with staged(session, {"id": BigInt}, ((row_id,) for row_id in ids)) as stage:
            changed = sa.select(stage.c.id).join(Change, self._changed_by_others(table, stage.c.id)).distinct()
            found.update(dict.fromkeys(session.scalars(changed), _("It was changed since.")))
            for query in self._uses(table, stage):
                found.update(dict.fromkeys(session.scalars(query), _("Somebody has made use of it since.")))
        return found

    def changed_by_others(self, session: Session, table: str, column: str, ids: Sequence[int]) -> set[int]:
        """The rows whose ``column`` others changed after the import, going by the journal alone."""
        if not ids:
            return set()
        with staged(session, {"id": BigInt}, ((row_id,) for row_id in ids)) as stage:
            ours = sa.select(sa.func.max(Change.id)).where(
                Change.table_name == table, Change.row_id == stage.c.id, Change.column_name == column, Change.cause == self.mine[0]
            )
            theirs = sa.select(stage.c.id).join(Change, self._changed_by_others(table, stage.c.id))
            since = Change.id > ours.correlate(stage).scalar_subquery()
            return set(session.scalars(theirs.where(Change.column_name == column, since)))

    def _uses(self, table: str, stage: sa.TableClause) -> Iterator[sa.Select[Any]]:
        for key in self.keys:
            if key.parent != table or Base.metadata.tables.get(key.child, _NO_TABLE).info.get("dump", {}).get("derived"):
                continue
            child = sa.table(key.child, sa.column("id", BigInt), sa.column(key.column, BigInt))
            uses = sa.select(stage.c.id).join(child, child.c[key.column] == stage.c.id).distinct()
            if table == self.importer.root and key.child in self.importer.tables:
                # Part of the record: it counts only when somebody else added or changed it. The journal has nothing on rows without an id.
                if "id" not in Base.metadata.tables[key.child].c:
                    continue
                uses = uses.join(Change, self._changed_by_others(key.child, child.c.id))
            yield uses

    def _changed_by_others(self, table: str, row_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        taken_back = aliased(Change)
        # What another import changed and its undo gave back is as if it had never been.
        was_taken_back = sa.exists().where(
            taken_back.table_name == Change.table_name,
            taken_back.row_id == Change.row_id,
            taken_back.column_name == Change.column_name,
            taken_back.cause == sa.literal("undo:") + sa.func.substr(Change.cause, len("import:") + 1),
        )
        return sa.and_(
            Change.table_name == table,
            Change.row_id == row_id,
            Change.cause.not_in(self.mine),
            Change.cause.not_like("undo:%"),
            sa.not_(sa.and_(Change.cause.like("import:%"), was_taken_back)),
        )


_NO_TABLE = sa.Table("none", sa.MetaData())
