"""The life of a plugin: installed, enabled, disabled, its package gone, purged. Data outlives all but the last."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sample_plugins import open_with, rolled_back, toy
from sqlalchemy.orm import Session

from regulars_core.bus.models import Delivery, Event, Subscription
from regulars_core.crm import Crm
from regulars_core.plugins import switching
from regulars_core.plugins.models import PluginRow
from regulars_core.plugins.registry import State
from regulars_core.stores.models import Region
from regulars_core.users.models import Role, RolePermission
from regulars_migrations import runner
from regulars_migrations.owners import CORE
from regulars_plugin_api.contributions import EventHandler, NavItem, Permission, Topic
from regulars_plugin_api.contributions import Role as PluginRole
from regulars_plugin_api.errors import NotAllowedYet, NotFound, PluginFailed
from regulars_plugin_api.events import PluginSwitched, StoreCreated, emit
from regulars_plugin_api.hookspecs import customers, messaging, web
from regulars_plugin_api.manifest import PersonalTable
from regulars_plugin_api.views import SYSTEM
from regulars_testkit.counting import plugin as counting


@pytest.fixture
def crm(database_url: str, tmp_path: Path) -> Crm:
    return open_with(database_url, tmp_path, counting, toy("tips", requires={"counting": ">=1"}))


def tables(crm: Crm) -> set[str]:
    with crm.read() as session:
        return {name for name in sa.inspect(session.connection()).get_table_names() if "counting" in name}


def states(crm: Crm) -> dict[str, State]:
    crm.plugins.refresh()
    return {one.name: one.state for one in crm.plugins.listed()}


def add_effect(crm: Crm) -> None:
    with crm.transaction() as session:
        session.execute(sa.insert(counting.effects).values(event_uid="x"))


def effects(crm: Crm) -> int:
    with crm.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(counting.effects)) or 0


def test_a_life(crm: Crm, database_url: str, tmp_path: Path) -> None:
    assert states(crm) == {"counting": State.INSTALLED, "tips": State.INSTALLED}
    assert tables(crm) == set()
    switching.enable(crm, "counting")
    assert states(crm) == {"counting": State.ENABLED, "tips": State.INSTALLED}
    assert tables(crm) == {"counting_effect", "alembic_version_counting"}
    add_effect(crm)
    switching.disable(crm, "counting")
    assert states(crm) == {"counting": State.DISABLED, "tips": State.INSTALLED}
    assert [owner.name for owner in crm.plugins.owners()] == ["core", "counting"], "still migrated"
    without_package = open_with(database_url, tmp_path)
    assert states(without_package) == {"counting": State.KEPT}
    runner.upgrade(database_url, without_package.plugins.owners())
    again = open_with(database_url, tmp_path, counting)
    switching.enable(again, "counting")
    assert effects(again) == 1
    switching.disable(again, "counting")
    switching.purge(again, "counting")
    assert states(again) == {"counting": State.INSTALLED}
    assert tables(again) == set()
    with again.read() as session:
        switched = session.scalars(sa.select(Event).where(Event.type == PluginSwitched.type).order_by(Event.id))
        assert [(one.subject, one.payload["state"]) for one in switched] == [
            ("plugin:counting", state) for state in ("enabled", "disabled", "enabled", "disabled", "purged")
        ]


def test_what_an_uninstalled_plugin_kept_can_be_purged(crm: Crm, database_url: str, tmp_path: Path) -> None:
    switching.enable(crm, "counting")
    with crm.transaction() as session:
        emit(session, StoreCreated(store_id=1, code="N"))
    without_package = open_with(database_url, tmp_path)
    assert switching.plan(without_package, "counting").tables == ("counting_effect",)
    switching.purge(without_package, "counting")
    assert states(without_package) == {}
    assert tables(without_package) == set()
    with without_package.read() as session:
        assert [session.scalars(sa.select(one)).all() for one in (Delivery, Subscription, PluginRow)] == [[], [], []]
    switching.enable(open_with(database_url, tmp_path, counting), "counting")


def test_a_plugin_that_others_need_comes_first_and_goes_last(crm: Crm) -> None:
    with pytest.raises(NotAllowedYet, match="tips needs counting: switch that on first"):
        switching.enable(crm, "tips")
    switching.enable(crm, "counting")
    switching.enable(crm, "tips")
    assert switching.plan(crm, "counting").dependants == ("tips",)
    with pytest.raises(NotAllowedYet, match="tips needs counting: switch that off first"):
        switching.disable(crm, "counting")
    with pytest.raises(NotAllowedYet, match="counting is on: switch it off first"):
        switching.purge(crm, "counting")
    switching.disable(crm, "tips")
    switching.disable(crm, "counting")
    assert states(crm) == {"counting": State.DISABLED, "tips": State.DISABLED}


def test_the_plan_changes_nothing(crm: Crm) -> None:
    plan = switching.plan(crm, "counting")
    assert (plan.state, plan.tables, plan.hooks, plan.permissions, plan.requires) == (State.INSTALLED, (), ("event_handlers",), (), ())
    assert tables(crm) == set()
    for act in (switching.plan, switching.enable, switching.disable, switching.purge):
        with pytest.raises(NotFound, match="There is no plugin named nobody"):
            act(crm, "nobody")


def test_a_plugin_that_fails_to_start_up_stays_off_with_nothing_half_done(database_url: str, tmp_path: Path) -> None:
    def plugin_enabled(session: Session, first_time: bool) -> None:
        session.add(Region(name="seeded"))
        session.flush()
        raise ValueError("no seeds")

    crm = open_with(database_url, tmp_path, toy("toy", plugin_enabled))
    with pytest.raises(PluginFailed, match="no seeds"):
        switching.enable(crm, "toy")
    assert states(crm) == {"toy": State.INSTALLED}
    with crm.read() as session:
        assert [session.scalars(sa.select(one)).all() for one in (Region, PluginRow, Event)] == [[], [], []]


def test_seeding_knows_the_first_time(database_url: str, tmp_path: Path) -> None:
    times: list[bool] = []

    def plugin_enabled(first_time: bool) -> None:
        times.append(first_time)

    crm = open_with(database_url, tmp_path, toy("toy", plugin_enabled))
    switching.enable(crm, "toy")
    switching.disable(crm, "toy")
    switching.disable(crm, "toy")
    switching.enable(crm, "toy")
    assert times == [True, False]


def granted(crm: Crm) -> list[tuple[str, str]]:
    with crm.read() as session:
        held = sa.select(Role.name, RolePermission.permission).join(RolePermission, RolePermission.role_id == Role.id)
        return [tuple(row) for row in session.execute(held.where(RolePermission.permission.startswith("toy.")).order_by(Role.name))]  # type: ignore[misc]


def test_roles_get_the_permissions_once_and_keep_what_an_administrator_decided(database_url: str, tmp_path: Path) -> None:
    def permissions() -> Iterable[Permission | PluginRole]:
        yield PluginRole("service", "Service")
        yield Permission("toy.see", "See", roles={"clerk", "service"})

    crm = open_with(database_url, tmp_path, toy("toy", permissions))
    switching.enable(crm, "toy")
    assert granted(crm) == [("clerk", "toy.see"), ("service", "toy.see")]
    with crm.transaction() as session:
        clerk = session.scalars(sa.select(Role.id).where(Role.name == "clerk")).one()
        session.execute(sa.delete(RolePermission).where(RolePermission.role_id == clerk, RolePermission.permission == "toy.see"))
    switching.disable(crm, "toy")
    switching.enable(crm, "toy")
    assert granted(crm) == [("service", "toy.see")]
    switching.disable(crm, "toy")
    switching.purge(crm, "toy")
    assert granted(crm) == []


def test_another_process_sees_the_switch(database_url: str, tmp_path: Path) -> None:
    started: list[str] = []

    def chatty() -> ModuleType:
        def preference_topics() -> Iterable[Topic]:
            return [Topic("news", "News")]

        def crm_started(crm: Any) -> None:
            started.append("started")

        return toy("toy", preference_topics, crm_started)

    here, there = open_with(database_url, tmp_path, chatty()), open_with(database_url, tmp_path, chatty())
    switching.enable(here, "toy")
    there.plugins.refresh(at_most_every=60)
    assert there.bus.collect(messaging.preference_topics) == []
    there.plugins.refresh()
    assert there.bus.collect(messaging.preference_topics) == [Topic("news", "News")]
    switching.disable(here, "toy")
    there.plugins.refresh()
    assert (there.plugins.is_enabled("toy"), there.bus.collect(messaging.preference_topics)) == (False, [])
    switching.enable(here, "toy")
    there.plugins.refresh()
    assert started == ["started", "started"], "once per process"


def kept_maps(crm: Crm) -> list[PersonalTable]:
    with crm.read() as session:
        return [PersonalTable.from_json(saved) for row in session.scalars(sa.select(PluginRow)) for saved in row.personal_data]


def test_the_personal_data_map_outlives_the_package(database_url: str, tmp_path: Path) -> None:
    entry = PersonalTable("toy_card", export=("number",))
    crm = open_with(database_url, tmp_path, toy("toy", personal_data=(entry,)))
    switching.enable(crm, "toy")
    assert kept_maps(open_with(database_url, tmp_path)) == [entry]


def test_an_upgraded_package_is_noted_when_a_worker_starts(database_url: str, tmp_path: Path) -> None:
    switching.enable(open_with(database_url, tmp_path, toy("toy")), "toy")
    entry = PersonalTable("toy_card", export=("number",))

    def event_handlers() -> Iterable[EventHandler]:
        yield EventHandler("toy.listen", (StoreCreated,), apply=lambda session, event: None)

    upgraded = open_with(database_url, tmp_path, toy("toy", event_handlers, personal_data=(entry,)))
    switching.catch_up(upgraded)
    upgraded.plugins.refresh()
    assert kept_maps(upgraded) == [entry]
    with upgraded.read() as session:
        assert [(one.handler, one.type, one.plugin) for one in session.scalars(sa.select(Subscription))] == [
            ("toy.listen", "store.created", "toy")
        ]


def test_a_database_behind_the_program_is_upgraded_first(blank_sqlite_url: str, tmp_path: Path) -> None:
    runner.upgrade(blank_sqlite_url)
    runner.downgrade(blank_sqlite_url, CORE, "core_0002")
    crm = open_with(blank_sqlite_url, tmp_path, toy("toy"))
    assert states(crm) == {"toy": State.INSTALLED}
    with pytest.raises(NotAllowedYet, match="regulars db upgrade"):
        switching.enable(crm, "toy")


def test_a_hook_in_the_callers_transaction_can_spoil_nothing(crm: Crm, database_url: str, tmp_path: Path) -> None:
    def find_customer(session: Session, identifier: str) -> None:
        session.execute(sa.text("SELECT 1 FROM no_such_table"))

    spoiler = open_with(database_url, tmp_path, toy("toy", find_customer))
    switching.enable(spoiler, "toy")
    with rolled_back(spoiler.transaction()) as session:
        session.add(Region(name="kept"))
        assert spoiler.bus.first(customers.find_customer, session, "4711") is None
        assert session.scalars(sa.select(Region.name)).all() == ["kept"]


def test_a_menu_entry_of_a_plugin_that_is_off_is_not_shown(database_url: str, tmp_path: Path) -> None:
    def nav_items(viewer: Any) -> Iterable[NavItem]:
        yield NavItem("Toy", "toy.page", "toy.see")

    crm = open_with(database_url, tmp_path, toy("toy", nav_items))
    assert crm.bus.collect(web.nav_items, SYSTEM) == []
    switching.enable(crm, "toy")
    assert len(crm.bus.collect(web.nav_items, SYSTEM)) == 1
