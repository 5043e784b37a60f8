"""The running system for a test: its own database and home, the installed plugins loaded, none of them switched on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from regulars_core import logs
from regulars_core.bus.models import Delivery
from regulars_core.config import Config, create_home
from regulars_core.crm import Crm
from regulars_core.dump import dump
from regulars_core.exchange import exports, runs
from regulars_core.exchange.options import ImportOptions
from regulars_core.exchange.report import report
from regulars_core.jobs.leases import Work, claim
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.switching import enable
from regulars_plugin_api.contributions import LeasedBatch


class CrmHarness(Crm):
    """A ``Crm`` with what tests do all the time."""

    def enable(self, *plugins: str) -> None:
        """Switch plugins on."""
        for plugin in plugins:
            enable(self, plugin)

    def import_file(self, kind: str, path: Path, *, dry_run: bool = False, **options: Any) -> dict[str, Any]:
        """Import a file in this process and return the report."""
        run_id = runs.start(self, kind, path, ImportOptions(**options), dry_run=dry_run)
        runs.process(self, run_id)
        return self.report(run_id)

    def import_text(self, kind: str, text: str, **options: Any) -> dict[str, Any]:
        """Import a CSV given as text."""
        path = self.config.home / "import.csv"
        path.write_text(text, encoding="utf-8", newline="")
        return self.import_file(kind, path, **options)

    def report(self, run_id: int) -> dict[str, Any]:
        """The report of a run."""
        with self.read() as session:
            return report(session, runs.get(session, run_id))

    def export_file(self, kind: str, path: Path, format_: Any = "csv", **options: Any) -> Path:
        """Export all records of a kind."""
        exports.export(self, kind, path, format_, **options)
        return path

    def work_off(self) -> None:
        """Do a worker's work here and now: deliver events to their handlers and run the jobs asked for, until nothing is left.

        What failed is an ``AssertionError`` with its reason.
        """
        work: tuple[tuple[Work, Any, Callable[[LeasedBatch], None]], ...] = (
            (Delivery, self.jobs.handlers, self.jobs.deliver),
            (JobSlot, self.jobs.jobs, self.jobs.run),
        )
        while any(self._work_off(kind, name, run) for kind, names, run in work for name in names()):
            continue
        with self.read() as session:
            failed = [*session.scalars(sa.select(Delivery.error)), *session.scalars(sa.select(JobSlot.error))]
        assert not any(failed), "\n".join(filter(None, failed))

    def _work_off(self, work: Work, name: str, run: Callable[[LeasedBatch], None]) -> bool:
        with self.database.transaction() as session:
            batch = claim(session, work, name, self.clock.now(), self.jobs.limits)
        if batch:
            run(batch)
        return batch is not None

    def dump(self) -> list[str]:
        """The business data, as ``regulars db dump`` prints them."""
        with self.read() as session:
            return list(dump(session))


def open_harness(url: str, home: Path, *, candidates: Iterable[Candidate] | None = None, **settings: Any) -> CrmHarness:
    """A harness on a migrated database, with the plugins installed or with these ``candidates``."""
    if not structlog.is_configured():
        # As the running system does: tracebacks with the values of variables take seconds to draw.
        logs.configure(as_json=False)
    create_home(home)
    crm = CrmHarness(Config(home=home, database_url=url, secret_key="k" * 40, **settings))
    crm.plugins.load(candidates)
    crm.plugins.refresh()
    return crm
