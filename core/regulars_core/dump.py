"""``regulars db dump``: all business data as sorted JSON lines, the same on both databases.

Records are named by what people know them by: a code, a number, an external id, else the uid. Surrogate ids, write times and
secrets are left out, so two dumps are equal exactly when the business data are.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.models import ExternalId
from regulars_plugin_api.db import Base

Columns = dict[str, sa.ColumnElement[Any]]


def dump(session: Session, *, journal: bool = False) -> Iterator[str]:
    """One JSON document a line. ``journal`` adds events, changes, import runs and other bookkeeping."""
    present = set(sa.inspect(session.connection()).get_table_names())
    for name, table in sorted(Base.metadata.tables.items()):
        rules = table.info.get("dump")
        # An index over other rows (``customer_search``) says nothing of its own and is another table on each database.
        is_index = rules is not None and rules["derived"] and rules["journal"]
        if rules is not None and not is_index and name in present and (journal or not rules["journal"]):
            yield from _sorted(_lines(session, table))


def _lines(session: Session, table: sa.Table) -> Iterator[str]:
    rules = table.info["dump"]
    source: sa.FromClause = table
    columns: Columns = {}
    keys = {key.parent: key for key in table.foreign_keys}
    for column in table.columns:
        is_surrogate = column.primary_key and column.name not in rules["key"]
        if is_surrogate or column.name in rules["omit"] or (column.name == "uid" and "uid" not in rules["key"]):
            continue
        if column in keys:
            source, columns[column.name.removesuffix("_id")] = name_of(keys[column].column.table, column, source)
        elif table.name == "customer" and column.name == "uid":
            columns["name"] = _customer_name(table)
        else:
            # "record" says which table a line is of.
            columns["number" if column.name == "record" else column.name] = column
    query = sa.select(*(column.label(f"c{place}") for place, column in enumerate(columns.values()))).select_from(source)
    labels = list(columns)
    for row in session.execute(query.execution_options(yield_per=5000)):
        values = {label: value for label, value in zip(labels, map(plain, row), strict=True) if value is not None}
        yield json.dumps({"record": table.name} | values, ensure_ascii=False, sort_keys=True)


def name_of(table: sa.Table, reference: sa.ColumnElement[Any], source: sa.FromClause) -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
    """Join the row that ``reference`` points at; its name as one text."""
    target = table.alias()
    key = target.c[next(iter(table.primary_key.columns)).name]
    source = source.outerjoin(target, key == reference)
    if table.name == "customer":
        return source, _customer_name(target)
    parts: list[sa.ColumnElement[Any]] = []
    for name in table.info["dump"]["key"]:
        foreign = next(iter(table.c[name].foreign_keys), None)
        if foreign is None:
            parts.append(sa.cast(target.c[name], sa.Text))
        else:
            source, part = name_of(foreign.column.table, target.c[name], source)
            parts.append(part)
    name_: sa.ColumnElement[Any] = sa.func.coalesce(parts[0], "")
    for part in parts[1:]:
        name_ = name_ + "/" + sa.func.coalesce(part, "")
    return source, sa.case((key.is_(None), None), else_=name_)


def _customer_name(customer: sa.FromClause) -> sa.ColumnElement[Any]:
    numbers = ExternalId.__table__.alias()
    number = sa.select(sa.func.min(numbers.c.source + ":" + numbers.c.value)).where(numbers.c.customer_id == customer.c.id)
    return sa.func.coalesce(number.correlate(customer).scalar_subquery(), customer.c.uid)


def plain(value: Any) -> Any:
    """A value as JSON keeps it, the same from both databases."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _sorted(lines: Iterator[str]) -> Iterator[str]:
    """Sorted on disk: a chain's receipts do not fit into memory."""
    scratch = sqlite3.connect("")
    try:
        scratch.execute("CREATE TABLE line (text TEXT)")
        scratch.executemany("INSERT INTO line VALUES (?)", ((line,) for line in lines))
        for (line,) in scratch.execute("SELECT text FROM line ORDER BY text"):
            yield line
    finally:
        scratch.close()
