"""What a file is, told by its content. A name proves nothing."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Literal

from regulars_core.exchange.files import limits
from regulars_core.exchange.files.problems import FileRefused
from regulars_plugin_api.i18n import Text, _

_HEAD = 64 * limits.KIB
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = ("<!doctype", "<html", "<head", "<meta", "<table", "<style", "<?xml", "<workbook", "<svg")
_FOREIGN: tuple[tuple[bytes, Text], ...] = (
    (b"\x1f\x8b", _("a gzip archive")),
    (b"BZh", _("a bzip2 archive")),
    (b"\xfd7zXZ\x00", _("an xz archive")),
    (b"7z\xbc\xaf\x27\x1c", _("a 7-Zip archive")),
    (b"Rar!\x1a\x07", _("a RAR archive")),
    (b"\x28\xb5\x2f\xfd", _("a Zstandard archive")),
    (b"%PDF", _("a PDF document")),
    (b"{\\rtf", _("a rich text document")),
    (b"SQLite format 3\x00", _("an SQLite database")),
    (b"PAR1", _("a Parquet file")),
    (b"\x89PNG\r\n", _("an image")),
    (b"\xff\xd8\xff", _("an image")),
    (b"GIF8", _("an image")),
    (b"II*\x00", _("an image")),
    (b"MM\x00*", _("an image")),
    (b"RIFF", _("an image or a recording")),
    (b"\x7fELF", _("a program")),
    (b"MZ\x90", _("a program")),
)


def kind_of(path: Path) -> Literal["text", "xlsx"]:
    """``text`` or ``xlsx``; anything else is refused in words."""
    size = path.stat().st_size
    if size > limits.FILE_BYTES:
        raise FileRefused("too_large", _("The file is larger than %(count)d GB. Split it.", count=limits.FILE_BYTES // limits.GIB))
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise FileRefused("empty_file", _("The file is empty."))
    if head.startswith(b"PK"):
        return _zipped(path)
    if head.startswith(_OLE):
        raise _ole(path)
    for mark, what in _FOREIGN:
        if head.startswith(mark):
            raise FileRefused("wrong_format", _("The file is %(what)s. CSV, TSV, XLSX and JSON lines can be read.", what=what))
    if (
        head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", "replace")
        .lstrip("ï»¿ \t\r\n")
        .lower()
        .startswith(_MARKUP)
    ):
        raise FileRefused(
            "wrong_format",
            _("The file is a web page or XML, whatever its name says. Open it in a spreadsheet program and save it as XLSX or CSV."),
        )
    return "text"


def is_json_lines(first_line: str) -> bool:
    """Whether a text is JSON, one object a line; JSON in another shape is refused in words."""
    line = first_line.strip()
    if not line.startswith(("{", "[")):
        return False
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        if line in ("{", "[", "[{") or line.startswith(('{"', "{ ", '[{"')):
            raise _not_lines() from None
        return False
    if isinstance(value, list) and line.startswith(("[{", "[[")):
        raise _not_lines()
    return isinstance(value, dict)


def _not_lines() -> FileRefused:
    return FileRefused(
        "wrong_format", _("The file is JSON, but not one object a line. Write each record as an object on a line of its own.")
    )


def _zipped(path: Path) -> Literal["xlsx"]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileRefused("broken_xlsx", _("The file begins like an XLSX file, but is damaged or cut off. Save it again.")) from None
    if any(name.endswith("/workbook.bin") for name in names):
        raise FileRefused("wrong_format", _("The file is a binary workbook (XLSB). Save it as XLSX."))
    if "[Content_Types].xml" in names and "_rels/.rels" in names and not any(name.startswith(("word/", "ppt/")) for name in names):
        return "xlsx"
    if "mimetype" in names or "content.xml" in names:
        raise FileRefused("wrong_format", _("The file is an OpenDocument file. Save it as XLSX or CSV."))
    raise FileRefused("wrong_format", _("The file is a zip archive. Take out the file in it and import that."))


def _ole(path: Path) -> FileRefused:
    with path.open("rb") as file:
        content = file.read(8 * limits.MIB)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return FileRefused("encrypted", _("The workbook is protected with a password. Save it without one."))
    return FileRefused(
        "wrong_format", _("The file is an old Excel workbook (XLS) or another Office file of that time. Save it as XLSX or CSV.")
    )
