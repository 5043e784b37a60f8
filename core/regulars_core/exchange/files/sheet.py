"""The rows of one sheet, streamed. Formulas are never evaluated, and their stored results never trusted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from xml.parsers import expat

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.archive import Attributes, broken
from regulars_core.exchange.files.problems import FileRefused
from regulars_core.exchange.files.rows import Flaw, FlawedRow, Number
from regulars_core.exchange.files.workbook import Sheet, Shown, Workbook, check_length, unescaped
from regulars_plugin_api.i18n import _

# Excel keeps 15 digits; of a longer number it has thrown the rest away.
_EXACT = 10**15
_MILLISECONDS = 86_400_000
_MERGED = re.compile(r"[A-Z]{1,3}([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})")
_CACHED = 50_000

Cell = str | Flaw


class SheetReader:
    """Reads a sheet once. After that ``merged_below`` says which merged cells reach below a row, if any do."""

    def __init__(self, workbook: Workbook, sheet: Sheet) -> None:
        self._workbook, self._sheet = workbook, sheet
        self._strings, self._shown = workbook.strings, workbook.shown
        self._numbers: dict[tuple[Shown, str], Cell] = {}
        self._merged = (0, "")
        self._pieces: list[str] = []
        self.row_numbers: list[int] = []

    def merged_below(self, row: int) -> str | None:
        """The merged range that ends lowest, if that is below ``row``."""
        last, reference = self._merged
        return reference if last > row else None

    def rows(self) -> Iterator[list[str]]:
        """Rows that hold anything, in order, as wide as their last cell."""
        done: list[list[str]] = []
        parser = self._parser(done.append)
        for _chunk in self._workbook.archive.parse(self._sheet.part, parser):
            yield from done
            done.clear()
            check_length(self._pieces)

    def _parser(self, emit: Callable[[list[str]], None]) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        cells: list[str] = []
        flaws: dict[int, Flaw] = {}
        pieces = self._pieces
        columns: dict[str, int] = {}
        local_names: dict[str, str] = {}
        row = column = phonetic = depth = 0
        row_text = kind = style = ""
        formula = False

        def start(name: str, attributes: Attributes) -> None:
            nonlocal row, row_text, column, kind, style, formula, phonetic, depth
            depth += 1
            local = local_names.get(name)
            if local is None:
                local = local_names[name] = name.rpartition(":")[2]
            if depth > limits.MARKUP_DEPTH or len(local_names) > limits.MARKUP_NAMES:
                raise broken()
            if local == "c":
                reference = attributes.get("r")
                if reference is None:
                    column = len(cells)
                else:
                    letters = reference[: -len(row_text)]
                    known = columns.get(letters)
                    column = columns.setdefault(letters, _column(letters)) if known is None else known
                kind, style, formula = attributes.get("t", "n"), attributes.get("s", ""), False
                pieces.clear()
            elif local == "v" or (local == "t" and not phonetic):
                parser.CharacterDataHandler = pieces.append
            elif local == "f":
                formula = True
            elif local == "row":
                row_text = attributes.get("r") or str(row + 1)
                if not row_text.isdecimal() or int(row_text) <= row:
                    raise broken()
                row = int(row_text)
            elif local == "rPh":
                phonetic += 1
            elif local == "mergeCell":
                match = _MERGED.fullmatch(attributes.get("ref", ""))
                if match:
                    self._merged = max(self._merged, (max(int(match[1]), int(match[2])), match[0]))

        def end(name: str) -> None:
            nonlocal phonetic, depth
            depth -= 1
            local = local_names[name]
            if local in ("v", "t"):
                parser.CharacterDataHandler = None
            elif local == "c":
                raw = "".join(pieces)
                if len(raw) > limits.CELL_CHARACTERS:
                    check_length(pieces)
                if formula or raw:
                    if column < len(cells):
                        raise broken()
                    if column > len(cells):
                        cells.extend([""] * (column - len(cells)))
                    cell = _FORMULA if formula else self._cell(kind, style, raw)
                    if isinstance(cell, str):
                        cells.append(cell)
                    else:
                        flaws[column] = cell
                        cells.append("")
            elif local == "row":
                if cells:
                    if len(self.row_numbers) < 32:
                        self.row_numbers.append(row)
                    emit(FlawedRow(cells.copy(), flaws.copy()) if flaws else cells.copy())
                    cells.clear()
                    flaws.clear()
            elif local == "rPh":
                phonetic -= 1

        parser.StartElementHandler, parser.EndElementHandler = start, end
        return parser

    def _cell(self, kind: str, style: str, raw: str) -> Cell:
        if kind == "s":
            return self._strings[int(raw)] if raw.isdecimal() else _BROKEN
        if kind == "n":
            shown: Shown = self._shown[int(style)] if style.isdecimal() and int(style) < len(self._shown) else "number"
            found = self._numbers.get((shown, raw))
            if found is None:
                if len(self._numbers) >= _CACHED:
                    self._numbers.clear()
                found = self._numbers[shown, raw] = _number(raw) if shown == "number" else _day(raw, shown, self._workbook.from_1904)
            return found
        if kind in ("inlineStr", "str"):
            return unescaped(raw)
        if kind == "b":
            return "TRUE" if raw == "1" else "FALSE"
        if kind == "e":
            return Flaw("error_cell", _("The cell holds the error %(error)s instead of a value.", error=raw[:20]))
        return raw.replace("T", " ") if kind == "d" else _BROKEN


_FORMULA = Flaw("formula_cell", _("The cell holds a formula. Formulas are not evaluated: put the value itself there."))
_BROKEN = Flaw("broken_cell", _("The cell is damaged."))
_NO_DATE = Flaw("bad_date_cell", _("The cell is shown as a date, but its number is no day of the calendar."))
_LOST = Flaw(
    "number_lost_digits",
    _("A number of more than 15 digits: the spreadsheet program has lost the others. Format the column as text and enter it again."),
)


def _number(raw: str) -> Cell:
    try:
        value = float(raw)
    except ValueError:
        return _BROKEN
    if not abs(value) < _EXACT:
        return _LOST
    if value.is_integer():
        return str(int(value))
    return Number(format(Decimal(f"{value:.15g}"), "f"))


def _day(raw: str, shown: Shown, from_1904: bool) -> Cell:
    try:
        days, milliseconds = divmod(round(float(raw) * _MILLISECONDS), _MILLISECONDS)
        # Excel counts a 29 February 1900, so day 60 is none and the days before it are one off.
        first = dt.date(1904, 1, 1) if from_1904 else dt.date(1899, 12, 30) if days > 60 else dt.date(1899, 12, 31)
        if days < 0 or (days == 60 and not from_1904) or (days == 0 and shown == "day"):
            return _NO_DATE
        stamp = dt.datetime.combine(first, dt.time()) + dt.timedelta(days=days, milliseconds=milliseconds)
    except (ValueError, OverflowError):
        return _NO_DATE
    if days == 0 and shown == "stamp":
        return stamp.time().isoformat(timespec="seconds")
    if shown == "day" and not milliseconds:
        return stamp.date().isoformat()
    return stamp.isoformat(" ", timespec="milliseconds" if milliseconds % 1000 else "seconds")


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        if not "A" <= letter <= "Z" or number > limits.COLUMNS:
            raise broken() if not "A" <= letter <= "Z" else _too_wide()
        number = number * 26 + ord(letter) - 64
    if number > limits.COLUMNS:
        raise _too_wide()
    return number - 1


def _too_wide() -> FileRefused:
    return FileRefused("too_many_columns", _("There are more than %(count)d columns.", count=limits.COLUMNS))
