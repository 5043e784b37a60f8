"""CSV and TSV: encodings, delimiters, headers and broken structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from regulars_core.exchange.files import BadRecord, FileOptions, FileRefused, Inspection, inspect, limits, read_records
from regulars_plugin_api.exchange import ColumnType

Given = Callable[[bytes], Path]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Puts bytes into a file whose name proves nothing."""

    def write(content: bytes) -> Path:
        path = tmp_path / "customers.dat"
        path.write_bytes(content)
        return path

    return write


def known(*names: str) -> Callable[[tuple[str, ...]], Mapping[str, ColumnType]]:
    return lambda header: {name: ColumnType.TEXT for name in header if name in names}


def rows(path: Path, inspection: Inspection) -> list[object]:
    return [record.code if isinstance(record, BadRecord) else record[1] for record in read_records(path, inspection)]


def refusal(path: Path, options: FileOptions | None = None) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        inspect(path, options)
    return caught.value


TEXT = 'id,city\r\n1,Malmö\r\n2,"王, 伟"\r\n'


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32"),
    ],
)
def test_unicode_is_told_without_asking(given: Given, content: bytes, encoding: str) -> None:
    path = given(content)
    inspection = inspect(path)
    assert (inspection.table.encoding, inspection.questions, inspection.header) == (encoding, (), ("id", "city"))
    assert rows(path, inspection) == [["1", "Malmö"], ["2", "王, 伟"]]


@pytest.mark.parametrize(
    ("text", "encoding", "option"),
    [
        ("id,city\n1,Malmö\n2,Göteborg\n3,Älmhult\n4,Åmål\n", "cp1252", "cp1252"),
        ("id,name\n1,Анна Каренина\n2,Сергей Петрович\n3,Дмитрий Шостакович\n", "cp1251", "cp1251"),
        ("id,name\n1,佐藤花子\n2,鈴木太郎は東京に住んでいます\n", "shift_jis", "shift_jis"),
        ("id,name\n1,王伟\n2,我们在北京的商店买东西\n", "gb18030", "gb18030"),
        ("id,name\n1,محمد علي\n2,سلام يا دنيا\n", "cp1256", "cp1256"),
    ],
)
def test_any_other_encoding_is_asked_for_and_then_read(given: Given, text: str, encoding: str, option: str) -> None:
    path = given(text.encode(encoding))
    inspection = inspect(path)
    assert [question.option for question in inspection.questions] == ["encoding"]
    assert option in inspection.questions[0].choices
    with pytest.raises(ValueError, match="open questions"):
        next(read_records(path, inspection))
    answered = inspect(path, FileOptions(encoding=option))
    assert answered.questions == ()
    assert rows(path, answered) == [line.split(",") for line in text.splitlines()[1:]]


def test_the_question_shows_a_word_in_several_readings(given: Given) -> None:
    why = str(inspect(given("id,city\n1,Malmö\n".encode("cp1252"))).questions[0].why)
    assert why.count("Malm") == 3


def test_a_stray_byte_in_utf8_is_refused_with_its_place(given: Given) -> None:
    problem = refusal(given("id,city\n1,Malmö\n2,Åmål\n".encode() + b"3,V\xe4xj\xc3\xb6\n"))
    assert problem.code == "broken_utf8"
    assert "byte 30 on line 4" in str(problem)


def test_utf8_cut_off_within_a_letter_is_refused(given: Given) -> None:
    assert refusal(given("id,city\n1,Malmö\n2,Åmå".encode()[:-1])).code == "broken_utf8"


@pytest.mark.parametrize(
    ("content", "encoding", "code"),
    [
        (TEXT.encode(), "klingon", "unknown_encoding"),
        (TEXT.encode(), "rot13", "unknown_encoding"),
        (TEXT.encode(), "unicode_escape", "unknown_encoding"),
        (TEXT.encode("utf-16"), "utf-8", "encoding_contradicted"),
        (TEXT.encode("utf-8-sig"), "cp1252", "encoding_contradicted"),
        ("id,city\n1,Malmö\n".encode("cp1252"), "ascii", "not_decodable"),
        ("id,city\n1,Malmö\n".encode("cp1252"), "utf-8", "not_decodable"),
    ],
)
def test_a_wrong_encoding_is_refused(given: Given, content: bytes, encoding: str, code: str) -> None:
    assert refusal(given(content), FileOptions(encoding=encoding)).code == code


def test_another_encoding_for_valid_utf8_is_obeyed_with_a_note(given: Given) -> None:
    inspection = inspect(given(TEXT.encode()), FileOptions(encoding="cp1250"))
    assert "also be valid UTF-8" in str(inspection.notes[0])


def test_japanese_in_seven_bits_is_asked_about_and_mere_escapes_are_not(given: Given) -> None:
    path = given("id,name\n1,佐藤\n".encode("iso2022_jp"))
    assert inspect(path).questions[0].choices == ("iso2022_jp", "utf-8")
    assert rows(path, inspect(path, FileOptions(encoding="iso2022_jp"))) == [["1", "佐藤"]]
    assert inspect(given(b"id,name\n1,\x1b$")).questions == ()


def test_utf16_without_a_mark_may_be_said_without_its_byte_order(given: Given) -> None:
    path = given(TEXT.encode("utf-16-be"))
    assert rows(path, inspect(path, FileOptions(encoding="utf-16"))) == [["1", "Malmö"], ["2", "王, 伟"]]
    assert refusal(given(b"id,name\n"), FileOptions(encoding="utf-16")).code == "not_decodable"


def test_a_nul_character_is_refused_with_its_line(given: Given) -> None:
    problem = refusal(given(b"id,city\n1,Lund\n2,L\x00nd\n"))
    assert (problem.code, "line 3" in str(problem)) == ("nul_byte", True)


@pytest.mark.parametrize(
    ("content", "delimiter", "format"),
    [
        (b"id,name\n1,Anna\n", ",", "csv"),
        (b"id;name\n1;Anna\n", ";", "csv"),
        (b"id\tname\n1\tAnna\n", "\t", "tsv"),
        (b"id|name\n1|Anna\n", "|", "csv"),
        (b"id;price;note\n1;12,50;a, b\n2;13,50;c, d\n", ";", "csv"),
        (b'id,"a;b",note\n1,"x;y",\n', ",", "csv"),
        (b"sep=;\nid;name\n1;Anna\n", ";", "csv"),
        (b"sep=|\r\nid|name\r\n1|Anna\r\n", "|", "csv"),
        (b"email\nanna@example.com\n", ",", "csv"),
    ],
)
def test_delimiters_are_found(given: Given, content: bytes, delimiter: str, format: str) -> None:
    path = given(content)
    inspection = inspect(path)
    assert (inspection.table.delimiter, inspection.table.format, inspection.questions) == (delimiter, format, ())
    assert inspection.records == len(rows(path, inspection))
    assert inspection.header[0] in ("id", "email")


def test_a_line_that_two_delimiters_part_equally_is_asked_about(given: Given) -> None:
    path = given(b"a;b,c;d\n1;2,3;4\n")
    question = inspect(path).questions[0]
    assert (question.option, question.choices) == ("delimiter", (",", ";"))
    assert rows(path, inspect(path, FileOptions(delimiter=";"))) == [["1", "2,3", "4"]]


def test_known_columns_decide_between_delimiters(given: Given) -> None:
    inspection = inspect(given(b"id;name,first;city\n1;2,3;4\n"), columns_hint=known("id", "city"))
    assert (inspection.table.delimiter, inspection.questions) == (";", ())


@pytest.mark.parametrize(("asked", "delimiter"), [("tab", "\t"), ("\\t", "\t"), ("semicolon", ";"), ("^", "^")])
def test_a_delimiter_can_be_said(given: Given, asked: str, delimiter: str) -> None:
    path = given(f"id{delimiter}name\n1{delimiter}A,n|a\n".encode())
    assert rows(path, inspect(path, FileOptions(delimiter=asked))) == [["1", "A,n|a"]]


@pytest.mark.parametrize("asked", ["", "ab", "a", '"', "\n"])
def test_what_can_part_nothing_is_refused(given: Given, asked: str) -> None:
    assert refusal(given(b"id,name\n"), FileOptions(delimiter=asked)).code == "wrong_delimiter"


def test_the_header_is_found_below_a_title(given: Given) -> None:
    path = given(b"Our customers,\n\nid,name\n1,Anna\n")
    inspection = inspect(path, columns_hint=known("id", "name"))
    assert (inspection.header, rows(path, inspection)) == (("id", "name"), [["1", "Anna"]])
    assert str(inspection.notes[0]) == "The header was found in row 3; what stands above it is left out."


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "empty_file", "empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "empty_file", "empty"),
        (b"id,name,ID\n1,2,3\n", "duplicate_column", "Columns 1 and 3 are both named"),
        (b"id,,name\n1,2,3\n", "unnamed_column", "Column 2"),
        (b'id,name\n1,"Anna\n2,Bo\n', "unclosed_quote", "line 2"),
        (b'id,name\n1,Anna\n2,"Bo" Ek\n', "stray_quote", "line 3"),
        (b"id" + b",c" * 1000 + b"\n", "too_many_columns", "1000"),
    ],
)
def test_a_broken_structure_is_refused_with_its_place(given: Given, content: bytes, code: str, words: str) -> None:
    if code == "too_many_columns":
        content = ",".join(f"c{n}" for n in range(1001)).encode()
    problem = refusal(given(content))
    assert problem.code == code
    assert words in str(problem)


def test_a_cell_of_ten_megabytes_is_refused_with_record_and_column(given: Given) -> None:
    problem = refusal(given(b'id,name,note\n1,Anna,\n2,"B""o",' + b"x" * 10_000_000 + b"\n"))
    assert problem.code == "cell_too_large"
    assert "Record 2, column 3 (line 3)" in str(problem)


def test_a_line_without_end_is_refused(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINE_CHARACTERS", 3_000_000)
    assert refusal(given(b"id,name\n1," + b"x" * 9_000_000)).code == "line_too_long"


def test_a_file_or_record_count_beyond_the_limit_is_refused(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    path = given(b"id\n" + b"1\n" * 11)
    monkeypatch.setattr(limits, "RECORDS", 10)
    assert refusal(path).code == "too_many_records"
    monkeypatch.setattr(limits, "FILE_BYTES", 20)
    assert refusal(path).code == "too_large"


def test_records_of_another_length_are_rejected_one_by_one(given: Given) -> None:
    path = given(b"id,name\n1,Anna\n2\n3,Bo,extra\n4,Cid\n")
    inspection = inspect(path)
    assert (inspection.records, inspection.bad_records) == (4, 2)
    assert list(read_records(path, inspection))[1:3] == [
        BadRecord(2, "wrong_cell_count", "The record has 1 cells; the header has 2.", "", ("2",)),
        BadRecord(3, "wrong_cell_count", "The record has 3 cells; the header has 2.", "", ("3", "Bo", "extra")),
    ]
    assert rows(path, inspection) == [["1", "Anna"], "wrong_cell_count", "wrong_cell_count", ["4", "Cid"]]


def test_blank_rows_are_left_out_and_told(given: Given) -> None:
    path = given(b"id,name\n\n1,Anna\n,\n2,Bo\n\n")
    inspection = inspect(path)
    assert (inspection.records, [str(note) for note in inspection.notes]) == (2, ["Blank rows left out: 3."])
    assert list(read_records(path, inspection, skip=1)) == [(2, ["2", "Bo"])]


def test_blank_columns_at_the_end_are_left_out(given: Given) -> None:
    path = given(b"id,name,,\n1,Anna,,\n2,Bo,,more\n")
    inspection = inspect(path)
    assert inspection.header == ("id", "name")
    assert rows(path, inspection) == [["1", "Anna"], "wrong_cell_count"]


def test_invisible_marks_around_names_are_taken_off(given: Given) -> None:
    assert inspect(given("\ufeff\ufeffid, name\u00a0,\u200bcity\n1,2,3\n".encode())).header == ("id", "name", "city")


def test_a_header_alone_is_told(given: Given) -> None:
    inspection = inspect(given(b"id,name\n"))
    assert (inspection.records, [str(note) for note in inspection.notes]) == (0, ["The file has a header and no records."])


def test_line_ends_inside_cells_and_odd_text_stay_as_they_are(given: Given) -> None:
    path = given(b'id,note\r\n1,"a\r\nb\nc\rd ""e"""\r\n2,  5\' 6" \r\n3,\'n Sync\r\n4,000123\r\n')
    assert rows(path, inspect(path)) == [["1", 'a\r\nb\nc\rd "e"'], ["2", "  5' 6\" "], ["3", "'n Sync"], ["4", "000123"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end(given: Given, end: str) -> None:
    path = given(end.join(["id,name", "1,Anna", "2,Bo"]).encode())
    assert rows(path, inspect(path)) == [["1", "Anna"], ["2", "Bo"]]


def test_what_an_inspection_knows(given: Given) -> None:
    inspection = inspect(given(b"id,name\n" + b"".join(b"%d,%s\n" % (n, b"x" if n % 2 else b"") for n in range(20))))
    assert (inspection.size, len(inspection.sha256)) == (88, 64)
    assert inspection.samples == (("0", "1", "2", "3", "4"), ("x", "x", "x", "x", "x"))
