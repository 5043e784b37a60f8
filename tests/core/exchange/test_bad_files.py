"""Bad input through the command line: a clear message each, nothing lost, nothing half done, the database as before."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
import xlsxwriter

from regulars_core.dump import dump
from regulars_core.exchange.models import ImportRun
from regulars_migrations import runner
from regulars_migrations.owners import CORE
from regulars_testkit.crm import CrmHarness

Cli = Callable[..., Any]
REPORT = {"run", "kind", "verdict", "records", "created", "updated", "unchanged", "merged", "rejected", "questions", "notes"}
HEADER = "external_id,first_name,email,birthday,notes\n"
CARDS = ("4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "378282246310005")


def workbook(path: Path, *sheets: str) -> None:
    with xlsxwriter.Workbook(path) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["external_id", "first_name"])
            sheet.write_row(1, 0, [name, "Anna"])


def zip_bomb(path: Path) -> None:
    workbook(path, "People")
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"</sheetData>", b" " * (64 << 20) + b"</sheetData>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb:
        for name, content in parts.items():
            bomb.writestr(name, content)


class Case(NamedTuple):
    content: bytes | Callable[[Path], None]
    code: int
    found: str
    words: tuple[str, ...] = ()
    suffix: str = ".csv"


REFUSED = {
    "empty": Case(b"", 5, "empty_file"),
    "blanks only": Case(b"\n \n\n", 5, "empty_file"),
    "unknown columns": Case(b"shoe size,colour\n42,red\n", 5, "missing_column"),
    "the same heading twice": Case(b"external_id,first_name,First_Name\n1,A,B\n", 5, "duplicate_column"),
    "a heading without a name": Case(b"external_id,,email\n1,A,a@example.com\n", 5, "unnamed_column"),
    "no UTF-8": Case(HEADER.encode() + b"1,\xff\xfe,,,\n", 5, "not_decodable", ("--encoding", "utf-8")),
    "a mark against the option": Case(b"\xff\xfe" + HEADER.encode("utf-16-le"), 5, "encoding_contradicted", ("--encoding", "utf-8")),
    "NUL": Case(HEADER.encode() + b"1,An\0na,,,\n", 5, "nul_byte"),
    "an unclosed quotation mark": Case(HEADER.encode() + b'1,"Anna,,,\n2,Eva,,,\n', 5, "unclosed_quote"),
    "a stray quotation mark": Case(HEADER.encode() + b'1,"Anna"s,,,\n', 5, "stray_quote"),
    "ten megabytes in a cell": Case(HEADER.encode() + b"1," + b"a" * (10 << 20) + b",,,\n", 5, "cell_too_large"),
    "a PDF": Case(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", 5, "wrong_format"),
    "a PNG": Case(b"\x89PNG\r\n\x1a\n" + bytes(64), 5, "wrong_format"),
    "a zip bomb": Case(zip_bomb, 5, "zip_bomb", suffix=".xlsx"),
    "half a workbook": Case(b"PK\x03\x04" + bytes(200), 5, "broken_xlsx", suffix=".xlsx"),
    "a sheet that is not there": Case(lambda path: workbook(path, "A"), 5, "unknown_sheet", ("--sheet", "B"), ".xlsx"),
}


def test_files_that_are_refused_whole_say_why_and_leave_nothing(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    crm.import_text("customer", HEADER + "1,Anna,anna@example.com,1984-01-01,\n")
    before = crm.dump()
    found = {}
    for name, case in REFUSED.items():
        path = tmp_path / f"in{case.suffix}"
        case.content(path) if callable(case.content) else path.write_bytes(case.content)
        reply = cli("import", "customer", path, *case.words)
        assert (set(reply.document), reply.document["verdict"], reply.document["records"]) == (REPORT, "reject", 0)
        assert reply.document["notes"][0]["message"]
        found[name] = (reply.code, reply.document["notes"][0]["code"])
        assert crm.dump() == before, name
    assert found == {name: (case.code, case.found) for name, case in REFUSED.items()}
    assert not list((crm.config.home / "uploads").iterdir())


def test_a_file_without_records_is_taken_and_noted(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(HEADER)
    reply = cli("import", "customer", path)
    assert (reply.code, reply.document["records"], [one["message"] for one in reply.document["notes"]]) == (
        0,
        0,
        ["The file has a header and no records."],
    )


WRONG_USE: dict[str, tuple[tuple[str, ...], str]] = {
    "no such file": (("import", "customer", "{folder}/missing.csv"), "does not exist"),
    "a folder": (("import", "customer", "{folder}"), "is a directory"),
    "an unknown kind": (("import", "shoes", "{file}"), "Known kinds: customer, store"),
    "an unknown kind out": (("export", "shoes"), "Known kinds: customer, store"),
    "no file": (("import", "customer"), "Missing argument 'FILE'"),
    "mapping that is no JSON": (("import", "customer", "{file}", "--mapping", "{file}"), "can't be read as JSON"),
    "mapping that is a list": (("import", "customer", "{file}", "--mapping", "{list}"), "The mapping is a JSON object"),
    "mapping to an unknown column": (("import", "customer", "{file}", "--mapping", "{unknown}"), "There is no column shoe_size"),
    "mapping twice to one column": (("import", "customer", "{file}", "--mapping", "{twice}"), "the same column: notes"),
    "mapping that is not there": (("import", "customer", "{file}", "--mapping", "{folder}/x.json"), "does not exist"),
    "an unknown encoding": (("import", "customer", "{file}", "--encoding", "klingon"), "no encoding that is known"),
    "an unknown zone": (("import", "customer", "{file}", "--timezone", "Mars/Olympus"), "no time zone"),
    "an unknown country": (("import", "customer", "{file}", "--country", "XX"), "country code"),
    "a long delimiter": (("import", "customer", "{file}", "--delimiter", "abc"), "can't part columns"),
    "an unknown mode": (("import", "customer", "{file}", "--mode", "replace"), "--mode"),
    "an unknown date order": (("import", "customer", "{file}", "--date-order", "ydm"), "--date-order"),
    "an unknown mark": (("import", "customer", "{file}", "--decimal", ";"), "--decimal"),
    "a blank source": (("import", "customer", "{file}", "--source", " "), "A value is needed here"),
    "rejects nowhere": (("import", "customer", "{file}", "--rejects", "{folder}/no/r.csv"), "can't be written"),
    "rejects into a folder": (("import", "customer", "{file}", "--rejects", "{folder}"), "is a directory"),
    "export nowhere": (("export", "customer", "--out", "{folder}/no/out.csv"), "can't be written"),
    "an unknown format": (("export", "customer", "--format", "pdf"), "--format"),
    "a filter that is no JSON": (("export", "customer", "--filter", "{file}"), "can't be read as JSON"),
    "a filter with an unknown field": (("export", "customer", "--filter", "{list}"), "An object is needed here"),
    "stores by filter": (("export", "store", "--filter", "{unknown}"), "Stores can't be filtered"),
}


def test_wrong_use_is_told_before_anything_happens(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("number,name\n1,Anna\n")
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "unknown.json").write_text('{"number": "shoe_size"}')
    (tmp_path / "twice.json").write_text('{"number": "notes", "name": "notes"}')
    files = {"folder": tmp_path, "file": tmp_path / "in.csv", **{one: tmp_path / f"{one}.json" for one in ("list", "unknown", "twice")}}
    for name, (words, said) in WRONG_USE.items():
        reply = cli(*(word.format(**files) for word in words))
        assert reply.code == 2, (name, reply)
        assert said in reply.said, (name, reply.said)
        assert set(reply.document) == {"error", "fields"}, name
        assert said in json.dumps(reply.document, ensure_ascii=False), name
    assert cli("imports", "list").document == []
    assert not list((crm.config.home).glob("uploads/*"))


def test_runs_that_are_not_there_or_can_not_be_undone(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("external_id\n1\n")
    trial = cli("import", "customer", path, "--dry-run").document["run"]
    assert [cli("imports", *words).code for words in (("show", 99), ("undo", 99), ("undo", trial), ("show", "x"))] == [1, 1, 1, 2]


RECORDS = [
    ("7,Naïve,,03/04/1984,", "birthday", "date_order_unknown"),
    ("8,Anna,no-address,,", "email", "bad_email"),
    ("9,Anna,,1984-02-30,", "birthday", "bad_date"),
    ("10,Bell\a,,,", "first_name", "control_character"),
    ("11,Anna,,,pays with 4111 1111 1111 1111 always", "notes", "card_number"),
    ("4111111111111111,Anna,,,", "external_id", "card_number"),
    ("12,5555-5555-5555-4444,,,", "first_name", "card_number"),
    ("13,Anna,378282246310005@example.com,,", "email", "card_number"),
    ("14,Anna,,378282246310005,", "birthday", "bad_date"),
    ("15,Anna,,,one,too many 4111 1111 1111 1111", "", "wrong_cell_count"),
    ("16,Anna", "", "wrong_cell_count"),
    (f"17,Anna,,,{'long ' * 30_000}", "notes", "too_long"),
]


def test_records_are_refused_one_by_one_with_their_number_and_no_card_number_is_kept(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    path, rejects = tmp_path / "in.csv", tmp_path / "rejects.csv"
    good = ["1,=1+1,,1984-13-01", "2,Anna,anna@example.com,1980-12-31,-", "2,Anna,anna@example.com,1980-12-31,-"]
    good[0] = "1,=1+1,,1984-12-01,@SUM(A1)"
    path.write_text(HEADER + "\n".join([*good, *(record for record, _field, _code in RECORDS[1:])]) + "\n")
    reply = cli("import", "customer", path, "--date-order", "ymd", "--rejects", rejects)
    report = reply.document
    assert (reply.code, report["verdict"], report["records"], report["created"], report["merged"]) == (3, "partial", 14, 2, 1)
    assert [(one["record"], one["field"], one["code"]) for one in report["rejected"]] == [
        (number, field, code) for number, (_record, field, code) in enumerate(RECORDS[1:], start=4)
    ]
    assert all(one["message"] for one in report["rejected"])
    formulas = next(json.loads(line) for line in crm.dump() if '"import:1"' in line and '"customer"' in line)
    assert (formulas["first_name"], formulas["notes"]) == ("=1+1", "@SUM(A1)")
    assert not list((crm.config.home / "uploads").iterdir())
    with crm.read() as session:
        kept = "\n".join(dump(session, journal=True))
    for text in (kept, rejects.read_text("utf-8-sig"), json.dumps(report), reply.said):
        assert not [card for card in CARDS if card in text]
    assert "**** **** **** 1111" in kept
    assert "pays with **** **** **** 1111 always" in rejects.read_text("utf-8-sig")


def test_rejected_records_can_be_mended_and_imported_again(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    path, rejects = tmp_path / "in.csv", tmp_path / "rejects.csv"
    path.write_text(
        'Kundnummer;Förnamn;E-post;Anteckningar\n1;Anna;anna@example.com;x\n2;Eva;eva.example.com;=1+1\n3;Åsa;åsa@;säger "hej"\n'
    )
    assert cli("import", "customer", path, "--rejects", rejects).code == 3
    lines = rejects.read_text("utf-8-sig").splitlines()
    assert lines[0] == "reject_record,reject_field,reject_code,reject_message,Kundnummer,Förnamn,E-post,Anteckningar"
    assert lines[1].startswith("2,email,bad_email,")
    assert lines[1].endswith(",2,Eva,eva.example.com,'=1+1")
    rejects.write_text("\n".join(lines).replace("eva.example.com", "eva@example.com"), "utf-8-sig")
    again = cli("import", "customer", rejects, "--rejects", rejects)
    assert (again.code, again.document["created"], [one["record"] for one in again.document["rejected"]]) == (3, 1, [2])
    assert "=1+1" in [json.loads(line).get("notes") for line in crm.dump()]
    rejects.write_text(rejects.read_text("utf-8-sig").replace("åsa@", "åsa@example.com"), "utf-8-sig")
    last = cli("import", "customer", rejects, "--rejects", rejects)
    assert (last.code, last.document["created"], last.document["verdict"]) == (0, 1, "accept")
    assert len(rejects.read_text("utf-8-sig").splitlines()) == 1


def test_what_can_mean_two_things_is_asked_and_answered_by_the_option_it_names(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    before = crm.dump()
    csv, book = tmp_path / "in.csv", tmp_path / "in.xlsx"
    workbook(book, "Shops", "People")
    texts: dict[str, tuple[Path, bytes]] = {
        "date_order": (csv, b"external_id,first_name,birthday\n1,Anna,03/04/1984\n"),
        "encoding": (csv, "external_id,first_name\n1,Žofie\n".encode("cp1250")),
        "delimiter": (csv, b"external_id,first_name;last_name\n1,Anna;Ek\n2,Eva;Ek\n"),
        "sheet": (book, book.read_bytes()),
    }
    for option, (path, content) in texts.items():
        path.write_bytes(content)
        asked = cli("import", "customer", path)
        assert (asked.code, asked.document["verdict"], asked.document["records"]) == (4, "ask", 0), (option, asked)
        (question,) = asked.document["questions"]
        assert (set(question), question["option"]) == ({"option", "choices", "why"}, option)
        assert crm.dump() == before
        answered = cli("import", "customer", path, f"--{option.replace('_', '-')}", question["choices"][0])
        assert (answered.code, answered.document["created"] > 0) == (0, True), (option, answered)
        assert cli("imports", "undo", answered.document["run"]).document["kept"] == []
        assert crm.dump() == before


def test_modes_sources_and_trial_runs(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("external_id,first_name\n1,Anna\n")
    before = crm.dump()
    trial = cli("import", "customer", path, "--dry-run", "--source", "till")
    assert (trial.code, trial.document["created"], crm.dump() == before) == (0, 1, True)
    missing = cli("import", "customer", path, "--mode", "update")
    assert (missing.code, [one["code"] for one in missing.document["rejected"]]) == (3, ["not_found"])
    assert crm.dump() == before
    assert cli("import", "customer", path, "--source", "till").document["created"] == 1
    assert [one for one in map(json.loads, crm.dump()) if one["record"] == "external_id"] == [
        {"record": "external_id", "customer": "till:1", "source": "till", "value": "1"}
    ]
    path.write_text("external_id,first_name\n1,Anne\n2,Eva\n")
    known = cli("import", "customer", path, "--mode", "create", "--source", "till")
    assert (known.document["created"], [one["code"] for one in known.document["rejected"]]) == (1, ["already_exists"])
    rows = cli("imports", "list").document
    assert [(one["dry_run"], one["created"]) for one in rows] == [(False, 1), (False, 1), (False, 0), (True, 1)]
    assert cli("imports", "show", rows[0]["run"]).document == known.document


def test_a_customer_in_the_trash_is_not_changed_by_a_file(crm: CrmHarness) -> None:
    crm.import_text("customer", "external_id,first_name\n1,Anna\n")
    with crm.transaction() as session:
        crm.customers.trash(session, 1)
    before = crm.dump()
    report = crm.import_text("customer", "external_id,first_name\n1,Anne\n")
    assert [one["code"] for one in report["rejected"]] == ["in_trash"]
    assert crm.dump() == before


def test_an_old_schema_is_refused_in_words(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    path, url = tmp_path / "in.csv", crm.config.database_url
    path.write_text("external_id\n1\n")
    crm.database.dispose()
    runner.downgrade(url, CORE, "core_0003")
    for words in (("import", "customer", path), ("imports", "list"), ("export", "customer"), ("stores", "list")):
        reply = cli(*words)
        assert (reply.code, "Run: regulars db upgrade" in reply.said) == (1, True), words
    assert cli("db", "upgrade").code == 0
    assert cli("import", "customer", path).code == 0


def test_a_foreign_database_is_refused_and_not_touched(
    cli: Cli, crm: CrmHarness, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_text("external_id\n1\n")
    url = request.getfixturevalue("blank_sqlite_url" if crm.database.is_sqlite else "blank_postgres_url")
    monkeypatch.setenv("REGULARS_DATABASE_URL", url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE wp_posts (id INTEGER)")
    for words in (("import", "customer", path), ("db", "upgrade"), ("export", "store")):
        reply = cli(*words)
        assert (reply.code, "tables of another product" in reply.said) == (1, True), words
    assert sa.inspect(engine).get_table_names() == ["wp_posts"]
    engine.dispose()


def test_a_database_that_is_gone_is_not_made_anew(cli: Cli, crm: CrmHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "in.csv"
    path.write_text("external_id\n1\n")
    gone = tmp_path / "gone.db"
    monkeypatch.setenv("REGULARS_DATABASE_URL", f"sqlite:///{gone}")
    reply = cli("import", "customer", path)
    assert (reply.code, "Run: regulars init" in reply.said, gone.exists()) == (1, True, False)
    gone.write_text("Dear diary")
    reply = cli("import", "customer", path)
    assert (reply.code, "can't be opened" in reply.said, gone.read_text()) == (1, True, "Dear diary")


def test_copies_of_files_that_nobody_comes_back_to_are_deleted_after_a_day(cli: Cli, crm: CrmHarness, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("external_id,birthday\n1,03/04/1984\n")
    assert cli("import", "customer", path).code == 4
    (left,) = (crm.config.home / "uploads").iterdir()
    assert cli("import", "customer", path, "--date-order", "dmy").code == 0
    assert left.exists()
    os.utime(left, (0, 0))
    assert cli("import", "customer", path, "--date-order", "dmy").code == 0
    assert not left.exists()
    with crm.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportRun)) == 3
