"""Imports through pages: trial run, questions, the real run, report, rejected records, undo."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.audit.models import Change
from regulars_core.bus.models import Event
from regulars_core.crm import Crm
from regulars_core.exchange import desk
from regulars_core.exchange.models import ImportRun
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.staff import Staff

GOOD = "external_id,first_name,last_name,email\nC1,Åsa,Holm,asa@example.com\nC2,秀英,李,li@example.com\n"
MIXED = GOOD + "C3,Nils,Ek,not-an-address\n"
Trying = Callable[..., str]


@pytest.fixture
def manager(staff: Callable[..., Staff]) -> Staff:
    """Somebody who may import customers."""
    return staff(role="manager")


@pytest.fixture
def look_into(crm: Crm, manager: Staff) -> Trying:
    """Give a file, let the worker look into it, and return the address of the run."""

    def give(content: str | bytes, kind: str = "customer", name: str = "members.csv", **more: str) -> str:
        raw = content.encode() if isinstance(content, str) else content
        reply = manager.post("/imports/new", {"kind": kind, "file": (io.BytesIO(raw), name), **more}, content_type="multipart/form-data")
        assert reply.status_code == 302, reply.text
        while desk.work_once(crm):
            pass
        return str(reply.location)

    return give


@pytest.fixture
def try_file(crm: Crm, manager: Staff, look_into: Trying) -> Trying:
    """The same, and agree with the columns as they were recognised, so that the trial run follows."""

    def give(content: str | bytes, **more: str) -> str:
        address = look_into(content, **more)
        columns = chosen(manager.get(address).text)
        if columns:
            assert manager.post(f"{address}/columns", columns).status_code == 302
            while desk.work_once(crm):
                pass
        return address

    return give


def chosen(page: str) -> dict[str, str]:
    """The columns as the page has them chosen."""
    found = {}
    for name, options in re.findall(r'<select[^>]* name="(column-\d+)"[^>]*>(.*?)</select>', page):
        selected = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = selected[1] if selected else ""
    return found


def people(crm: Crm) -> dict[str, int]:
    """Ids of all customers, by name and in the order of the list."""
    with crm.read() as session:
        return {one.display_name: one.id for one in crm.customers.page(session, SYSTEM).rows}


def rows(page: str) -> dict[str, str]:
    """The figures of a report by their title."""
    from html.parser import HTMLParser

    class Figures(HTMLParser):
        found: list[str]
        tag = ""

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.tag = tag

        def handle_data(self, data: str) -> None:
            if self.tag in ("dt", "dd") and data.strip():
                self.found.append(data.strip())

    parser = Figures()
    parser.found = []
    parser.feed(page)
    return dict(zip(parser.found[::2], parser.found[1::2], strict=True))


def test_nothing_is_pressed_for_that_would_do_nothing(crm: Crm, manager: Staff, try_file: Trying) -> None:
    primary = re.compile(r'btn-primary" type="submit">(?:<svg.*?</svg>)?([^<]+)<')
    assert primary.findall(manager.get(try_file(MIXED)).text) == ["Run the import"]
    trial = try_file("external_id,email\nC3,not-an-address\n")
    assert primary.findall(manager.get(trial).text) == ["Try the corrected file"]
    real = manager.post(f"{trial}/run").location
    assert desk.work_once(crm)
    page = manager.get(real).text
    assert rows(page)["Rejected"] == "1"
    assert "Undo this import" not in page


def test_a_trial_run_writes_nothing_and_the_real_one_does(
    crm: Crm, manager: Staff, try_file: Trying, contents: Callable[[], list[str]]
) -> None:
    before = contents()
    trial = try_file(GOOD)
    assert contents() == before
    page = manager.get(trial).text
    assert rows(page) == {
        "Records": "2",
        "Would be added": "2",
        "Would be changed": "0",
        "Unchanged": "0",
        "Merged in the file": "0",
        "Rejected": "0",
    }
    real = manager.post(f"{trial}/run").location
    assert "Waiting for the worker" in manager.get(real).text
    assert 'hx-trigger="every 1s"' in manager.get(f"{real}/progress").text
    assert desk.work_once(crm)
    page = manager.get(real).text
    assert rows(page)["Added"] == "2"
    assert "hx-trigger" not in manager.get(f"{real}/progress").text
    assert list(people(crm)) == ["Åsa Holm", "李秀英"]


def test_rejected_records_are_listed_and_come_back_as_a_file(manager: Staff, try_file: Trying) -> None:
    trial = try_file(MIXED)
    page = manager.get(trial).text
    assert rows(page)["Rejected"] == "1"
    assert "not-an-address" in page
    reply = manager.get(f"{trial}/rejected.csv")
    assert reply.headers["Content-Disposition"] == "attachment; filename=rejected-1.csv"
    lines = reply.data.decode("utf-8-sig").splitlines()
    assert lines[0] == "reject_record,reject_field,reject_code,reject_message,external_id,first_name,last_name,email"
    assert lines[1].startswith("3,email,")
    assert lines[1].endswith(",C3,Nils,Ek,not-an-address")


def test_whoever_began_an_import_is_told_of_its_end(crm: Crm, manager: Staff, staff: Callable[..., Staff], try_file: Trying) -> None:
    real = manager.post(f"{try_file(GOOD)}/run").location
    assert "unread" not in manager.get("/").text
    desk.work_once(crm)
    assert "Notices, 1 unread" in manager.get("/").text
    assert "The import of members.csv has ended." in manager.get("/notices").text
    assert manager.post("/notices/1").location == real
    assert "members.csv" not in staff(role="manager").get("/notices").text


def test_a_run_is_taken_back(crm: Crm, manager: Staff, try_file: Trying, contents: Callable[[], list[str]]) -> None:
    before = contents()
    real = manager.post(f"{try_file(GOOD)}/run").location
    desk.work_once(crm)
    assert contents() != before
    assert manager.post(f"{real}/undo").location == real
    assert "Being undone" in manager.get(real).text
    desk.work_once(crm)
    assert "The import was taken back." in manager.get(real).text
    assert contents() == before
    with crm.read() as session:
        undone = sa.select(Change.actor_id, Change.table_name).where(Change.cause.like("undo:%")).distinct()
        asked_by = session.scalar(sa.select(ImportRun.undone_by_id).where(ImportRun.undone_by_id.is_not(None)))
        assert asked_by is not None
        assert {row.actor_id for row in session.execute(undone)} == {asked_by}
        told = session.scalars(sa.select(Event.actor).where(Event.type == "import.undone")).all()
        assert told == [f"user:{asked_by}"]


def test_a_file_that_can_be_read_in_two_ways_asks(crm: Crm, manager: Staff, try_file: Trying) -> None:
    trial = try_file("external_id,first_name,birthday\nC1,Åsa,03/04/1984\nC2,Nils,05/06/1990\n")
    page = manager.get(trial).text
    assert "Order of dates" in page
    assert "day, month, year" in page
    manager.post(f"{trial}/answer", {"date_order": "dmy", "mode": "create"})
    desk.work_once(crm)
    assert rows(manager.get(trial).text)["Would be added"] == "2"


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [(b"\x89PNG\r\n\x1a\n" + b"x" * 99, "members.csv", "an image"), (b"", "members.csv", "empty")],
)
def test_a_file_that_is_none_is_refused_whole_in_words(manager: Staff, try_file: Trying, content: bytes, name: str, told: str) -> None:
    page = manager.get(try_file(content, name=name)).text
    assert "The file was refused whole" in page
    assert told in page


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"kind": "customer"}, "file"),
        ({"kind": "weather", "file": b"a"}, "kind"),
        ({"kind": "customer", "country": "Atlantis", "file": b"a"}, "country"),
    ],
)
def test_a_form_that_is_not_complete_is_refused_beside_its_field(manager: Staff, data: dict[str, Any], field: str) -> None:
    given = {name: (io.BytesIO(value), "a.csv") if name == "file" else value for name, value in data.items()}
    reply = manager.post("/imports/new", given, content_type="multipart/form-data")
    assert reply.status_code == 422
    assert f'id="{field}-wrong"' in reply.text


def test_a_name_of_a_file_leads_nowhere(crm: Crm, manager: Staff, try_file: Trying) -> None:
    page = manager.get(try_file(GOOD, name="../../<b>etc/passwd.csv")).text
    assert "passwd.csv" in page
    assert "<b>" not in page.split("<main")[1].split("rejected")[0].replace("<b>The", "")
    assert not list(crm.config.home.parent.glob("*passwd*"))


def test_a_clerk_imports_nothing(staff: Callable[..., Staff], try_file: Trying) -> None:
    trial = try_file(GOOD)
    clerk = staff(role="clerk")
    assert [clerk.get(path).status_code for path in ("/imports", "/imports/new", trial)] == [403, 403, 403]
    assert clerk.post(f"{trial}/run").status_code == 403


def test_of_a_kind_somebody_may_not_import_the_run_stays_closed(staff: Callable[..., Staff], try_file: Trying) -> None:
    trial = try_file(GOOD)
    somebody = staff(may=["imports.run"])
    assert somebody.get(trial).status_code == 403
    assert somebody.get(f"{trial}/rejected.csv").status_code == 403


def test_runs_are_listed_newest_first(manager: Staff, try_file: Trying) -> None:
    for name in ("first.csv", "second.csv"):
        try_file(GOOD, name=name, source=name)
    page = manager.get("/imports").text
    assert page.index("second.csv") < page.index("first.csv")
    assert "trial run" in page


def test_what_somebody_changed_since_is_kept_and_listed(crm: Crm, manager: Staff, try_file: Trying) -> None:
    real = manager.post(f"{try_file(GOOD)}/run").location
    desk.work_once(crm)
    asa = people(crm)["Åsa Holm"]
    crm.customers.update(asa, {"notes": "Rang her yesterday."})
    manager.post(f"{real}/undo")
    desk.work_once(crm)
    page = manager.get(real).text
    assert "1 row was kept" in page or "rows were kept" in page
    assert f'href="/customers/{asa}"' in page
    assert list(people(crm)) == ["Åsa Holm"]


def test_headings_nobody_knows_are_matched_by_hand_before_anything_is_tried(crm: Crm, manager: Staff, look_into: Trying) -> None:
    trial = look_into("Kundnummer,Tilltal,Övrigt\nC1,Åsa,4111 1111 1111 1111\n")
    page = manager.get(trial).text
    assert "This is what the file holds." in page
    assert "Åsa</bdi>" in page
    assert "4111 1111" not in page
    assert chosen(page) == {"column-0": "external_id", "column-1": "", "column-2": ""}
    assert manager.post(f"{trial}/columns", {"column-0": "external_id", "column-1": "first_name"}).location == trial
    desk.work_once(crm)
    page = manager.get(trial).text
    assert rows(page)["Would be added"] == "1"
    assert page.count("Left out</span>") == 1
    again = manager.post(f"{trial}/columns", {"column-0": "external_id", "column-1": "last_name"}).location
    assert again != trial
    desk.work_once(crm)
    real = manager.post(f"{again}/run").location
    desk.work_once(crm)
    assert rows(manager.get(real).text)["Added"] == "1"
    assert list(people(crm)) == ["Åsa"]


@pytest.mark.parametrize(
    ("kind", "content", "columns", "told"),
    [
        ("customer", "a,b\n1,2\n", {}, "Choose at least one column."),
        ("customer", "a,b\n1,2\n", {"column-0": "email", "column-1": "email"}, "mapped to the same column"),
        ("store", "a,b\n1,2\n", {"column-0": "name"}, "Still missing:"),
    ],
)
def test_columns_that_can_not_be_meant_are_refused_in_words_and_stay_chosen(
    manager: Staff, look_into: Trying, kind: str, content: str, columns: dict[str, str], told: str
) -> None:
    trial = look_into(content, kind=kind)
    reply = manager.post(f"{trial}/columns", columns)
    assert (reply.status_code, told in reply.text) == (422, True)
    assert "This is what the file holds." in reply.text
    if columns:
        assert f'value="{columns["column-0"]}" selected' in reply.text


def test_how_a_file_is_read_is_asked_before_its_columns(crm: Crm, manager: Staff, look_into: Trying) -> None:
    trial = look_into("Namn,E-post\nŚwiętosława,s@example.com\n".encode("cp1250"))
    page = manager.get(trial).text
    if "This is what the file holds." not in page:
        assert "Encoding" in page
        manager.post(f"{trial}/answer", {"encoding": "cp1250"})
        desk.work_once(crm)
    assert "This is what the file holds." in manager.get(trial).text


def test_rejected_records_are_mended_and_loaded_again(crm: Crm, manager: Staff, look_into: Trying) -> None:
    trial = look_into(MIXED.replace("email", "Elpost-x"))
    columns = {"column-0": "external_id", "column-1": "first_name", "column-2": "last_name", "column-3": "email"}
    manager.post(f"{trial}/columns", columns)
    desk.work_once(crm)
    real = manager.post(f"{trial}/run").location
    desk.work_once(crm)
    assert "Fix and load again" in manager.get(real).text
    rejected = manager.get(f"{real}/rejected.csv").data.decode("utf-8-sig")
    mended = rejected.replace("not-an-address", "nils@example.com").encode()
    data = {"file": (io.BytesIO(mended), "mended.csv")}
    again = manager.post(f"{real}/again", data, content_type="multipart/form-data").location
    desk.work_once(crm)
    assert rows(manager.get(again).text)["Would be added"] == "1"
    final = manager.post(f"{again}/run").location
    desk.work_once(crm)
    assert rows(manager.get(final).text)["Rejected"] == "0"
    assert sorted(people(crm)) == ["Nils Ek", "Åsa Holm", "李秀英"]
    manager.post(f"{final}/undo")
    desk.work_once(crm)
    assert sorted(people(crm)) == ["Åsa Holm", "李秀英"]


def test_loading_again_without_a_file_is_refused_beside_the_field(crm: Crm, manager: Staff, try_file: Trying) -> None:
    real = manager.post(f"{try_file(MIXED)}/run").location
    desk.work_once(crm)
    reply = manager.post(f"{real}/again", {}, content_type="multipart/form-data")
    assert (reply.status_code, 'id="file-wrong"' in reply.text) == (422, True)


def test_an_import_that_waits_can_be_stopped_and_gone_on_with(crm: Crm, manager: Staff, try_file: Trying) -> None:
    address = str(manager.post(f"{try_file(GOOD)}/run").location)
    assert "Stop" in manager.get(address).text
    manager.post(f"{address}/stop")
    page = manager.get(address).text
    assert "The import was stopped by hand." in page
    assert desk.work_once(crm) is False
    manager.post(f"{address}/go-on")
    while desk.work_once(crm):
        pass
    assert "stopped" not in manager.get(address).text
    assert manager.post(f"{address}/stop").status_code == 409
    assert manager.post(f"{address}/go-on").status_code == 409


def test_who_may_not_import_stops_nothing(manager: Staff, staff: Callable[..., Staff], try_file: Trying) -> None:
    address = str(manager.post(f"{try_file(GOOD)}/run").location)
    clerk = staff(role="clerk")
    assert [clerk.post(f"{address}/{what}").status_code for what in ("stop", "go-on")] == [403, 403]
    assert "stopped by hand" not in manager.get(address).text
