"""Importers and exporters: what a kind of record looks like in a file, and how a batch of it enters or leaves the database.

The engine reads the file, finds or asks for encoding, delimiter, date order and decimal mark, cuts it into batches, and gives each
batch one transaction. The importer turns a row of text into a value (``parse``) and a batch of values into rows (``apply``).
Everything an importer creates or changes it tells the ``Journal``: undo gives it back from there.
"""

from __future__ import annotations

import datetime as dt
import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from regulars_plugin_api.values import BadValue

Mode = Literal["create", "update", "upsert"]
T = TypeVar("T")


class ColumnType(enum.Enum):
    """What a column holds, so that date order and decimal mark are looked for where they matter."""

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    DATETIME = "datetime"
    NUMBER = "number"


@dataclass(frozen=True)
class Column:
    """A canonical column: its fixed ``name``, its title for people, and other headings it is known by (in any language)."""

    name: str
    title: LazyString | str
    type: ColumnType = ColumnType.TEXT
    required: bool = False
    aliases: tuple[str, ...] = ()


class Rejected(Exception):
    """One record can't be taken: which field, a stable code, and a sentence for the person who has to mend it."""

    def __init__(self, field: str, code: str, message: LazyString | str) -> None:
        super().__init__(code)
        self.field, self.code, self.message = field, code, message


def parsed(row: Mapping[str, str], field: str, parse: Callable[..., T], *args: Any) -> T | None:
    """The value of ``field``, or None where the row has none. What ``parse`` can't read is ``Rejected`` under the field's name."""
    raw = row.get(field)
    if not raw or raw.isspace():
        return None
    try:
        return parse(raw, *args)
    except BadValue as bad:
        raise Rejected(field, bad.code, bad.message) from bad


class Record(NamedTuple):
    """A record that was read and parsed; ``number`` counts from 1, the header not counted."""

    number: int
    value: Any


class Outcome(enum.Enum):
    """What became of one record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED = "merged"


@dataclass(frozen=True)
class StoreRef:
    """A store as importers need it."""

    id: int
    code: str
    timezone: ZoneInfo
    currency: str
    country: str | None


class Journal(Protocol):
    """Where an importer writes down what it did, in the same transaction."""

    def created(self, table: str, ids: Iterable[int]) -> None:
        """These rows are new."""

    def updated(self, table: str, changes: Iterable[tuple[int, str, Any, Any]]) -> None:
        """``(row id, column, old, new)`` for each changed value, as the database keeps them."""


@dataclass
class ImportContext:
    """What an importer may know about the run it works for."""

    run_id: int
    source: str
    mode: Mode
    at: dt.datetime
    columns: frozenset[str]
    date_order: Literal["dmy", "mdy", "ymd"] | None
    decimal: Literal[",", "."] | None
    country: str | None
    timezone: ZoneInfo | None
    chain_timezone: ZoneInfo
    chain_currency: str
    stores: Mapping[str, StoreRef]
    journal: Journal
    seen: Seen
    notes: Notes
    memory: dict[str, Any] = field(default_factory=dict)
    """Kept for the whole run and rebuilt by ``parse`` after a restart: count here what must be counted over the whole file."""


class Seen(Protocol):
    """Which rows this run has touched already, whatever batch that was in."""

    def first_time(self, table: str, row_id: int) -> bool:
        """True once per row and run; from then on the record that asks is *merged* into an earlier one."""


class Notes(Protocol):
    """Oddities that do not stop a record. Counted per code; the first few records are named."""

    def add(self, code: str, message: LazyString | str, record: int, amount: int = 1) -> None:
        """Note ``code`` for ``record``."""


class Importer(ABC):
    """A kind of record that can be imported. One instance serves one run."""

    kind: ClassVar[str]
    title: ClassVar[LazyString | str]
    permission: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    root: ClassVar[str]
    """The table that holds one row per record."""
    tables: ClassVar[tuple[str, ...]]
    """Tables it writes, in the order undo clears them: parts of a record, then the records (``root``), then what they refer to.

    Rows that are created together with their record need not be journaled one by one: they go with it by CASCADE.
    """

    @abstractmethod
    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> Any:
        """Turn canonical column -> text into a value, without the database. Raises ``Rejected``.

        Called once per record in the order of the file, also for records before the point where an interrupted run goes on. The next
        batch may be parsed in another thread while ``apply`` works on this one: what the two share must bear that.
        """

    @abstractmethod
    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """Match, insert and update a batch in a constant number of statements; one outcome per record, in order."""

    @contextmanager
    def undoing(self, session: Session, deleted: Mapping[str, Sequence[int]], restored: Mapping[str, Sequence[int]]) -> Iterator[None]:
        """Wraps one step of an undo: rows of each table that go, and rows that get old values back, inside the block.

        Look before the ``yield``, put derived values right after it, in the same transaction.
        """
        yield

    def finished(self, session: Session, context: ImportContext) -> None:  # noqa: B027 - most kinds have nothing left to do
        """After the last batch, in a transaction of its own."""


class Exporter(ABC):
    """A kind of record that can be exported, in the columns of the importer of the same kind."""

    kind: ClassVar[str]
    title: ClassVar[LazyString | str]
    permission: ClassVar[str]

    @abstractmethod
    def columns(self, session: Session) -> Sequence[str]:
        """Names of the columns, in order."""

    @abstractmethod
    def rows(self, session: Session, viewer: Any, where: Any | None) -> Iterator[Sequence[Any]]:
        """All rows the viewer may see, streamed in a stable order. ``where`` is a filter of the filter language, or None."""
