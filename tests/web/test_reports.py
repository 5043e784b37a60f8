"""Reports of plugins: listed, asked with parameters, had as files, by page, REST and command line; a bad one is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import marshmallow
import pytest
from sample_plugins import SECRET, candidate, everything

from regulars_core.bus import hooks as bus
from regulars_core.crm import Crm
from regulars_core.plugins import registry
from regulars_plugin_api.contributions import Report, ReportColumn, Table
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.hookspecs import hookimpl
from regulars_testkit.staff import Staff, plugin
from regulars_web import cli, reports
from regulars_web.app import create_app


@pytest.fixture
def house(make_crm: Callable[..., Crm]) -> Crm:
    """The system with a plugin that has a report."""
    return make_crm(everything)


@pytest.fixture
def manager(house: Crm, staff: Callable[..., Staff]) -> Staff:
    """Somebody who may run it."""
    return staff(role="manager", on=create_app(house))


def test_reports_are_listed_with_what_they_count(manager: Staff) -> None:
    page = manager.get("/reports").text
    assert 'href="/reports"' in page
    assert 'href="/reports/everything.counted"' in page
    assert "Numbers up to a last one." in page


def test_a_report_is_asked_for_with_its_parameters(manager: Staff) -> None:
    form = manager.get("/reports/everything.counted").text
    assert "Last number" in form
    assert 'value="3"' in form
    assert "0.50" not in form
    table = manager.get("/reports/everything.counted?run=1&upto=2").text
    for shown in ("2 rows", "0.50", "=1+1", "Prices are invented.", 'href="/reports/everything.counted/file.csv?upto=2"'):
        assert shown in table


@pytest.mark.parametrize("upto", ["many", "-1", "5000"])
def test_a_wrong_parameter_is_refused_beside_its_field(manager: Staff, upto: str) -> None:
    reply = manager.get(f"/reports/everything.counted?run=1&upto={upto}")
    assert reply.status_code == 422
    assert 'id="upto-wrong"' in reply.text
    assert f'value="{upto}"' in reply.text
    assert manager.get(f"/reports/everything.counted/file.csv?upto={upto}").status_code == 422


def test_the_table_can_be_had_as_a_file_without_formulas(manager: Staff) -> None:
    address = "/reports/everything.counted/file.{}?upto=2"
    lines = manager.get(address.format("csv")).data.decode("utf-8-sig").splitlines()
    assert lines == ["Number,Price,Word", "1,0.25,'=1+1", "2,0.5,'=1+1"]
    document = manager.get(address.format("json")).get_json()
    assert document["rows"] == [[1, "0.25", "=1+1"], [2, "0.5", "=1+1"]]
    book = manager.get(address.format("xlsx"))
    assert (book.status_code, book.data[:2]) == (200, b"PK")
    page = manager.get(address.format("html") + "&word=<b>")
    assert "<td>&lt;b&gt;</td>" in page.text
    assert page.headers["Content-Disposition"] == "attachment; filename=everything.counted.html"
    assert manager.get(address.format("pdf")).status_code == 404


def test_who_may_not_run_it_does_not_know_of_it(house: Crm, staff: Callable[..., Staff]) -> None:
    clerk = staff(role="clerk", on=create_app(house))
    assert "No reports yet" in clerk.get("/reports").text
    for path in ("/reports/everything.counted", "/reports/everything.counted/file.csv", "/api/v1/reports/everything.counted"):
        assert clerk.get(path).status_code == 404
    assert clerk.get("/api/v1/reports").get_json() == {"items": []}


def test_programs_ask_as_well(manager: Staff) -> None:
    parameters = [{"name": "upto", "kind": "number", "required": False}, {"name": "word", "kind": "text", "required": False}]
    about = {"name": "everything.counted", "title": "Counted", "definition": "Numbers up to a last one."}
    assert manager.get("/api/v1/reports").get_json() == {"items": [about | {"parameters": parameters}]}
    table = manager.get("/api/v1/reports/everything.counted", query_string={"parameters": '{"upto": 1}'}).get_json()
    assert (table["rows"], table["notes"]) == ([[1, "0.25", "=1+1"]], ["Prices are invented."])
    for wrong, status in (('{"upto": "x"}', 422), ('{"shoe": 1}', 422), ("[]", 422), ("{", 422)):
        reply = manager.get("/api/v1/reports/everything.counted", query_string={"parameters": wrong})
        assert (reply.status_code, reply.content_type) == (status, "application/problem+json"), wrong
    assert manager.get("/api/v1/reports/everything.counted?shoe=1").status_code == 422


def test_the_command_line_prints_it_too(
    house: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(registry, "installed", lambda: [candidate(everything)])
    for name, value in {"HOME": tmp_path / "home", "DATABASE_URL": house.config.database_url, "SECRET_KEY": SECRET}.items():
        monkeypatch.setenv(f"REGULARS_{name}", str(value))

    def run(*words: str) -> tuple[int, bytes]:
        monkeypatch.setattr(sys, "argv", ["regulars", "reports", *words])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        sys.stdout.flush()
        return int(leaving.value.code or 0), capfdbinary.readouterr().out

    assert [one["name"] for one in json.loads(run("list", "--json")[1])] == ["everything.counted"]
    assert json.loads(run("run", "everything.counted", "-p", "upto=1", "--json")[1])["rows"] == [[1, "0.25", "=1+1"]]
    assert run("run", "everything.counted", "-p", "upto=1", "--format", "csv")[1].decode("utf-8-sig").splitlines()[1] == "1,0.25,'=1+1"
    assert "Prices are invented." in run("run", "everything.counted")[1].decode()
    out = tmp_path / "counted.html"
    assert run("run", "everything.counted", "--out", str(out))[0] == 0
    assert "<h1>Counted</h1>" in out.read_text()
    wrong = [("nobody.knows",), ("everything.counted", "-p", "upto=x"), ("everything.counted", "-p", "x")]
    assert [run("run", *words)[0] for words in wrong] == [1, 2, 2]


def bad_reports() -> Any:
    """A plugin whose reports fail, each in its way."""

    def failing(*_given: Any) -> Table:
        raise RuntimeError("out of toys")

    def refusing(*_given: Any) -> Table:
        raise InvalidInput("No such season.")

    odd: Any = lambda *_given: [[1]]  # noqa: E731

    @hookimpl
    def reports() -> Any:
        ragged = Table([ReportColumn("one", "One")], [[1, 2]])
        for name, run in {"failing": failing, "refusing": refusing, "odd": odd, "ragged": lambda *_given: ragged}.items():
            yield Report(f"bad.{name}", name, "", "customers.view", marshmallow.Schema, run)
        yield Report("other.name", "Under another's name", "", "customers.view", marshmallow.Schema, failing)

    return plugin("bad", reports=reports)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("failing", 502, "The plugin bad could not do its part (report bad.failing): RuntimeError: out of toys"),
        ("odd", 502, "answered with list, not Table"),
        ("ragged", 502, "a row is not as long as there are columns"),
        ("refusing", 200, "No such season."),
    ],
)
def test_a_report_that_fails_says_so(make_crm: Callable[..., Crm], staff: Callable[..., Staff], name: str, status: int, words: str) -> None:
    somebody = staff(role="clerk", on=create_app(make_crm(bad_reports(), everything)))
    reply = somebody.get(f"/reports/bad.{name}")
    assert (reply.status_code, words in reply.text) == (502 if name == "refusing" else status, True)
    assert "other.name" not in somebody.get("/reports").text


def test_a_report_may_take_longer_than_a_page_but_not_for_ever(house: Crm, manager: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    def slow(*_given: Any) -> Table:
        time.sleep(0.5)
        return Table([ReportColumn("one", "One")], [[1]])

    @hookimpl
    def offered() -> Any:
        yield Report("everything.slow", "Slow", "", "customers.view", marshmallow.Schema, slow)

    monkeypatch.setattr(bus, "PAGE_BUDGET", 0.1)
    report = reports.Offered("everything", next(iter(offered())))
    monkeypatch.setattr(reports, "offered", lambda *_about: [report])
    assert manager.get("/reports/everything.slow").status_code == 200
    assert reports.run.__kwdefaults__ is not None
    monkeypatch.setitem(reports.run.__kwdefaults__, "patience", 0.2)
    reply = manager.get("/reports/everything.slow")
    assert (reply.status_code, "has not come back from an earlier call" in reply.text) == (502, True)
