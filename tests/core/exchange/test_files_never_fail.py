"""Whatever bytes come, a file is read or refused in words; nothing else."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars_core.exchange.files import BadRecord, FileFormat, FileOptions, FileRefused, inspect, open_writer, read_records
from regulars_plugin_api.exchange import ColumnType

TYPES = {"id": ColumnType.CODE, "day": ColumnType.DATE, "price": ColumnType.NUMBER, "note": ColumnType.TEXT}


def sample(format: FileFormat) -> bytes:
    stream = io.BytesIO()
    with open_writer(format, stream, list(TYPES)) as writer:
        writer.write(["1", "03/04/2025", "1,234", 'Malmö, \'n\n"Lund"'])
        writer.write(["2", "31/12/2025", "=1+1", "王伟"])
    return stream.getvalue()


SAMPLES = [sample("csv"), sample("csv").decode().encode("utf-16"), sample("jsonl"), b"a;b,c\n\xe51,2;\n"]


def sheet_with(markup: str) -> bytes:
    """A good workbook whose sheet is replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sample("xlsx"))) as good, zipfile.ZipFile(stream, "w") as archive:
        for name in good.namelist():
            archive.writestr(name, markup if name == "xl/worksheets/sheet1.xml" else good.read(name))
    return stream.getvalue()


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    content = bytearray(draw(st.sampled_from(samples)))
    for _change in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 8))] = draw(
            st.binary(max_size=8) | st.sampled_from([b'"', b"\r", b"\n", b",", b"{", b"\x00", b"\xff\xfe"])
        )
    return bytes(content)


CELLS = st.from_regex(
    r'<c( r="[A-C]?[0-9]?")?( s="[0-9a]")?( t="(s|n|b|e|d|str|inlineStr|x)")?>(<f>)?<(v|t|is)>[-0-9.eE&;_xT:]{0,9}</(v|t|is)></c>',
    fullmatch=True,
)
MARKUP = st.lists(CELLS | st.sampled_from(['<row r="1">', "<row>", "</row>", "<rPh>", "&#0;", "<mergeCell ref='A1:B9'/>"]), max_size=8).map(
    "".join
)


def read(path: Path, content: bytes, options: FileOptions) -> None:
    path.write_bytes(content)
    try:
        inspection = inspect(path, options, lambda header: {name: TYPES[name] for name in header if name in TYPES})
        if inspection.questions:
            return
        records = list(read_records(path, inspection))
    except FileRefused:
        return
    assert [record.number if isinstance(record, BadRecord) else record[0] for record in records] == list(range(1, inspection.records + 1))
    assert sum(isinstance(record, BadRecord) for record in records) == inspection.bad_records
    assert all(len(record[1]) == len(inspection.header) for record in records if not isinstance(record, BadRecord))
    "".join(cell for record in records for cell in (record.cells if isinstance(record, BadRecord) else record[1])).encode()


OPTIONS = st.builds(
    FileOptions,
    encoding=st.sampled_from([None, None, "utf-8", "cp1252", "utf-16"]),
    delimiter=st.sampled_from([None, ",", ";"]),
    date_order=st.sampled_from([None, "dmy"]),
    decimal=st.sampled_from([None, ","]),
)


@settings(max_examples=300, deadline=None)
@given(content=damaged(SAMPLES) | st.binary(max_size=60), options=OPTIONS)
def test_damaged_text(tmp_path_factory: pytest.TempPathFactory, content: bytes, options: FileOptions) -> None:
    read(tmp_path_factory.getbasetemp() / "damaged", content, options)


@settings(max_examples=150, deadline=None)
@given(content=damaged([sample("xlsx")]))
def test_damaged_workbooks(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    read(tmp_path_factory.getbasetemp() / "damaged", content, FileOptions())


@settings(max_examples=150, deadline=None)
@given(markup=MARKUP)
def test_odd_markup(tmp_path_factory: pytest.TempPathFactory, markup: str) -> None:
    read(tmp_path_factory.getbasetemp() / "damaged", sheet_with(f"<worksheet>{markup}</worksheet>"), FileOptions())
