"""What a file is, is told by its content: impostors are refused in words. JSON lines."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest

from regulars_core.exchange.files import BadRecord, FileOptions, FileRefused, inspect, read_records
from regulars_plugin_api.exchange import ColumnType


def zipped(**parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def database(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "x.db")
    connection.execute("create table t (x)")
    connection.close()
    return (folder / "x.db").read_bytes()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (OLE + b"\x00" * 600, "wrong_format", "old Excel workbook"),
        (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"), "encrypted", "password"),
        (zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "wrong_format", "OpenDocument"),
        (zipped(**{"customers.csv": "id\n1\n"}), "wrong_format", "zip archive"),
        (zipped(**{"[Content_Types].xml": "", "_rels__.rels": "", "xl__workbook.bin": ""}), "wrong_format", "XLSB"),
        (zipped(**{"[Content_Types].xml": "", "_rels__.rels": "", "word__document.xml": ""}), "wrong_format", "zip archive"),
        (zipped(**{"[Content_Types].xml": "<x/>", "_rels__.rels": "<x/>"}), "broken_xlsx", "damaged"),
        (b"PK\x03\x04 and nothing more", "broken_xlsx", "damaged or cut off"),
        (gzip.compress(b"id\n1\n", mtime=0), "wrong_format", "gzip"),
        (b"%PDF-1.7\n", "wrong_format", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "wrong_format", "an image"),
        (b"\xff\xd8\xff\xe0", "wrong_format", "an image"),
        (b"MZ\x90\x00", "wrong_format", "a program"),
        (b"<html><table><tr><td>id</td></tr></table>", "wrong_format", "web page"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html>", "wrong_format", "web page"),
        ("<html>".encode("utf-16"), "wrong_format", "web page"),
        (b'<?xml version="1.0"?><Workbook/>', "wrong_format", "web page or XML"),
        (b"\x00" * 100, "empty_file", "empty"),
        (b"abc\x00def\n", "nul_byte", "NUL"),
        (b'[{"id": 1}]', "wrong_format", "one object a line"),
        (b'[\n{"id": 1}\n]', "wrong_format", "one object a line"),
        (b'{\n"id": 1\n}', "wrong_format", "one object a line"),
        (b'{"id": 1, ', "wrong_format", "one object a line"),
    ],
)
def test_impostors_are_refused_in_words(tmp_path: Path, content: bytes, code: str, words: str) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefused) as caught:
        inspect(path)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_a_database_is_no_table_of_customers(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(database(tmp_path))
    with pytest.raises(FileRefused, match="an SQLite database"):
        inspect(path)


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    lines = ['{"id": "001", "n": 12.50, "t": "Å\\n\\"x\\""}', "", '{"t": null, "id": 2, "ok": true, "n": 10}', '{"id": "=1+1"}']
    path.write_text("\n".join(lines), encoding="utf-8")
    inspection = inspect(path)
    assert (inspection.table.format, inspection.header, inspection.records) == ("jsonl", ("id", "n", "t", "ok"), 3)
    assert list(read_records(path, inspection)) == [
        (1, ["001", "12.50", 'Å\n"x"', ""]),
        (2, ["2", "10", "", "true"]),
        (3, ["=1+1", "", "", ""]),
    ]


def test_json_numbers_follow_the_decimal_mark_of_the_text_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"price": 1.234, "sku": 1.5}\n{"price": "12,50"}\n', encoding="utf-8")
    inspection = inspect(path, None, lambda header: {"price": ColumnType.NUMBER, "sku": ColumnType.CODE})
    assert (inspection.decimal, inspection.questions) == (",", ())
    assert list(read_records(path, inspection)) == [(1, ["1,234", "1.5"]), (2, ["12,50", ""])]


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ('{"id": [1]}', "nested_value", "id"),
        ('{"id": {"a": 1}}', "nested_value", "id"),
        ('{"id": NaN}', "not_plain", ""),
        ('{"id": 1, "id": 2}', "not_plain", ""),
        ("[1]", "not_json", ""),
        ('{"id": 1', "not_json", ""),
        ("[" * 5000, "not_json", ""),
        ('{"id": "\\ud800"}', "control_character", "id"),
        ('{"id": "a\\u0000b"}', "control_character", "id"),
    ],
)
def test_a_line_that_is_no_record_is_rejected_alone(tmp_path: Path, line: str, code: str, column: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"id": 1}}\n{line}\n{{"id": 3}}\n', encoding="utf-8")
    inspection = inspect(path)
    first, bad, last = read_records(path, inspection)
    assert isinstance(bad, BadRecord)
    assert (first, bad.number, bad.code, bad.column, last) == ((1, ["1"]), 2, code, column, (3, ["3"]))
    assert inspection.bad_records == 1
    json.dumps(bad.cells).encode()


def test_a_table_of_text_that_begins_with_a_brace_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("{id},[name]\n1,Anna\n", encoding="utf-8")
    assert inspect(path).header == ("{id}", "[name]")


def test_options_for_other_formats_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,name\n1,Anna\n", encoding="utf-8")
    assert inspect(path, FileOptions(sheet="Sheet1", decimal=",", date_order="dmy")).questions == ()
