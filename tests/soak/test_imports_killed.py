"""Fifty imports of a hundred thousand records, each killed once at a random batch: every record once, and progress never falls.

``REGULARS_SOAK_IMPORTS`` says how many instead of fifty.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from regulars_core.audit.models import ROW, Change
from regulars_core.customers.models import Customer
from regulars_core.exchange.models import ImportBatch, ImportRun
from regulars_testkit.crm import CrmHarness

IMPORTS, RECORDS = int(os.environ.get("REGULARS_SOAK_IMPORTS", "50")), 100_000


@pytest.mark.soak
def test_every_record_is_in_once_though_each_import_is_killed(crm: CrmHarness, tmp_path: Path) -> None:
    chance, path, known, spent = random.Random(20260101), tmp_path / "people.csv", 0, 0.0
    for number in range(1, IMPORTS + 1):
        expected = _write(path, number, chance)
        kill_at, positions = chance.randrange(RECORDS), [0]
        started = time.monotonic()
        process = _import(crm, path)
        while process.poll() is None and positions[-1] <= kill_at:
            positions.append(_position(crm, number))
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        positions.append(_position(crm, number))
        process = _import(crm, path)
        out, said = process.communicate(timeout=1800)
        spent += time.monotonic() - started
        assert process.returncode == 3, said
        report = json.loads(out)
        assert (report["run"], _position(crm, number)) == (number, RECORDS)
        assert positions == sorted(positions), "progress fell"
        known += expected["created"]
        _check(crm, report, expected, known)
        sys.stdout.write(f"{number}: killed at {positions[-1]}, {spent / number:.1f} s an import\n")
    sys.stdout.write(f"{IMPORTS} imports of {RECORDS} records, each killed once: {spent:.0f} s on {crm.database.url.get_backend_name()}\n")


def _check(crm: CrmHarness, report: dict[str, Any], expected: Counter[str], known: int) -> None:
    found = {name: report[name] for name in ("created", "updated", "unchanged", "merged")} | {"rejected": len(report["rejected"])}
    assert +Counter(found) == expected
    assert report["records"] == RECORDS
    with crm.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == known
        mine = sa.and_(Change.cause == f"import:{report['run']}", Change.table_name == "customer", Change.column_name == ROW)
        journaled = session.execute(sa.select(sa.func.count(), sa.func.count(Change.row_id.distinct())).where(mine)).one()
        assert tuple(journaled) == (expected["created"], expected["created"])
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportBatch)) == 0


def _write(path: Path, number: int, chance: random.Random) -> Counter[str]:
    """New customers, repeated ones and wrong ones."""
    expected, fresh = Counter[str](), 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "first_name", "last_name", "email", "phone", "tags"])
        for record in range(RECORDS):
            kind = chance.choices(("created", "merged", "rejected"), (95, 3, 2))[0] if fresh else "created"
            expected[kind] += 1
            if kind == "created":
                fresh += 1
                key = f"{number}-{fresh}"
                writer.writerow([key, "Åsa", f"Holm {fresh}", f"n{key}@example.com", f"+4670{fresh % 10_000_000:07d}", "club"])
            elif kind == "merged":
                writer.writerow([f"{number}-{chance.randint(1, fresh)}", "", "", "", "", "again"])
            else:
                writer.writerow([f"B{number}-{record}", "Eva", "Ek", "no-address", "", ""])
    return expected


def _import(crm: CrmHarness, path: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"REGULARS_HOME": str(crm.config.home), "REGULARS_DATABASE_URL": crm.config.database_url}
    command = [str(Path(sys.executable).with_name("regulars")), "import", "customer", str(path), "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _position(crm: CrmHarness, run: int) -> int:
    with crm.read() as session:
        return session.scalar(sa.select(ImportRun.position).where(ImportRun.id == run)) or 0
