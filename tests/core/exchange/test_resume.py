"""A run that is killed goes on where it stopped: every record once, and the report adds up."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.audit.models import CREATED, ROW, Change
from regulars_core.customers.models import Customer, ExternalId
from regulars_core.exchange import desk, leases, runs
from regulars_core.exchange.models import ImportBatch, ImportRun, RunState
from regulars_core.exchange.options import ImportOptions
from regulars_core.exchange.undo import undo
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.crm import CrmHarness

RECORDS = 8_000


def write_file(path: Path, records: int, seed: int = 1) -> Counter[str]:
    """A file with repeated, wrong and known customers; returns what has to become of its records."""
    chance, expected = random.Random(seed), Counter[str]()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "first_name", "last_name", "email", "tags", "notes"])
        fresh = 0
        for _number in range(records):
            kind = chance.choices(("created", "merged", "rejected"), (90, 6, 4))[0] if fresh else "created"
            expected[kind] += 1
            if kind == "created":
                fresh += 1
                writer.writerow([f"N{fresh}", "Åsa", f"Holm {fresh}", f"n{fresh}@example.com", f"t{fresh % 7}", ""])
            elif kind == "merged":
                writer.writerow([f"N{chance.randint(1, fresh)}", "", "", "", f"again{chance.randint(1, 3)}", ""])
            else:
                writer.writerow([f"B{_number}", "Eva", "Ek", "no-address", "", ""])
    return expected


def regulars(crm: CrmHarness, *words: object) -> subprocess.Popen[str]:
    """``regulars`` in a process of its own, on the database and home of ``crm``."""
    environment = os.environ | {"REGULARS_HOME": str(crm.config.home), "REGULARS_DATABASE_URL": crm.config.database_url}
    command = [str(Path(sys.executable).with_name("regulars")), *map(str, words)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def state(crm: CrmHarness) -> tuple[int, RunState, int] | None:
    """The newest run: its number, state and position."""
    with crm.read() as session:
        row = session.execute(sa.select(ImportRun.id, ImportRun.state, ImportRun.position).order_by(ImportRun.id.desc()).limit(1)).first()
    return None if row is None else (row.id, row.state, row.position)


def kill_past(crm: CrmHarness, process: subprocess.Popen[str], position: int, seen: list[int]) -> None:
    """Kill -9 once more than ``position`` records are in; every position on the way is kept in ``seen``."""
    until = time.monotonic() + 120
    while process.poll() is None:
        assert time.monotonic() < until
        found = state(crm)
        if found is not None and (not seen or found[2] != seen[-1]):
            seen.append(found[2])
        if seen and seen[-1] > position:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.002)
    process.communicate()


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, said = process.communicate(timeout=300)
    assert process.returncode in (0, 3), said
    report: dict[str, Any] = json.loads(out)
    return report


def check_exactly_once(crm: CrmHarness, report: dict[str, Any], expected: Counter[str], seen: Sequence[int]) -> None:
    found = {**{name: report[name] for name in ("created", "updated", "unchanged", "merged")}, "rejected": len(report["rejected"])}
    assert +Counter(found) == expected
    assert report["records"] == sum(found.values()) == expected.total()
    assert list(seen) == sorted(seen), "progress fell"
    with crm.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == expected["created"]
        cause = f"import:{report['run']}"
        journaled = session.execute(
            sa.select(Change.row_id).where(Change.cause == cause, Change.table_name == "customer", Change.column_name == ROW)
        ).all()
        assert len(journaled) == len(set(journaled)) == expected["created"]
        twice = sa.select(Change.table_name, Change.row_id).where(Change.cause == cause, Change.new == CREATED)
        twice = twice.group_by(Change.table_name, Change.row_id).having(sa.func.count() > 1)
        assert session.execute(twice).all() == []
        assert session.scalars(sa.select(ImportBatch.id)).all() == []
    records = [one["record"] for one in report["rejected"]]
    assert records == sorted(set(records))


def test_a_killed_import_goes_on_and_every_record_is_in_once(crm: CrmHarness, tmp_path: Path) -> None:
    path, seen = tmp_path / "people.csv", list[int]()
    expected = write_file(path, RECORDS)
    for fraction in (0.1, 0.5):
        kill_past(crm, regulars(crm, "import", "customer", path), int(RECORDS * fraction), seen)
        found = state(crm)
        assert found is not None
        assert (found[0], found[1], found[2] < RECORDS) == (1, RunState.RUNNING, True)
    started = time.monotonic()
    report = finished(regulars(crm, "import", "customer", path, "--json"))
    assert time.monotonic() - started < 25, "a dead process of this host is not waited for"
    check_exactly_once(crm, report, expected, seen)
    assert crm.report(1) == report
    whole = crm.dump()
    again = crm.import_file("customer", path)
    assert (again["run"], again["created"], again["updated"]) == (2, 0, 0)
    assert crm.dump() == whole


def test_a_killed_undo_goes_on_and_leaves_the_data_as_before(crm: CrmHarness, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    crm.import_text("customer", "external_id,first_name,last_name,tags\nN1,Old,Name,old\nN3,Old,Other,\n")
    before = crm.dump()
    write_file(path, 4_000)
    run = crm.import_file("customer", path)["run"]
    process = regulars(crm, "imports", "undo", run)
    with crm.read() as session:
        whole = session.scalar(sa.select(sa.func.count()).select_from(Customer)) or 0
    count = whole
    while count > whole * 0.6 and process.poll() is None:
        with crm.read() as session:
            count = session.scalar(sa.select(sa.func.count()).select_from(Customer)) or 0
    process.kill()
    process.communicate()
    with crm.read() as session:
        assert runs.get(session, run).state in (RunState.UNDOING, RunState.UNDONE)
    result = undo(crm, run) if state(crm) != (run, RunState.UNDONE, 4_000) else {"kept": []}
    assert result["kept"] == []
    assert crm.dump() == before


def test_a_worker_takes_up_what_a_killed_process_left(crm: CrmHarness, tmp_path: Path) -> None:
    path, seen = tmp_path / "people.csv", list[int]()
    expected = write_file(path, 6_000)
    kill_past(crm, regulars(crm, "import", "customer", path), 1_000, seen)
    with crm.transaction() as session:
        # What thirty seconds would do.
        session.execute(sa.update(ImportRun).values(leased_until=crm.clock.now()))
    worker = regulars(crm, "worker")
    try:
        until = time.monotonic() + 120
        while (found := state(crm)) is None or found[1] is RunState.RUNNING:
            seen.append(found[2] if found else 0)
            assert time.monotonic() < until
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        _out, said = worker.communicate(timeout=60)
        assert worker.returncode == 0, said
    finally:
        worker.kill()
        worker.communicate()
    check_exactly_once(crm, crm.report(1), expected, seen)


def test_a_run_is_in_one_pair_of_hands(crm: CrmHarness, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    write_file(path, 10)
    taken: list[int] = []

    def take(run_id: int) -> None:
        run = leases.claim(crm, run_id, runs.RESUMABLE, RunState.RUNNING)
        if run is not None:
            taken.append(run.id)

    for number in range(1, 11):
        run_id = runs.start(crm, "customer", path, ImportOptions(source=f"s{number}"))
        hands = [threading.Thread(target=take, args=(run_id,)) for _hand in range(4)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
    assert taken == list(range(1, 11))


def test_who_starts_a_run_that_is_in_hand_sees_it_end(crm: CrmHarness, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    expected = write_file(path, 3_000)
    first, second = (regulars(crm, "import", "customer", path, "--json") for _process in range(2))
    reports = [finished(first), finished(second)]
    if reports[0]["run"] == reports[1]["run"]:
        assert reports[0] == reports[1]
    check_exactly_once(crm, min(reports, key=lambda report: int(report["run"])), expected, [])


def test_a_lease_is_kept_while_a_large_file_is_read(crm: CrmHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "people.csv"
    write_file(path, 10)
    run_id = runs.start(crm, "customer", path, ImportOptions())
    run = leases.claim(crm, run_id, runs.RESUMABLE, RunState.RUNNING)
    assert run is not None
    monkeypatch.setattr(leases, "LEASE", leases.LEASE / 300)
    with leases.kept_alive(crm, run):
        until = time.monotonic() + 60
        while (renewed := _leased_until(crm, run_id)) == run.leased_until and time.monotonic() < until:
            time.sleep(0.05)
    assert renewed is not None
    assert renewed != run.leased_until


def _leased_until(crm: CrmHarness, run_id: int) -> dt.datetime | None:
    with crm.read() as session:
        return runs.get(session, run_id).leased_until


def test_two_files_with_the_same_customers_come_in_at_once(crm: CrmHarness, tmp_path: Path) -> None:
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    write_file(paths[0], 3_000)
    # The same records, but not the same file.
    paths[1].write_text(paths[0].read_text() + "\n")
    first, second = (regulars(crm, "import", "customer", path, "--json") for path in paths)
    reports = [finished(first), finished(second)]
    assert len({report["run"] for report in reports}) == 2
    with crm.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == sum(report["created"] for report in reports)
        numbers = session.scalars(sa.select(ExternalId.value)).all()
    assert len(numbers) == len(set(numbers))


def test_a_run_that_somebody_stops_ends_after_its_batch_and_goes_on_where_it_stopped(crm: CrmHarness, tmp_path: Path) -> None:
    expected = write_file(tmp_path / "customers.csv", RECORDS)
    run_id = runs.start(crm, "customer", tmp_path / "customers.csv", ImportOptions())

    def stop(done: int, _records: int) -> None:
        if done:
            desk.stop(crm, run_id, SYSTEM)

    assert runs.process(crm, run_id, stop) is False
    stopped = state(crm)
    assert stopped is not None
    assert stopped[1] is RunState.STOPPED
    assert 0 < stopped[2] < RECORDS
    assert desk.work_once(crm) is False, "it is left alone"
    with pytest.raises(NotAllowedYet):
        desk.stop(crm, run_id, SYSTEM)
    desk.go_on(crm, run_id, SYSTEM)
    while desk.work_once(crm):
        pass
    report = crm.report(run_id)
    assert (report["verdict"], report["created"], len(report["rejected"])) == ("partial", expected["created"], expected["rejected"])
    with pytest.raises(NotAllowedYet):
        desk.go_on(crm, run_id, SYSTEM)
