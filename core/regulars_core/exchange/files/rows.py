"""The rows that readers of all formats give, before and after they are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from regulars_plugin_api.exchange import ColumnType
from regulars_plugin_api.i18n import Text


class Number(str):
    """A fraction that the file holds as a number, not as text: its decimal mark is a point, whatever people wrote elsewhere."""

    __slots__ = ()


class Flaw(NamedTuple):
    """Why a cell, or the whole row, can't be taken."""

    code: str
    message: Text


WHOLE_ROW = -1
ROWS_AT_ONCE = 100


class FlawedRow(list[str]):
    """A row with cells that can't be taken; those are empty here, and ``flaws`` says why by column (or ``WHOLE_ROW``)."""

    __slots__ = ("flaws",)

    def __init__(self, cells: list[str], flaws: dict[int, Flaw]) -> None:
        super().__init__(cells)
        self.flaws = flaws


RawRecord = tuple[int, list[str]]
"""A record's number (from 1, the header not counted) and its cells, one for each column of the header."""


@dataclass(frozen=True)
class BadRecord:
    """A record that can't be taken as it stands in the file; ``column`` is empty when it is no single one."""

    number: int
    code: str
    message: Text
    column: str
    cells: tuple[str, ...]


ColumnsHint = Callable[[tuple[str, ...]], Mapping[str, ColumnType]]
"""Told a header, names the columns that will be imported and what they hold; nothing for a row that is no header."""
