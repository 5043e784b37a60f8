"""The running system for a test: its own database and home, the installed plugins loaded, none of them switched on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regulars_core.config import Config, create_home
from regulars_core.crm import Crm
from regulars_core.dump import dump
from regulars_core.exchange import exports, runs
from regulars_core.exchange.report import report
from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.switching import enable


class CrmHarness(Crm):
    """A ``Crm`` with what tests do all the time."""

    def enable(self, *plugins: str) -> None:
        """Switch plugins on."""
        for plugin in plugins:
            enable(self, plugin)

    def import_file(self, kind: str, path: Path, *, dry_run: bool = False, **options: Any) -> dict[str, Any]:
        """Import a file in this process and return the report."""
        run_id = runs.start(self, kind, path, runs.ImportOptions(**options), dry_run=dry_run)
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

    def dump(self) -> list[str]:
        """The business data, as ``regulars db dump`` prints them."""
        with self.read() as session:
            return list(dump(session))


def open_harness(url: str, home: Path, *, candidates: Iterable[Candidate] | None = None, **settings: Any) -> CrmHarness:
    """A harness on a migrated database, with the plugins installed or with these ``candidates``."""
    create_home(home)
    crm = CrmHarness(Config(home=home, database_url=url, secret_key="k" * 40, **settings))
    crm.plugins.load(candidates)
    crm.plugins.refresh()
    return crm
