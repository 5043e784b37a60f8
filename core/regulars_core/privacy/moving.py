"""The rows of one table go from one customer to another, and back. Works on what the database reports, with or without the plugin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit.journal import BulkJournal
from regulars_core.privacy.tables import Reference
from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import BigInt
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import _
from regulars_plugin_api.manifest import Merge

Step = dict[str, Any]


def move(session: Session, reference: Reference, keep_id: int, drop_id: int, journal: BulkJournal) -> Step | None:
    """Re-point rows; what was moved, summed and dropped, or None if there was nothing. Raises ``NotAllowedYet`` on a conflict."""
    table, column, rule = reference.table, reference.column, reference.rule
    mine = table.c[column] == drop_id
    if rule.merge is Merge.HOOK or session.scalar(sa.select(sa.literal(1)).select_from(table).where(mine).limit(1)) is None:
        return None
    step: Step = {"table": table.name, "columns": list(table.c.keys()), "column": column, "key": reference.key, "sums": [], "dropped": []}
    if rule.merge is Merge.SUM:
        step["sums"] = _sum(session, reference, keep_id, drop_id)
    if rule.merge in (Merge.SUM, Merge.UNION):
        doomed = sa.and_(mine, sa.or_(_has_twin(reference, keep_id), *(table.c[other] == keep_id for other in reference.others)))
        step["dropped"] = _drop(session, reference, doomed)
    step["moved"] = [list(row) for row in session.execute(sa.select(*_key(reference.key, table)).where(mine))]
    try:
        session.execute(sa.update(table).where(mine).values({column: keep_id}))
    except sa.exc.IntegrityError as conflict:
        raise _conflict(reference) from conflict
    if step["key"] == ("id",):
        journal.updated(table.name, ((row_id, column, drop_id, keep_id) for (row_id,) in step["moved"]))
        journal.deleted(table.name, _ids(step), owner=drop_id)
    return step


def move_back(session: Session, step: Step, keep_id: int, drop_id: int, journal: BulkJournal) -> None:
    """Take ``move`` back; rows that went elsewhere meanwhile stay there. Raises ``NotAllowedYet`` where something is in the way."""
    table = sa.table(step["table"], *map(sa.column, step["columns"]))
    column = table.c[step["column"]]
    parts = _key(step["key"], table)
    names = [f"key_{place}" for place in range(len(parts))]
    here = sa.and_(column == keep_id, *(part == sa.bindparam(name) for part, name in zip(parts, names, strict=True)))
    try:
        if list(step["key"]) == ["id"]:
            with staged(session, {"id": BigInt}, step["moved"]) as stage:
                mine = sa.and_(column == keep_id, table.c.id.in_(sa.select(stage.c.id)))
                still = session.scalars(sa.select(table.c.id).where(mine)).all()
                journal.updated(table.name, ((row_id, column.name, keep_id, drop_id) for row_id in still))
                # A savepoint, so that a conflict leaves a transaction in which the staging table can go.
                with session.begin_nested():
                    session.execute(sa.update(table).where(mine).values({column.name: drop_id}))
            journal.created(table.name, _ids(step))
        elif step["moved"]:
            back = sa.update(table).where(here).values({column.name: drop_id})
            session.connection().execute(back, [dict(zip(names, key, strict=True)) for key in step["moved"]])
        for key, amounts in step["sums"]:
            less = sa.update(table).where(here).values({name: table.c[name] - amount for name, amount in amounts.items()})
            session.execute(less, dict(zip(names, key, strict=True)))
        _insert(session, table, step["dropped"])
    except sa.exc.IntegrityError as conflict:
        raise NotAllowedYet(_("The merge can't be taken back: something new in %(table)s is in the way.", table=table.name)) from conflict


def _has_twin(reference: Reference, keep_id: int) -> sa.ColumnElement[bool]:
    """True for rows that the customer who stays has already, by a unique key or by what the map calls the same."""
    table, other = reference.table, reference.table.alias("other")
    same = [sa.and_(sa.true(), *(other.c[name] == table.c[name] for name in key)) for key in reference.unique]
    if reference.rule.same:
        same.append(sa.and_(*(other.c[name].is_not_distinct_from(table.c[name]) for name in reference.rule.same)))
    return sa.exists().where(other.c[reference.column] == keep_id, sa.or_(sa.false(), *same)).correlate(table)


def _sum(session: Session, reference: Reference, keep_id: int, drop_id: int) -> list[Any]:
    table, stays = reference.table, reference.table.alias("stays")
    rule, column = reference.rule, reference.column
    same = sa.or_(sa.false(), *(sa.and_(sa.true(), *(stays.c[name] == table.c[name] for name in key)) for key in reference.unique))
    key = _key(reference.key, stays)
    pairs = sa.select(*key, *(table.c[name] for name in rule.add)).where(table.c[column] == drop_id, stays.c[column] == keep_id, same)
    sums = [(list(row[: len(key)]), dict(zip(rule.add, row[len(key) :], strict=True))) for row in session.execute(pairs)]
    for values, amounts in sums:
        mine = [part == value for part, value in zip(_key(reference.key, table), values, strict=True)]
        more = {name: table.c[name] + amount for name, amount in amounts.items()}
        session.execute(sa.update(table).where(table.c[column] == keep_id, *mine).values(more))
    return sums


def _drop(session: Session, reference: Reference, doomed: sa.ColumnElement[bool]) -> list[str]:
    table = reference.table
    for child, column, target in reference.children:
        pointing = sa.table(child, sa.column(column))
        used = sa.select(sa.literal(1)).where(pointing.c[column].in_(sa.select(table.c[target]).where(doomed)))
        if session.scalar(used.limit(1)) is not None:
            raise _conflict(reference)
    rows = _as_json(session, table, doomed)
    if rows:
        session.execute(sa.delete(table).where(doomed))
    return rows


def _key(names: Sequence[str], table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """What names a row beside the customer's column; as text unless it is the plain number."""
    return [table.c.id] if list(names) == ["id"] else [sa.cast(table.c[name], sa.Text) for name in names] or [sa.literal("")]


def _as_json(session: Session, table: sa.TableClause, which: sa.ColumnElement[bool]) -> list[str]:
    """Rows whole, exactly as the database keeps them."""
    if session.get_bind().dialect.name == "postgresql":
        whole = sa.cast(sa.func.to_json(sa.literal_column(f'"{table.name}"')), sa.Text)
        return list(session.scalars(sa.select(whole).select_from(table).where(which)))
    return [json.dumps(dict(row), default=_hex) for row in session.execute(sa.select(table).where(which)).mappings()]


def _insert(session: Session, table: sa.TableClause, rows: Iterable[str]) -> None:
    for row in rows:
        if session.get_bind().dialect.name == "postgresql":
            name = f'"{table.name}"'
            whole = f"INSERT INTO {name} SELECT * FROM json_populate_record(NULL::{name}, CAST(:row AS json))"  # noqa: S608 - from the catalogue
            session.execute(sa.text(whole), {"row": row})
        else:
            session.execute(sa.insert(table).values(json.loads(row, object_hook=_unhex)))


def _ids(step: Step) -> list[int]:
    return [json.loads(row)["id"] for row in step["dropped"]]


def _hex(value: bytes) -> dict[str, str]:
    return {"hex": value.hex()}


def _unhex(found: dict[str, Any]) -> Any:
    return bytes.fromhex(found["hex"]) if found.keys() == {"hex"} else found


def _conflict(reference: Reference) -> NotAllowedYet:
    return NotAllowedYet(
        _("Both customers have something in %(table)s that can be there only once. Nothing was merged.", table=reference.table.name)
    )
