"""What is written comes back as it was, through every format, and no spreadsheet runs it."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import tracemalloc
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_core.exchange.files import FileFormat, FileRefused, inspect, open_writer, read_records
from regulars_core.exchange.files.formulas import neutralised, restored
from regulars_plugin_api import values

FORMATS: tuple[FileFormat, ...] = ("csv", "xlsx", "jsonl")
NAUGHTY = Path(__file__).parents[2] / "data" / "naughty-strings" / "blns.base64.json"
FORMULAS = [
    "=1+1",
    "+46701740631",
    "-12.50",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "－1",
    "＋1",
    "＠x",
    "  =1+1",
    "\ufeff=1",
    "'=1+1",
    "''=1",
    "'",
    "''",
]


def accepted(text: str) -> bool:
    try:
        return values.text(text) == text
    except values.BadValue:
        return False


def through(folder: Path, format: FileFormat, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[list[str]]:
    path = folder / f"out.{format}"
    with open_writer(format, path, columns) as writer:
        for row in rows:
            writer.write(row)  # type: ignore[arg-type]
    inspection = inspect(path)
    assert (inspection.header, inspection.questions, inspection.notes) == (tuple(columns), (), ())
    records = []
    for number, record in enumerate(read_records(path, inspection), 1):
        assert isinstance(record, tuple), record
        assert record[0] == number
        records.append(record[1])
    return records


@pytest.mark.parametrize("format", FORMATS)
def test_every_naughty_string_that_is_accepted_comes_back(tmp_path: Path, format: FileFormat) -> None:
    strings = [base64.b64decode(line).decode() for line in json.loads(NAUGHTY.read_text())]
    texts = [text for text in strings if accepted(text) and text] + FORMULAS
    assert len(texts) > 500
    assert through(tmp_path, format, ["id", "text"], [[str(n), text] for n, text in enumerate(texts)]) == [
        [str(n), text] for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        st.text(max_size=40).filter(accepted) | st.sampled_from(["_x0041_", "<r>x</r>", "a\r\nb", '"', "'=", "\ufeffid"]),
        min_size=1,
        max_size=5,
    )
)
def test_any_text_that_is_accepted_comes_back(tmp_path_factory: pytest.TempPathFactory, format: FileFormat, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("round")
    rows = [["x", *texts], ["y", *reversed(texts)]]
    assert through(folder, format, ["id", *(f"c{n}" for n in range(len(texts)))], rows) == rows


@given(st.text("'=+-@ \t\r\nab＝"))
def test_restoring_undoes_neutralising(text: str) -> None:
    assert restored(neutralised(text)) == text


@pytest.mark.parametrize("text", ["'n Sync", "'hello'", "O'Neil", "''", "'"])
def test_apostrophes_of_others_are_left_alone(text: str) -> None:
    assert neutralised(text) == text
    assert restored(text) == text


@pytest.mark.parametrize("text", [text for text in FORMULAS if text.strip("'")])
def test_no_cell_begins_like_a_formula(tmp_path: Path, text: str) -> None:
    for format in ("csv", "xlsx"):
        with open_writer(format, tmp_path / f"x.{format}", ["id", text]) as writer:
            writer.write(["1", text])
    rows = python_calamine.load_workbook(tmp_path / "x.xlsx").get_sheet_by_index(0).to_python()
    assert [str(row[1])[0] for row in rows] == ["'", "'"]
    with zipfile.ZipFile(tmp_path / "x.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert (tmp_path / "x.csv").read_bytes().decode("utf-8-sig").replace(',"', ",").count(",'") == 2


@pytest.mark.parametrize("format", FORMATS)
def test_values_with_a_type_come_back_readable(tmp_path: Path, format: FileFormat) -> None:
    at = dt.datetime(2025, 3, 4, 5, 6, 7, 890_000, tzinfo=dt.UTC)
    row = ["0012", Decimal("-12.50"), Decimal("1234567890123456789.12"), 7, dt.date(1985, 3, 4), dt.date(1850, 1, 1), at, None]
    (cells,) = through(tmp_path, format, list("abcdefgh"), [row])
    assert cells[0] == "0012"
    assert [Decimal(cell) for cell in cells[1:4]] == row[1:4]
    assert [values.date(cell) for cell in cells[4:6]] == row[4:6]
    assert dt.datetime.fromisoformat(cells[6]) == at
    assert cells[7] == ""


def test_numbers_are_numbers_and_text_is_text_for_a_spreadsheet(tmp_path: Path) -> None:
    with open_writer("xlsx", tmp_path / "x.xlsx", ["code", "price", "day"]) as writer:
        writer.write(["0012", Decimal("12.50"), dt.date(2025, 3, 4)])
    rows = python_calamine.load_workbook(tmp_path / "x.xlsx").get_sheet_by_index(0).to_python()
    assert rows == [["code", "price", "day"], ["0012", 12.5, dt.date(2025, 3, 4)]]


def test_csv_is_as_excel_and_rfc_4180_want_it() -> None:
    stream = io.BytesIO()
    with open_writer("csv", stream, ["id", "city"]) as writer:
        writer.write(["1", 'Malmö, "Syd"'])
    assert stream.getvalue() == '\ufeffid,city\r\n1,"Malmö, ""Syd"""\r\n'.encode()


def test_json_numbers_are_exact(tmp_path: Path) -> None:
    with open_writer("jsonl", tmp_path / "x.jsonl", ["price", "day", "none"]) as writer:
        writer.write([Decimal("0.10"), dt.date(2025, 3, 4), None])
    assert (tmp_path / "x.jsonl").read_text() == '{"price": 0.10, "day": "2025-03-04", "none": null}\n'


def test_what_does_not_fit_into_a_sheet_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="column note"), open_writer("xlsx", tmp_path / "x.xlsx", ["id", "note"]) as writer:
        writer.write(["1", "x" * 32_768])
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")
    with pytest.raises(ValueError, match="argument 2"), open_writer("jsonl", path, ["id"]) as writer:
        writer.write(["1", "one too many"])
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("x.csv", "old")]


@pytest.mark.parametrize("format", FORMATS)
def test_memory_stays_flat(tmp_path: Path, format: FileFormat) -> None:
    path = tmp_path / "x"
    count = 4_000 if format == "xlsx" else 20_000
    tracemalloc.start()
    with open_writer(format, path, ["id", "name", "city"]) as writer:
        for number in range(count):
            writer.write([f"N{number:09}", f"Name {number} of many", "Malmö"])
    inspection = inspect(path)
    assert sum(1 for _record in read_records(path, inspection)) == inspection.records == count
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()
