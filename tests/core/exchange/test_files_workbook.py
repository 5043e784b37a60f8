"""XLSX: what cells hold, what is never trusted, and what is not opened."""

from __future__ import annotations

import datetime as dt
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from regulars_core.exchange.files import BadRecord, FileOptions, FileRefused, inspect, limits, read_records
from regulars_plugin_api.exchange import ColumnType

Book = Callable[..., Path]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="[$-41D]yyyy\\-mm\\-dd;@"/>
<numFmt numFmtId="165" formatCode="[h]:mm"/><numFmt numFmtId="166" formatCode="0.00&quot; dm&quot;"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs>
</styleSheet>"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A workbook made of XML: the rows of its sheet, its shared strings, and parts that replace the usual ones."""

    def make(rows: str, *, strings: str = "", after: str = "", properties: str = "", parts: dict[str, str] | None = None) -> Path:
        usual = {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}">
                <Relationship Id="a" Type="{RELATIONS}/officeDocument" Target="/xl/workbook.xml"/></Relationships>""",
            "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{properties}
                <sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>""",
            "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}">
                <Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>
                <Relationship Id="rId2" Type="{RELATIONS}/styles" Target="styles.xml"/>
                <Relationship Id="rId3" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>""",
            "xl/styles.xml": STYLES,
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>',
        }
        path = tmp_path / "book.xlsx"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (usual | (parts or {})).items():
                archive.writestr(name, content)
        return path

    return make


HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>value</t></is></c></row>'


def cell_in(book: Book, cell: str, **more: str) -> str:
    """What becomes of one cell B2: its text, or the code of the record's rejection."""
    path = book(f'{HEADER}<row r="2"><c r="A2"><v>1</v></c>{cell}</row>', **more)
    (record,) = read_records(path, inspect(path))
    return record.code if isinstance(record, BadRecord) else record[1][1]


def refusal(path: Path, options: FileOptions | None = None) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        inspect(path, options)
    return caught.value


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="B2"><v>46701740631</v></c>', "46701740631"),
        ('<c r="B2"><v>4.6701740631E10</v></c>', "46701740631"),
        ('<c r="B2"><v>4.5999999999999996</v></c>', "4.6"),
        ('<c r="B2"><v>3.3000000000000003</v></c>', "3.3"),
        ('<c r="B2"><v>1E-7</v></c>', "0.0000001"),
        ('<c r="B2"><v>-12.5</v></c>', "-12.5"),
        ('<c r="B2"><v>0</v></c>', "0"),
        ('<c r="B2"><v>999999999999999</v></c>', "999999999999999"),
        ('<c r="B2"><v>1234567890123450</v></c>', "number_lost_digits"),
        ('<c r="B2"><v>1.23456789012345E+18</v></c>', "number_lost_digits"),
        ('<c r="B2"><v>1E999</v></c>', "number_lost_digits"),
        ('<c r="B2"><v>NaN</v></c>', "number_lost_digits"),
        ('<c r="B2"><v>abc</v></c>', "broken_cell"),
        ('<c r="B2" s="1"><v>45721</v></c>', "2025-03-05"),
        ('<c r="B2" s="3"><v>45721</v></c>', "2025-03-05"),
        ('<c r="B2" s="2"><v>45721.598738425926</v></c>', "2025-03-05 14:22:11"),
        ('<c r="B2" s="2"><v>45721</v></c>', "2025-03-05 00:00:00"),
        ('<c r="B2" s="2"><v>45721.999999999</v></c>', "2025-03-06 00:00:00"),
        ('<c r="B2" s="2"><v>0.5</v></c>', "12:00:00"),
        ('<c r="B2" s="1"><v>59</v></c>', "1900-02-28"),
        ('<c r="B2" s="1"><v>60</v></c>', "bad_date_cell"),
        ('<c r="B2" s="1"><v>61</v></c>', "1900-03-01"),
        ('<c r="B2" s="1"><v>-1</v></c>', "bad_date_cell"),
        ('<c r="B2" s="1"><v>99999999</v></c>', "bad_date_cell"),
        ('<c r="B2" s="4"><v>1.5</v></c>', "1.5"),
        ('<c r="B2" s="5"><v>1.5</v></c>', "1.5"),
        ('<c r="B2" s="99"><v>1.5</v></c>', "1.5"),
        ('<c r="B2" t="d"><v>2025-03-05T14:22:11</v></c>', "2025-03-05 14:22:11"),
        ('<c r="B2" t="b"><v>1</v></c>', "TRUE"),
        ('<c r="B2" t="e"><v>#REF!</v></c>', "error_cell"),
        ('<c r="B2"><f>1+1</f><v>2</v></c>', "formula_cell"),
        ('<c r="B2" t="str"><f>HYPERLINK("http://x")</f><v>x</v></c>', "formula_cell"),
        ('<c r="B2"><f t="shared" si="0"/></c>', "formula_cell"),
        ('<c r="B2" t="s"><v>0</v></c>', "Åsa Öberg"),
        ('<c r="B2" t="s"><v>1</v></c>', "佐藤"),
        ('<c r="B2" t="inlineStr"><is><r><t>in </t></r><r><t xml:space="preserve">runs </t></r></is></c>', "in runs "),
        ('<c r="B2" t="inlineStr"><is><t>a_x000D_b_x005F_x0041_</t></is></c>', "a\rb_x0041_"),
        ('<c r="B2" t="inlineStr"><is><t>_xD83D_ and _x00</t></is></c>', "_xD83D_ and _x00"),
        ('<c r="B2" t="inlineStr"><is><t>_x0000_</t></is></c>', "control_character"),
        ('<c r="B2" t="inlineStr"><is><t><![CDATA[<b>&]]></t></is></c>', "<b>&"),
        ('<c r="B2" t="inlineStr"><is><t>\'=1+1</t></is></c>', "=1+1"),
        ("<c><v>7</v></c>", "7"),
        ('<c r="B2" s="1"/>', ""),
        ('<c r="D2"><v>1</v></c>', "wrong_cell_count"),
    ],
)
def test_cells(book: Book, cell: str, text: str) -> None:
    strings = "<si><r><t>Åsa </t></r><r><t>Öberg</t></r></si><si><t>佐藤</t><rPh sb='0' eb='1'><t>サトウ</t></rPh></si>"
    assert cell_in(book, cell, strings=strings) == text


def test_days_counted_from_1904(book: Book) -> None:
    assert cell_in(book, '<c r="B2" s="1"><v>0</v></c>', properties='<workbookPr date1904="1"/>') == "bad_date_cell"
    assert cell_in(book, '<c r="B2" s="1"><v>44259</v></c>', properties='<workbookPr date1904="true"/>') == "2025-03-05"


def test_a_rejected_record_says_which_column_and_keeps_the_others(book: Book) -> None:
    path = book(f'{HEADER}<row r="2"><c r="A2"><v>7</v></c><c r="B2"><f>A2*2</f><v>14</v></c></row>')
    (record,) = read_records(path, inspect(path))
    assert record == BadRecord(
        1, "formula_cell", "The cell holds a formula. Formulas are not evaluated: put the value itself there.", "value", ("7", "")
    )


def test_formulas_in_columns_that_are_not_imported_do_no_harm(book: Book) -> None:
    path = book(f'{HEADER}<row r="2"><c r="A2"><v>7</v></c><c r="B2"><f>A2*2</f><v>14</v></c></row>')
    assert list(read_records(path, inspect(path, None, lambda header: {"id": ColumnType.CODE}))) == [(1, ["7", ""])]


def test_numbers_are_written_with_the_mark_of_the_text_beside_them(book: Book) -> None:
    numbers = '<row r="2"><c r="A2"><v>1.5</v></c><c r="B2"><v>1.234</v></c></row>'
    path = book(f'{HEADER}{numbers}<row r="3"><c r="B3" t="inlineStr"><is><t>12,50</t></is></c></row>')
    inspection = inspect(path, None, lambda header: {"id": ColumnType.CODE, "value": ColumnType.NUMBER})
    assert (inspection.decimal, inspection.questions) == (",", ())
    assert list(read_records(path, inspection)) == [(1, ["1.5", "1,234"]), (2, ["", "12,50"])]


def test_numbers_alone_ask_nothing(book: Book) -> None:
    path = book(f'{HEADER}<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>1.234</v></c></row>')
    assert inspect(path, None, lambda header: {"value": ColumnType.NUMBER}).questions == ()


def test_rows_and_cells_may_have_gaps(book: Book) -> None:
    path = book(f'{HEADER}<row r="5"/><row r="900000"><c r="B900000"><v>1</v></c></row>')
    assert list(read_records(path, inspect(path))) == [(1, ["", "1"])]


def test_prefixed_markup_is_read_too(book: Book) -> None:
    cells = "<x:c t='inlineStr'><x:is><x:t>id</x:t></x:is></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c>"
    sheet = f"<x:worksheet xmlns:x='{MAIN}'><x:sheetData><x:row>{cells}</x:row></x:sheetData></x:worksheet>"
    path = book("", parts={"xl/worksheets/sheet1.xml": sheet})
    assert list(read_records(path, inspect(path))) == [(1, ["1"])]


def test_merged_cells_among_the_records_are_refused_and_above_them_not(book: Book) -> None:
    below = book(f'{HEADER}<row r="2"><c r="A2"><v>1</v></c></row>', after='<mergeCells><mergeCell ref="B2:B3"/></mergeCells>')
    assert (refusal(below).code, "B2:B3" in str(refusal(below))) == ("merged_cells", True)
    title = book(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Our customers</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>id</t></is></c></row><row r="3"><c r="A3"><v>1</v></c></row>',
        after='<mergeCells><mergeCell ref="A1:C1"/></mergeCells>',
    )
    inspection = inspect(title, None, lambda header: {name: ColumnType.CODE for name in header if name == "id"})
    assert list(read_records(title, inspection)) == [(1, ["1"])]


def test_a_formula_in_the_header_is_refused(book: Book) -> None:
    assert refusal(book('<row r="1"><c r="A1"><f>B1</f><v>id</v></c></row>')).code == "bad_header"


def several_sheets(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as workbook:
        for name, text in (("Empty", ""), ("First", "a"), ("Second", "b"), ("Secret", "c")):
            sheet = workbook.add_worksheet(name)
            if text:
                sheet.write_column(0, 0, ["id", text])
        sheet.hide()
    return path


def test_several_sheets_are_asked_about(tmp_path: Path) -> None:
    path = several_sheets(tmp_path / "x.xlsx")
    inspection = inspect(path)
    assert [(question.option, question.choices) for question in inspection.questions] == [("sheet", ("First", "Second"))]
    assert [str(note) for note in inspection.notes] == ["Hidden sheets are left out: Secret."]
    for sheet, value in (("Second", "b"), ("Secret", "c")):
        assert list(read_records(path, inspect(path, FileOptions(sheet=sheet)))) == [(1, [value])]
    assert "First, Second" in str(refusal(path, FileOptions(sheet="Third")))


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as workbook:
        workbook.add_worksheet()
    assert refusal(tmp_path / "x.xlsx").code == "empty_file"
    assert refusal(tmp_path / "x.xlsx", FileOptions(sheet="Sheet1")).code == "no_header"


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'),
        ("xl/sharedStrings.xml", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst><si><t>&a;</t></si></sst>'),
        ("xl/workbook.xml", "<!DOCTYPE workbook><workbook/>"),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row>"),
        ("xl/worksheets/sheet1.xml", "<a>" * 1000),
        ("xl/worksheets/sheet1.xml", "<worksheet>" + "".join(f"<a{n}/>" for n in range(2000)) + "</worksheet>"),
        ("xl/worksheets/sheet1.xml", '<worksheet><sheetData><row r="2"/><row r="1"/></sheetData></worksheet>'),
        ("xl/worksheets/sheet1.xml", '<worksheet><row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row></worksheet>'),
        ("xl/worksheets/sheet1.xml", '<worksheet><row r="1"><c r="A1" t="s"><v>9</v></c></row></worksheet>'),
        ("xl/worksheets/sheet1.xml", '<worksheet><row r="1"><c r="$%1"><v>9</v></c></row></worksheet>'),
        ("xl/workbook.xml", "no markup at all"),
    ],
)
def test_damaged_and_hostile_markup_is_not_opened(book: Book, part: str, content: str) -> None:
    assert refusal(book(HEADER, parts={part: content})).code == "broken_xlsx"


def test_a_column_far_to_the_right_is_refused(book: Book) -> None:
    assert refusal(book(HEADER + '<row r="2"><c r="XFD2"><v>1</v></c></row>')).code == "too_many_columns"


def test_a_cell_beyond_the_limit_is_refused_while_it_is_read(book: Book) -> None:
    text = f"<t>{'x' * (limits.CELL_CHARACTERS + 1)}</t>"
    inline = book(f'{HEADER}<row r="2"><c r="A2" t="inlineStr"><is>{text}</is></c></row>')
    assert refusal(inline).code == "cell_too_large"
    assert refusal(book(HEADER, strings=f"<si>{text}</si>")).code == "cell_too_large"


def test_a_zip_bomb_is_not_opened(book: Book) -> None:
    path = book(HEADER + " " * 60_000_000)
    assert path.stat().st_size < 100_000
    assert refusal(path).code == "zip_bomb"


def test_a_part_that_claims_to_be_smaller_than_it_is_is_refused(book: Book) -> None:
    path = book(HEADER + " " * 60_000_000)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        real = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(bytes(content).replace(real.to_bytes(4, "little"), (500).to_bytes(4, "little")))
    assert refusal(path).code == "broken_xlsx"


def test_a_long_piece_of_markup_takes_no_memory(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNPACKED_RATIO", 10_000)
    path = book(f'{HEADER}<row r="2" spans="{"1" * 50_000_000}"/>')
    tracemalloc.start()
    assert refusal(path).code == "broken_xlsx"
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()


def test_a_part_twice_and_a_locked_part_are_refused(book: Book) -> None:
    path = book(HEADER)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert refusal(path).code == "broken_xlsx"
    path = book(HEADER)
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02")
    path.write_bytes(content[: at + 8] + b"\x01" + content[at + 9 :])
    assert refusal(path).code == "encrypted"


@pytest.mark.parametrize("cut", range(5, 95, 10))
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, cut: int) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as workbook:
        workbook.add_worksheet().write_column(0, 0, ["id", *range(1000)])
    path = tmp_path / "x.xlsx"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) * cut // 100])
    assert refusal(path).code == "broken_xlsx"


def test_what_a_spreadsheet_program_writes(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["id", "name", "born", "seen", "price"])
        sheet.write_row(1, 0, ["0012", "Zoë"])
        sheet.write_datetime(1, 2, dt.datetime(1985, 3, 4), workbook.add_format({"num_format": "d mmm yyyy"}))
        sheet.write_datetime(1, 3, dt.datetime(2025, 3, 4, 5, 6, 7), workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_number(1, 4, 12.5, workbook.add_format({"num_format": '#,##0.00 "kr"'}))
        sheet.write_comment(1, 0, "a remark")
    path = tmp_path / "x.xlsx"
    assert list(read_records(path, inspect(path))) == [(1, ["0012", "Zoë", "1985-03-04", "2025-03-04 05:06:07", "12.5"])]
