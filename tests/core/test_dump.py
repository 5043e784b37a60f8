"""``regulars db dump``: the business data as sorted lines, the same on both databases, without what differs from copy to copy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from os import environ
from pathlib import Path

import pytest

from regulars_core.dump import dump
from regulars_core.exchange.undo import undo
from regulars_core.users import passwords, service
from regulars_testkit.crm import CrmHarness, open_harness

STORES = "code,name,region,country,timezone,currency,opened_on\nB,Beta,Norr,SE,Europe/Stockholm,SEK,2001-02-03\nA,Alfa,Norr,,UTC,EUR,\n"
PEOPLE = (
    "external_id,first_name,last_name,email,phone,birthday,city,store,tags,notes,consent_email,consent_date,consent_source\n"
    "10,Åsa,Öberg,asa@example.com; a@example.org,+46701740631,1984-03-12,Lund,B,vip; z,rad 1,yes,2024-05-01,kassa\n"
    "9,王,小明,,,,,,,,no,,\n"
    "10,,Ek,,,,,A,,,,,\n"
    "11,Eva,,no-address,,,,,,,,,\n"
)


@pytest.fixture
def both(crm: CrmHarness, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[CrmHarness, CrmHarness]]:
    """Two systems, one on each database."""
    other = open_harness(request.getfixturevalue("postgres_url" if crm.database.is_sqlite else "sqlite_url"), tmp_path / "other")
    yield crm, other
    other.close()


def lines(crm: CrmHarness, *, journal: bool = False) -> list[str]:
    with crm.read() as session:
        return list(dump(session, journal=journal))


def fill(crm: CrmHarness) -> None:
    crm.import_text("store", STORES)
    crm.import_text("customer", PEOPLE)
    crm.import_text("customer", "external_id,first_name,tags\n9,小红,vip\n", source="till")


def test_the_same_imports_give_the_same_lines_on_both_databases(both: tuple[CrmHarness, CrmHarness]) -> None:
    here, there = both
    there.import_text("customer", "external_id,first_name\nX1,Nobody\n")
    there.import_text("customer", "external_id,first_name\nX2,Nobody\n")
    assert [undo(there, run)["kept"] for run in (2, 1)] == [[], []]
    for crm in both:
        fill(crm)
    assert lines(here) == lines(there)
    groups = Counter(json.loads(line)["record"] for line in lines(here))
    assert {name: groups[name] for name in ("store", "region", "customer", "customer_email", "customer_tag", "tag", "consent")} == {
        "store": 2, "region": 1, "customer": 3, "customer_email": 2, "customer_tag": 3, "tag": 2, "consent": 2,
    }  # fmt: skip


def test_lines_are_sorted_json_without_surrogate_keys_write_times_or_secrets(crm: CrmHarness) -> None:
    fill(crm)
    with crm.transaction(cause="test") as session:
        hashed = passwords.hashed("korrekt häst batteri")
        service.create(session, email="a@example.com", name="A", password="korrekt häst batteri", roles=["clerk"], at=crm.clock.now())
    for journal in (False, True):
        found = lines(crm, journal=journal)
        by_table: dict[str, list[str]] = {}
        for line in found:
            by_table.setdefault(json.loads(line)["record"], []).append(line)
        assert all(group == sorted(group) for group in by_table.values())
        assert [json.loads(line)["record"] for line in found] == [name for name, group in sorted(by_table.items()) for _line in group]
        assert "$argon2" not in "\n".join(found)
        assert hashed[:10] not in "\n".join(found)
        assert str(crm.config.secret_key) not in "\n".join(found)
    plain = [json.loads(line) for line in lines(crm)]
    assert not [one for one in plain for name in one if name in ("id", "created_at", "updated_at", "recorded_at", "version", "password")]
    assert not [one for one in plain for name in one if name.endswith("_id") and name != "external_id"]
    names = {one["name"] for one in plain if one["record"] == "customer"}
    assert names >= {"import:10", "import:9"}


def test_the_journal_comes_on_top_when_it_is_asked_for(crm: CrmHarness) -> None:
    fill(crm)
    plain, whole = lines(crm), lines(crm, journal=True)
    assert set(plain) < set(whole)
    more = {json.loads(line)["record"] for line in set(whole) - set(plain)}
    assert {"change", "event", "import_run", "import_reject"} <= more


def test_the_command_writes_the_lines_out_or_into_a_private_file(crm: CrmHarness, tmp_path: Path) -> None:
    fill(crm)
    out = tmp_path / "dump.jsonl"
    environment = environ | {"REGULARS_HOME": str(crm.config.home), "REGULARS_DATABASE_URL": crm.config.database_url}
    command = [str(Path(sys.executable).with_name("regulars")), "db", "dump"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    told = subprocess.run([*command, "--out", str(out), "--json"], env=environment, capture_output=True, text=True, check=True).stdout
    assert printed == out.read_text() == "".join(f"{line}\n" for line in crm.dump())
    assert json.loads(told) == {"out": str(out), "records": len(crm.dump())}
    assert out.stat().st_mode & 0o777 == 0o600
    assert not re.search(r'"(id|uid)":', printed)
