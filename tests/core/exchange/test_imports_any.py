"""Whatever is in the files: reports add up, a second time changes nothing, a trial tells the truth, undo gives everything back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from regulars_core.exchange.undo import undo
from regulars_testkit.crm import CrmHarness

STORES = "code,name,timezone,currency\nA,Alfa,UTC,EUR\nB,Beta,UTC,EUR\n"
CELLS: dict[str, list[str]] = {
    "external_id": ["1", "2", "3", "4", "", "0012", "4111111111111111"],
    "kind": ["", "person", "company", "household", "ghost"],
    "status": ["", "active", "blocked"],
    "first_name": ["", "Anna", "Åsa", "王", "=1+1", "x" * 401],
    "last_name": ["", "Ek", "Öberg", "a\tb"],
    "display_name": ["", "Anna Ek", "Firman AB"],
    "email": ["", "a@example.com", "b@example.com", "A@EXAMPLE.com; c@example.com", "nonsense"],
    "phone": ["", "+46701740631", "+46 70 174 06 32; +46701740631", "12"],
    "birthday": ["", "1984-03-12", "1984-03-13", "1984-02-30"],
    "city": ["", "Lund", "Malmö"],
    "country": ["", "SE", "XX"],
    "street": ["", "Storgatan 1\nUppg. B"],
    "store": ["", "A", "B", "C"],
    "tags": ["", "vip", "vip; new", ";;", "new;vip;new"],
    "notes": ["", "Ring efter 17", "4111 1111 1111 1111", '"quoted", with comma'],
    "consent_email": ["", "yes", "no", "perhaps"],
    "consent_sms": ["", "yes", "no"],
    "consent_date": ["", "2024-01-01", "2025-01-01"],
    "consent_source": ["", "till", "web"],
}
FILES = st.lists(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(cells) for name, cells in CELLS.items()}), min_size=1, max_size=12
)


def write(path: Path, records: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"language": "", **record}) + "\n" for record in records), encoding="utf-8")
    return path


def counts(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name != "run"}


@settings(
    max_examples=6,
    derandomize=True,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=st.lists(FILES, min_size=1, max_size=3), mode=st.sampled_from(["upsert", "upsert", "create", "update"]))
def test_any_files(crm: CrmHarness, tmp_path: Path, files: list[list[dict[str, str]]], mode: str) -> None:
    if not crm.dump()[-1].startswith('{"code"'):
        crm.import_text("store", STORES)
    dumps, done = [crm.dump()], []
    for records in files:
        path = write(tmp_path / "in.jsonl", records)
        trial = crm.import_file("customer", path, dry_run=True, mode=mode)
        assert crm.dump() == dumps[-1]
        report = crm.import_file("customer", path, mode=mode)
        assert counts(trial) == counts(report)
        done.append(report["run"])
        dumps.append(crm.dump())
        told = [report[name] for name in ("created", "updated", "unchanged", "merged")]
        if report["verdict"] == "reject":
            assert dumps[-1] == dumps[-2]
            continue
        assert sum(told) + len(report["rejected"]) == report["records"] == len([one for one in records if any(one.values())])
        assert (dumps[-1] != dumps[-2]) or report["created"] == 0
        if mode == "upsert":
            again = crm.import_file("customer", path)
            assert again["created"] == 0
            # An address that two customers of the file share says no more who is meant the second time.
            if len(again["rejected"]) == len(report["rejected"]):
                assert crm.dump() == dumps[-1]
            assert undo(crm, again["run"])["kept"] == []
            assert crm.dump() == dumps[-1]
    for run in reversed(done):
        dumps.pop()
        if crm.report(run)["verdict"] != "reject":
            assert undo(crm, run)["kept"] == []
        assert crm.dump() == dumps[-1]


def test_customers_with_nothing_but_a_name_are_not_doubled_by_the_same_file(crm: CrmHarness) -> None:
    text = "display_name,city,tags\nAnna Ek,Lund,vip\nAnna Ek,Malmö,\nAnna Ek,Lund,vip\nFirman,,\n"
    first = crm.import_text("customer", text)
    before = crm.dump()
    second = crm.import_text("customer", text)
    assert [(one["created"], one["merged"], one["unchanged"]) for one in (first, second)] == [(3, 1, 0), (0, 1, 3)]
    assert crm.dump() == before


def test_rows_about_one_customer_build_on_each_other_and_may_come_to_nothing(crm: CrmHarness) -> None:
    header = "external_id,first_name,street,city,consent_email,consent_date,consent_source\n"
    crm.import_text("customer", header + "1,Anna,Storgatan 1,Lund,yes,2024-01-01,till\n")
    before = crm.dump()
    again = crm.import_text(
        "customer", header + "1,Anne,,Malmö,no,2024-02-01,web\n1,Anna,,Lund,yes,2024-02-01,web\n1,,,,yes,2024-02-01,web\n"
    )
    assert (again["updated"], again["merged"]) == (1, 2)
    assert undo(crm, again["run"])["kept"] == []
    assert crm.dump() == before
    nothing = crm.import_text("customer", header + "1,Anne,,Malmö,,,\n1,Anna,,Lund,,,\n")
    assert (nothing["updated"], nothing["unchanged"], nothing["merged"]) == (0, 1, 1)
    assert crm.dump() == before
    moved = crm.import_text("customer", header + "1,,,Malmö,,,\n1,,Lilla torg 2,,,,\n")
    assert (moved["updated"], moved["merged"]) == (1, 1)
    (address,) = (one for one in map(json.loads, crm.dump()) if one["record"] == "customer_address")
    assert (address["street"], address["city"]) == ("Lilla torg 2", "Malmö")
