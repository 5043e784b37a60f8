"""What a person is handed: complete, readable, of nobody else, and noted."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from regulars_core.audit import history
from regulars_plugin_api.errors import NotFound
from regulars_testkit.crm import CrmHarness


def package(crm: CrmHarness, customer_id: int) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Rows by the title of their section, and the text of each file."""
    out = io.BytesIO()
    crm.privacy.personal_data(customer_id, out)
    with zipfile.ZipFile(out) as archive:
        files = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    return {one["title"]: one["rows"] for one in json.loads(files["data.json"])["sections"]}, files


def test_everything_is_in_it(crm: CrmHarness, person: int, mark: str) -> None:
    rows, files = package(crm, person)
    (whole,) = rows["Person"]
    assert whole == {
        "Kind": "person", "Status": "active", "Display name": f"{mark}först {mark}sist", "First name": f"{mark}först",
        "Last name": f"{mark}sist", "Birthday": "1984-03-12", "Notes": f"{mark}not", "Created at": whole["Created at"],
    }  # fmt: skip
    assert rows["E-mail addresses"] == [{"Address": f"{mark}@example.com"}]
    assert rows["Customer numbers"] == [{"Source": "import", "Value": f"{mark}-7"}]
    assert sorted(one["Tag"] for one in rows["Tags"]) == [f"{mark}tagg", "vip"]
    assert [(one["Channel"], one["State"], one["Source"]) for one in rows["Consents"]] == [
        ("email", "granted", f"{mark}källa"), ("sms", "withdrawn", f"{mark}källa"),
    ]  # fmt: skip
    (receipt,) = rows["Purchases: Receipt"]
    assert {name: receipt[name] for name in ("Receipt no", "Currency", "Total", "Units")} == {
        "Receipt no": "R1", "Currency": "SEK", "Total": "100.5", "Units": "2",
    }  # fmt: skip
    assert "eva@example.com" not in "".join(files.values())


def test_each_section_is_a_table_too(crm: CrmHarness, person: int, mark: str) -> None:
    _rows, files = package(crm, person)
    (name,) = [name for name in files if name.endswith("E-mail-addresses.csv")]
    assert list(csv.reader(io.StringIO(files[name]))) == [["Address"], [f"{mark}@example.com"]]


def test_no_cell_is_a_formula(crm: CrmHarness, person: int) -> None:
    crm.customers.update(person, {"notes": "=HYPERLINK(1)"})
    _rows, files = package(crm, person)
    assert ",'=HYPERLINK(1)" in files["01-Person.csv"]


def test_old_values_and_merged_records_are_part_of_it(crm: CrmHarness, person: int, id_of: Callable[[str], int]) -> None:
    crm.customers.update(person, {"notes": "later"})
    crm.customers.merge(id_of("B"), person)
    rows, _files = package(crm, person)
    assert [one["First name"] for one in rows["Person"]] == sorted(["Eva", "Qzxmarkförst"], reverse=True)
    assert {"from": "Qzxmarknot", "to": "later"} in [{"from": one["from"], "to": one["to"]} for one in rows["Changes"]]


def test_handing_out_is_noted(crm: CrmHarness, person: int) -> None:
    package(crm, person)
    with crm.read() as session:
        newest = history.of_customer(session, person, limit=1)[0]
    assert (newest.field, newest.new) == ("personal_data", "handed out")


def test_nobody_gets_nothing(crm: CrmHarness, person: int) -> None:
    crm.privacy.erase(person)
    for nobody in (person, 99999):
        with pytest.raises(NotFound):
            crm.privacy.personal_data(nobody, io.BytesIO())
