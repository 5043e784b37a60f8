"""After a bulk load the planner knows what the tables hold."""

from __future__ import annotations

from regulars_core.db.database import analyze
from regulars_testkit.crm import CrmHarness


def test_the_planner_has_figures_after_a_bulk_load(crm: CrmHarness) -> None:
    assert crm.import_text("store", "code\nA\nB\n")["created"] == 2
    analyze(crm.database)
    known = "SELECT tbl FROM main.sqlite_stat1" if crm.database.is_sqlite else "SELECT tablename FROM pg_stats"
    with crm.database.engine.connect() as connection:
        assert {"store", "change"} <= set(connection.exec_driver_sql(known).scalars())
