"""A workbook: its sheets, its shared strings, and which of its number formats show dates."""

from __future__ import annotations

import mmap
import posixpath
import re
import tempfile
from array import array
from pathlib import Path
from typing import Literal, NamedTuple
from xml.parsers import expat

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.archive import Archive, Attributes, broken
from regulars_core.exchange.files.problems import FileRefused
from regulars_plugin_api.i18n import _

Shown = Literal["number", "day", "stamp"]

_DAYS = {14, 15, 16, 17, *range(27, 32), 36, *range(50, 59)}
_STAMPS = {18, 19, 20, 21, 22, *range(32, 36), 45, 47}
_NO_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_ESCAPED = re.compile(r"_x(?![dD][89A-Fa-f])([0-9A-Fa-f]{4})_")


class Sheet(NamedTuple):
    """A sheet by its name and the part that holds it."""

    name: str
    part: str
    hidden: bool


class _Relation(NamedTuple):
    kind: str
    part: str


class Workbook:
    """An open XLSX file. Macros, links and pictures in it are never looked at."""

    def __init__(self, path: Path) -> None:
        self.archive = Archive(path)
        try:
            main = _part_of(self._relations(""), "officeDocument") or "xl/workbook.xml"
            relations = self._relations(main)
            self.from_1904 = False
            self.sheets: list[Sheet] = []
            self._read_main(main, relations)
            self.shown = self._formats(_part_of(relations, "styles"))
            self.strings = SharedStrings(self.archive, _part_of(relations, "sharedStrings"))
        except BaseException:
            self.archive.close()
            raise

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *_error: object) -> None:
        self.strings.close()
        self.archive.close()

    def _relations(self, owner: str) -> dict[str, _Relation]:
        folder, name = posixpath.split(owner)
        found: dict[str, _Relation] = {}

        def handle(element: str, attributes: Attributes) -> None:
            if element == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
                found[attributes.get("Id", "")] = _Relation(posixpath.basename(attributes.get("Type", "")), target)

        self.archive.elements(posixpath.join(folder, "_rels", f"{name}.rels"), handle)
        return found

    def _read_main(self, main: str, relations: dict[str, _Relation]) -> None:
        def handle(element: str, attributes: Attributes) -> None:
            if element == "workbookPr":
                self.from_1904 = attributes.get("date1904") in ("1", "true")
            elif element == "sheet":
                identity = next((value for key, value in attributes.items() if key.endswith(":id")), "")
                relation = relations.get(identity)
                if relation and relation.kind == "worksheet":
                    self.sheets.append(Sheet(attributes.get("name", ""), relation.part, attributes.get("state", "visible") != "visible"))

        self.archive.elements(main, handle)

    def _formats(self, part: str | None) -> list[Shown]:
        """For each cell style, whether a number in it is shown as a number, a day, or a time of day."""
        codes: dict[int, str] = {}
        styles: list[int] = []
        inside = False

        def handle(element: str, attributes: Attributes) -> None:
            nonlocal inside
            if element == "numFmt":
                codes[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
            elif element in ("cellXfs", "cellStyles", "dxfs"):
                inside = element == "cellXfs"
            elif element == "xf" and inside:
                styles.append(_whole(attributes.get("numFmtId")))

        if part is not None:
            self.archive.elements(part, handle)
        return [_shown(number, codes.get(number)) for number in styles]


class SharedStrings:
    """The texts that cells point to, kept in a file of their own so that a large sheet needs no memory for them."""

    def __init__(self, archive: Archive, part: str | None) -> None:
        self._ends = array("Q", [0])
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        try:
            if part is not None:
                self._read(archive, part)
            self._file.flush()
            self._texts = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if self._ends[-1] else None
        except BaseException:
            self._file.close()
            raise

    def __getitem__(self, position: int) -> str:
        if not 0 <= position < len(self._ends) - 1:
            raise broken()
        start, end = self._ends[position], self._ends[position + 1]
        return self._texts[start:end].decode("utf-8", "surrogatepass") if self._texts is not None and start < end else ""

    def close(self) -> None:
        """Give the space back."""
        if self._texts is not None:
            self._texts.close()
        self._file.close()

    def _read(self, archive: Archive, part: str) -> None:
        parser = expat.ParserCreate()
        pieces: list[str] = []
        phonetic = depth = 0
        texts: list[bytes] = []

        def start(name: str, _attributes: Attributes) -> None:
            nonlocal phonetic, depth
            depth += 1
            if depth > limits.MARKUP_DEPTH:
                raise broken()
            local = name.rpartition(":")[2]
            if local == "si":
                pieces.clear()
            elif local == "rPh":
                phonetic += 1
            elif local == "t" and not phonetic:
                parser.CharacterDataHandler = pieces.append

        def end(name: str) -> None:
            nonlocal phonetic, depth
            depth -= 1
            local = name.rpartition(":")[2]
            if local == "t":
                parser.CharacterDataHandler = None
            elif local == "rPh":
                phonetic -= 1
            elif local == "si":
                check_length(pieces)
                texts.append(unescaped("".join(pieces)).encode("utf-8", "surrogatepass"))
                self._ends.append(self._ends[-1] + len(texts[-1]))

        parser.StartElementHandler, parser.EndElementHandler = start, end
        for _chunk in archive.parse(part, parser):
            self._file.write(b"".join(texts))
            texts.clear()
            check_length(pieces)


def check_length(pieces: list[str]) -> None:
    """Refuse a text that is too long, while it is being read."""
    if sum(map(len, pieces)) > limits.CELL_CHARACTERS:
        raise FileRefused("cell_too_large", _("A cell holds more than %(count)d characters.", count=limits.CELL_CHARACTERS))


def unescaped(text: str) -> str:
    """``_x000D_`` as the character it stands for; halves of surrogate pairs stay as they are written."""
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "_x" in text else text


def _part_of(relations: dict[str, _Relation], kind: str) -> str | None:
    return next((relation.part for relation in relations.values() if relation.kind == kind), None)


def _whole(number: str | None) -> int:
    return int(number) if number and number.isascii() and number.isdigit() else 0


def _shown(number: int, code: str | None) -> Shown:
    if code is None:
        return "day" if number in _DAYS else "stamp" if number in _STAMPS else "number"
    bare = _NO_CODE.sub("", code.split(";")[0]).lower()
    if _ELAPSED.search(bare) or not any(letter in bare for letter in "ymdhs") or "general" in bare:
        return "number"
    return "stamp" if "h" in bare or "s" in bare else "day"
