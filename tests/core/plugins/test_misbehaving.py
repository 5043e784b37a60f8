"""In-transaction hooks x every misdeed (F10): what must not go on without a plugin is refused whole, what may goes on and says so."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import everything, open_with, toy
from sample_plugins.misbehaving import MISDEEDS, Moody, failures, misbehaving
from structlog.testing import capture_logs

from regulars_core.bus import hooks as bus
from regulars_core.bus.models import Delivery
from regulars_core.crm import Crm
from regulars_core.dump import dump
from regulars_core.jobs.leases import claim
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins import switching
from regulars_core.plugins.registry import State
from regulars_core.stores.models import Region
from regulars_plugin_api.contributions import EventHandler, Job
from regulars_plugin_api.errors import PluginFailed
from regulars_plugin_api.events import CustomerCreated

FAILING = sorted(MISDEEDS.keys() - {"answers_nothing", "sleeps"})
MUST = ("customers_merging", "customers_unmerging", "export_personal_data", "erase_personal_data", "plugin_enabled")


def contents(crm: Crm) -> list[str]:
    """Everything, bookkeeping included."""
    with crm.read() as session:
        return list(dump(session, journal=True))


def doors(crm: Crm) -> dict[str, Callable[[], Any]]:
    """What asks each hook, ready to be done."""
    keep, drop, other, third = (crm.customers.create({"display_name": name}) for name in ("Åsa Holm", "Asa Holm", "Bo Ek", "B. Ek"))
    merge = crm.customers.merge(other, third)
    switching.disable(crm, "moody")
    return {
        "plugin_enabled": lambda: switching.enable(crm, "moody"),
        "customers_merging": lambda: crm.customers.merge(keep, drop),
        "customers_unmerging": lambda: crm.customers.unmerge(merge),
        "export_personal_data": lambda: crm.privacy.personal_data(keep, io.BytesIO()),
        "erase_personal_data": lambda: crm.privacy.erase(keep),
    }


def test_nothing_is_done_without_a_plugin_that_must_take_part(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moody = Moody("moody", MUST)
    crm = open_with(database_url, tmp_path, moody.module, everything)
    switching.enable(crm, "everything")
    switching.enable(crm, "moody")
    todo = doors(crm)
    monkeypatch.setattr(bus, "PAGE_BUDGET", 0.05)
    monkeypatch.setitem(MISDEEDS, "sleeps", lambda **_given: time.sleep(0.1))
    for moody.hook, door in todo.items():
        before = contents(crm)
        for moody.misdeed in FAILING:
            with capture_logs() as logs, pytest.raises(PluginFailed, match="moody") as refused:
                door()
            assert (refused.value.plugin, refused.value.hook) == ("moody", moody.hook)
            failed = failures(logs)
            assert failed == [("moody", moody.hook)], moody.misdeed
        assert contents(crm) == before, moody.hook
        moody.misdeed = "sleeps"
        with capture_logs() as logs:
            door()
        slow = {(one["plugin"], one["hook"]) for one in logs if one["event"] == "a plugin is slow"}
        assert slow == {("moody", moody.hook)}, "its limit is told, not enforced"
    assert crm.plugins.listed()[1].state is State.ENABLED


def test_a_customer_is_saved_whatever_plugins_say_of_it(database_url: str, tmp_path: Path) -> None:
    bad = [misbehaving(misdeed, misdeed, ["validate_customer", "find_customer"]) for misdeed in FAILING]
    crm = open_with(database_url, tmp_path, *bad, everything)
    for one in (*bad, everything):
        switching.enable(crm, one.MANIFEST.name)
    warnings: list[str] = []
    with crm.transaction() as session:
        session.add(Region(name="kept"))
        customer = crm.customers.create({"display_name": "Åsa Holm"}, session=session, warn=lambda text: warnings.append(str(text)))
    assert sorted(warnings) == [f"The plugin {name} could not check this customer." for name in FAILING]
    assert crm.customers.get(customer) is not None
    with crm.read() as session:
        assert session.scalars(sa.select(Region.name)).all() == ["kept"]


def test_whoever_is_handed_a_session_can_not_end_it(database_url: str, tmp_path: Path) -> None:
    crm = open_with(database_url, tmp_path)
    for end in ("commit", "rollback", "close", "reset", "invalidate"):
        with crm.transaction() as session:
            session.add(Region(name=end))
            with pytest.raises(RuntimeError, match="this transaction is its owner's to end"):
                getattr(session, end)()
        with crm.read() as session, pytest.raises(RuntimeError, match="this transaction is its owner's to end"):
            getattr(session, end)()
    with crm.read() as session:
        assert len(session.scalars(sa.select(Region.name)).all()) == 5


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_a_handler_or_job_that_exits_counts_as_failed(database_url: str, tmp_path: Path, error: BaseException) -> None:
    def fail(*_given: Any) -> None:
        raise error

    def event_handlers() -> Iterable[EventHandler]:
        yield EventHandler("toy.applies", (CustomerCreated,), apply=fail)
        yield EventHandler("toy.calls", (CustomerCreated,), outside=fail)

    def jobs() -> Iterable[Job]:
        yield Job("toy.job", fail)

    crm = open_with(database_url, tmp_path, toy("toy", event_handlers, jobs))
    switching.enable(crm, "toy")
    crm.customers.create({"display_name": "Åsa Holm"})
    with crm.transaction() as session:
        crm.jobs.start(session, "toy.job", "now")
    work: tuple[tuple[Any, str, Any], ...] = (
        (Delivery, "toy.applies", crm.jobs.deliver),
        (Delivery, "toy.calls", crm.jobs.deliver),
        (JobSlot, "toy.job", crm.jobs.run),
    )
    for table, name, run in work:
        with crm.database.transaction() as session:
            batch = claim(session, table, name, crm.clock.now(), crm.jobs.limits)
        run(batch)
    with crm.read() as session:
        told = session.execute(sa.select(Delivery.handler, Delivery.attempts, Delivery.error).order_by(Delivery.handler)).all()
        ran = session.execute(sa.select(JobSlot.attempts, JobSlot.error)).all()
    reason = f"{type(error).__name__}: {error}"
    assert (told, ran) == ([("toy.applies", 1, reason), ("toy.calls", 1, reason)], [(1, reason)])
