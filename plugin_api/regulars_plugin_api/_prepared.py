"""Statements that pages ask again and again: compiled once, and from then on given to the driver as text.

SQLAlchemy reads all of a statement each time, to find it among those it has compiled; that takes longer than most of them run.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import ExpandedState
from sqlalchemy.types import TupleType

MOST_TEXTS = 64
"""How many texts of a statement are kept: it has one for each length of the lists it is given, unless those are arrays."""
FEW = 10
"""How many numbers of a list make no array: PostgreSQL expects as many of any, and would plan for fewer anew each time."""
Values = Mapping[str, Any]
PLANNED_ANEW: Mapping[str, Any] = {"planned_anew": True}
Process = Callable[[Any], Any]
_CURSOR = "regulars.cursor"


def rows(connection: sa.Connection, statement: Any, values: Values | None = None, options: Values | None = None) -> Sequence[Any]:
    """What ``connection.execute(statement, values, execution_options=options).all()`` answers.

    A statement that comes for the first time is asked in the ordinary way: it may have been made for this once.
    """
    known = _statements.get(statement)
    if known is None:
        _statements[statement] = _known(statement)
    if known is None or not known.serves(values or {}):
        return connection.execute(statement, values, execution_options=options).all()
    return known.text(connection.dialect, statement, values or {}).rows(connection, values or {}, options)


def told(connection: sa.Connection, failure: Any) -> BaseException:
    """A failure that the driver reported past SQLAlchemy, as SQLAlchemy would tell it."""
    known: BaseException = sa.exc.DBAPIError.instance(None, None, failure, Exception, dialect=connection.dialect)
    return known


class _Known(NamedTuple):
    """The texts of a statement, and what they depend on: values that are lists, and values that are written into the text."""

    texts: dict[Any, _Text]
    lists: Sequence[str]
    arrays: frozenset[str]
    written: Sequence[str]
    needed: frozenset[str]
    is_plain: bool

    def serves(self, values: Values) -> bool:
        """Not values that may be left out, nor lists of tuples; and SQLAlchemy says it well when one is missing."""
        return self.is_plain and self.needed <= values.keys()

    def text(self, dialect: sa.Dialect, statement: Any, values: Values) -> _Text:
        many = {name for name in self.arrays if len(values[name]) > FEW} if dialect.name == "postgresql" else ()
        lengths = [None if name in many else len(values[name]) for name in self.lists]
        shape = (dialect.name, *lengths, *[values[name] for name in self.written])
        found = self.texts.get(shape)
        if found is None:
            if len(self.texts) >= MOST_TEXTS:
                self.texts.clear()
            found = self.texts[shape] = _Text(_with_arrays(statement, many) if many else statement, dialect, values)
        return found


_statements: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()


def _known(statement: Any) -> _Known:
    # Those that are unique are values which stand in the statement itself.
    parts: list[Any] = list(visitors.iterate(statement))
    asked = [one for one in parts if isinstance(one, sa.BindParameter) and not one.unique]
    lists = {one.key for one in asked if one.expanding}
    arrays = frozenset(one.right.key for one in parts if _is_among(one))
    written = {one.key for one in asked if one.literal_execute} - lists
    is_plain = all(one.required and not isinstance(one.type, TupleType) for one in asked)
    return _Known({}, sorted(lists), arrays, sorted(written), frozenset(one.key for one in asked), is_plain)


class _Array(sa.TypeDecorator[Sequence[int]]):
    """Numbers as PostgreSQL writes an array, which the driver would take longer to put together than the statement runs."""

    impl = sa.ARRAY(sa.BigInteger)
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Process:
        return lambda numbers: f"{{{','.join(['NULL' if one is None else str(one) for one in numbers])}}}"


_AMONG: Mapping[Any, Callable[[Any, Any], Any]] = {
    operators.in_op: lambda one, array: one == sa.func.any(array),
    operators.not_in_op: lambda one, array: one != sa.func.all(array),
}


def _is_among(part: Any) -> bool:
    """Whether it asks for one of a list of numbers, or for none of them."""
    if not (isinstance(part, sa.BinaryExpression) and part.operator in _AMONG and isinstance(part.right, sa.BindParameter)):
        return False
    return part.right.expanding and not part.right.unique and isinstance(part.right.type, sa.Integer)


def _with_arrays(statement: Any, names: Container[str]) -> Any:
    """The statement with arrays for these lists of numbers.

    It is one statement for lists of any length, and of numbers of any size: the driver tells small ones from big ones, and PostgreSQL
    would have to be asked anew for each way they are mixed.
    """

    def replaced(element: Any, **_about: Any) -> Any:
        if not _is_among(element) or element.right.key not in names:
            return None
        return _AMONG[element.operator](element.left, sa.bindparam(element.right.key, type_=_Array()))

    return visitors.replacement_traverse(statement, {}, replaced)


class _Given(NamedTuple):
    """One value, or a list of them, that the text is waiting for; or one that is the same each time."""

    key: str | None
    is_list: bool = False
    process: Process | None = None
    same: Any = None


class _Text:
    """A statement as one database is asked it, with lists of one length."""

    def __init__(self, statement: Any, dialect: sa.Dialect, values: Values) -> None:
        compiled = statement.compile(dialect=dialect)
        state = compiled.construct_expanded_state(values)
        self._sql, self._dialect = state.statement, dialect
        self._names = list(state.positiontup if dialect.positional else state.parameters)
        processes = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
        self._given = list(_given(self._names, state, values, processes))
        self._types = [column.type for column in statement.exported_columns]
        self._may_be_asked_again = not statement.is_dml
        self._answer: tuple[SimpleResultMetaData, list[tuple[int, Process]]] | None = None

    def rows(self, connection: sa.Connection, values: Values, options: Values | None) -> Sequence[Any]:
        given = self._filled(values)
        found = self._at_once(connection, given, is_anew=options == PLANNED_ANEW) if options in (None, PLANNED_ANEW) else None
        if found is None:
            result = connection.exec_driver_sql(self._sql, given, execution_options=options)
            self._answer = self._answer or (SimpleResultMetaData(list(result.keys())), self._processes(result))
            found = result.all()
        shape, processes = self._answer  # type: ignore[misc]
        return IteratorResult(shape, _processed(found, processes)).all()

    def _filled(self, values: Values) -> Any:
        given: list[Any] = []
        for key, is_list, process, same in self._given:
            if key is None:
                given.append(same)
            elif is_list:
                given.extend(values[key] if process is None else map(process, values[key]))
            else:
                given.append(values[key] if process is None else process(values[key]))
        return tuple(given) if self._dialect.positional else dict(zip(self._names, given, strict=True))

    def _at_once(self, connection: sa.Connection, given: Any, *, is_anew: bool) -> Sequence[Any] | None:
        """What the driver itself answers, which SQLAlchemy takes as long to accompany as many a statement runs.

        None if it is to be asked in the ordinary way: because somebody listens to statements, or because it failed where nothing is
        spoilt by that, which SQLAlchemy knows how to tell and what to do about.
        """
        if self._answer is None or connection.dispatch.before_cursor_execute:
            return None
        driver: Any = connection.connection.driver_connection
        on_sqlite = self._dialect.name == "sqlite"
        try:
            if on_sqlite:
                rows: Sequence[Any] = driver.execute(self._sql, given).fetchall()
            else:
                # One cursor for as long as the connection stands: the driver takes longer to make one than to use it.
                cursor = connection.info.get(_CURSOR) or connection.info.setdefault(_CURSOR, driver.cursor())
                rows = cursor.execute(self._sql, given, prepare=False if is_anew else None).fetchall()
        except self._dialect.loaded_dbapi.Error as failure:
            if self._may_be_asked_again and (on_sqlite or driver.autocommit):
                return None
            raise told(connection, failure) from failure
        return rows

    def _processes(self, result: sa.CursorResult[Any]) -> list[tuple[int, Process]]:
        found = []
        for place, (kind, about) in enumerate(zip(self._types, result.cursor.description, strict=True)):
            process = kind.dialect_impl(self._dialect).result_processor(self._dialect, about[1])
            if process is not None:
                found.append((place, process))
        return found


def _given(names: Sequence[str], state: ExpandedState, values: Values, processes: Mapping[str, Process | None]) -> Iterator[_Given]:
    places = {name: (key, place) for key, expanded in state.parameter_expansion.items() for place, name in enumerate(expanded)}
    for name in names:
        key, place = places.get(name, (name, None))
        process = processes[key]
        if key not in values:
            same = state.parameters[name]
            yield _Given(None, same=same if process is None else process(same))
        elif not place:
            yield _Given(key, is_list=place is not None, process=process)


def _processed(found: Sequence[Any], processes: Sequence[tuple[int, Process]]) -> Iterator[Any]:
    if not processes:
        return iter(found)
    return (_converted(list(row), processes) for row in found)


def _converted(values: list[Any], processes: Sequence[tuple[int, Process]]) -> list[Any]:
    for place, process in processes:
        values[place] = process(values[place])
    return values
