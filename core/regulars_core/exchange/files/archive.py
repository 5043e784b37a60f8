"""The zip archive that an XLSX file is: opened within limits, its XML read as a stream, without entities."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.parsers import expat

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.problems import FileRefused
from regulars_plugin_api.i18n import _

_CHUNK = 64 * limits.KIB
Attributes = dict[str, str]


class Archive:
    """An XLSX file's parts by name. The sizes it claims are checked here; ``zipfile`` reads no part beyond its claim."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise broken() from None
        self.names = {entry.filename.lower(): entry.filename for entry in self._zip.infolist()}
        try:
            self._check(path.stat().st_size)
        except FileRefused:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def parse(self, name: str, parser: expat.XMLParserType) -> Iterator[None]:
        """Feed a part to ``parser``, giving way after each chunk. A missing or damaged part is refused."""
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.buffer_text = True
        part = self.names.get(name.lower())
        if part is None:
            raise broken()
        try:
            with self._zip.open(part) as stream:
                fed = 0
                while chunk := stream.read(_CHUNK):
                    parser.Parse(chunk, False)
                    fed += len(chunk)
                    if fed - parser.CurrentByteIndex > limits.MARKUP_TOKEN_BYTES:
                        raise broken()
                    yield
                parser.Parse(b"", True)
                yield
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, expat.ExpatError):
            raise broken() from None

    def elements(self, name: str, handle: Callable[[str, Attributes], None]) -> None:
        """Tell the start of every element of a small part, its name without prefix."""
        part = self.names.get(name.lower())
        if part is not None and self._zip.getinfo(part).file_size > limits.SMALL_PART_BYTES:
            raise broken()
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda element, attributes: handle(element.rpartition(":")[2], attributes)
        for _chunk in self.parse(name, parser):
            pass

    def _check(self, packed: int) -> None:
        entries = self._zip.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if (
            len(entries) > limits.ARCHIVE_ENTRIES
            or unpacked > limits.UNPACKED_BYTES
            or unpacked > max(limits.UNPACKED_FREE, packed * limits.UNPACKED_RATIO)
        ):
            raise FileRefused(
                "zip_bomb",
                _(
                    "Unpacked, the workbook would take %(size)d MB, too much for a file of its size. It is not opened.",
                    size=unpacked // limits.MIB,
                ),
            )
        if len(self.names) < len(entries):
            raise broken()
        if any(entry.flag_bits & 1 for entry in entries):
            raise FileRefused("encrypted", _("The workbook is protected with a password. Save it without one."))


def broken() -> FileRefused:
    """The file can't be an XLSX file as it is."""
    return FileRefused("broken_xlsx", _("The workbook is damaged. Open it in a spreadsheet program and save it again."))


def _refuse_doctype(*_declaration: object) -> None:
    raise FileRefused("broken_xlsx", _("The workbook declares entities of its own. No spreadsheet program does; it is not opened."))
