"""Made-up rows in every table of a plugin, in which each piece of text can be found again."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.db import UtcDateTime
from regulars_plugin_api.ids import uuid7
from regulars_testkit.conformance.subject import Subject

Place = tuple[str, str]
Markers = dict[Place, str]
"""(table, column) -> the text that was planted there."""

MARKER = 12
_WELL_KNOWN = {"currency": "EUR", "country": "SE", "timezone": "Europe/Stockholm", "language": "en", "locale": "en"}
_MADE_UP: dict[type[sa.types.TypeEngine[Any]], Callable[[int], Any]] = {
    sa.Boolean: lambda number: False,
    sa.Integer: lambda number: number,
    sa.Numeric: lambda number: Decimal(number),
    sa.DateTime: lambda number: dt.datetime(2026, 1, 5, 12) + dt.timedelta(minutes=number),
    sa.Date: lambda number: dt.date(2026, 1, 5) + dt.timedelta(days=number),
    sa.Time: lambda number: dt.time(12, number % 60),
    sa.Interval: lambda number: dt.timedelta(minutes=number),
}


class Gardener:
    """Plants rows. ``core`` are ids of the platform's rows that may be pointed at, by table."""

    def __init__(self, subject: Subject, core: dict[str, int]) -> None:
        self._tables = subject.tables
        self._core = core
        self._numbers = itertools.count(1)
        self._planted: set[int] = set()

    def plant(self, session: Session, customer_id: int) -> Markers:
        """Add a row to each table, tied to the customer where the table has such a column, and to one another.

        Asked again for the same customer, it leaves out tables that hold one row for each.
        """
        known = {**self._core, "customer": customer_id}
        markers: Markers = {}
        for table in self._tables:
            found: Markers = {}
            row = self._row(table, known, found)
            try:
                with session.begin_nested():
                    keys = session.connection().execute(sa.insert(table).values(row)).inserted_primary_key
            except sa.exc.IntegrityError:
                if customer_id in self._planted:
                    continue
                raise
            markers |= found
            if keys is not None and len(keys) == 1:
                known[table.name] = keys[0]
        self._planted.add(customer_id)
        return markers

    def _row(self, table: sa.Table, known: dict[str, int], markers: Markers) -> dict[str, Any]:
        number = next(self._numbers)
        return {one.name: self._value(one, number, known, markers) for one in table.columns if not _is_given_by_database(one)}

    def _value(self, column: sa.Column[Any], number: int, known: dict[str, int], markers: Markers) -> Any:
        for key in column.foreign_keys:
            target = key.target_fullname.partition(".")[0]
            if target in known or column.nullable:
                return known.get(target)
        default = column.default.arg if isinstance(column.default, sa.ColumnDefault) and column.default.is_scalar else None
        if default not in (None, "", [], {}):
            return default
        return _made_up(column, number, markers)


def _is_given_by_database(column: sa.Column[Any]) -> bool:
    is_number = column.primary_key and isinstance(column.type, sa.Integer) and not column.foreign_keys
    return (is_number and len(column.table.primary_key.columns) == 1) or column.computed is not None or column.identity is not None


def _made_up(column: sa.Column[Any], number: int, markers: Markers) -> Any:
    kind = column.type
    if isinstance(kind, sa.Enum):
        return next(iter(kind.enum_class)) if kind.enum_class else kind.enums[0]
    if isinstance(kind, UtcDateTime):
        return dt.datetime(2026, 1, 5, 12, number % 60, tzinfo=dt.UTC)
    if isinstance(kind, sa.TypeDecorator) and kind.impl_instance._type_affinity is sa.Integer:
        return Decimal(number)
    plain = kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind
    for affinity, make in _MADE_UP.items():
        if isinstance(plain, affinity):
            return make(number)
    if isinstance(plain, sa.String):
        return _text(column, plain.length, number, markers)
    marker = markers[column.table.name, column.name] = _marker(number)
    if isinstance(plain, sa.JSON):
        return [marker]
    return marker.encode() if isinstance(plain, sa.LargeBinary) else marker


def _text(column: sa.Column[Any], length: int | None, number: int, markers: Markers) -> str:
    if column.name in _WELL_KNOWN:
        return _WELL_KNOWN[column.name]
    if column.name == "uid" or length == 36:
        return uuid7()
    if length is not None and length < MARKER:
        return str(number)[-length:]
    marker = markers[column.table.name, column.name] = _marker(number)
    return f"https://{marker}.example.com/" if column.name.endswith("url") and (length is None or length > 40) else marker


def _marker(number: int) -> str:
    """Letters and figures that are nowhere else, short enough for most columns."""
    return f"zq{number:02x}{secrets.token_hex(4)}"[:MARKER]
