"""Switched on, off and on again, its package removed and brought back, purged: nothing is lost before, nothing is left after."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from regulars_core.bus.models import Subscription
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins import switching
from regulars_core.plugins.models import PluginRow
from regulars_core.plugins.registry import State
from regulars_core.settings.models import Setting
from regulars_core.users.models import RolePermission
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.crm import CrmHarness


@check(Tier.SILVER, Place.EACH_DATABASE)
def planned(house: House) -> Iterator[Flaw]:
    """``regulars plugins plan`` names every table that switching on brings, and changes nothing."""
    crm, name = house.never_on, house.subject.name
    before = _traces(crm, name)
    plan = switching.plan(crm, name)
    if _traces(crm, name) != before:
        yield Flaw("Asking for the plan changed the database.", "permissions(), jobs() and the like only answer; write in plugin_enabled.")
    switching.enable(crm, name)
    for table in sorted(_tables(crm, name) - set(plan.tables)):
        yield Flaw(f"The plan does not name the table {table}.", "Declare a model for each table the migrations make.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def off_and_on_again(house: House) -> Iterator[Flaw]:
    """Switching off and on again leaves every row as it was."""
    crm, name = house.on, house.subject.name
    house.plant(crm.customers.create({"display_name": "Ada"}))
    before = crm.dump()
    switching.disable(crm, name)
    if crm.dump() != before:
        yield Flaw("Switching the plugin off changed rows.", "Leave rows alone: data outlives being switched off.")
    switching.enable(crm, name)
    if crm.dump() != before:
        yield Flaw("Switching the plugin on again changed rows.", "In plugin_enabled, seed only if first_time is true.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def package_removed(house: House) -> Iterator[Flaw]:
    """Without its package its rows are kept and the system works; brought back, all is as before."""
    crm, name = house.on, house.subject.name
    house.plant(crm.customers.create({"display_name": "Ada"}))
    before = crm.dump()
    bare = house.open(with_plugin=False)
    states = {one.name: one.state for one in bare.plugins.listed()}
    if states.get(name) is not State.KEPT:
        yield Flaw("Without its package the plugin is not listed as kept data.", "Keep nothing of the plugin outside its package.")
    back = house.open()
    if back.dump() != before or not back.plugins.is_enabled(name):
        yield Flaw("With its package back, the plugin is not as it was.", "Keep what the plugin knows in its tables and settings.")


@check(Tier.SILVER, Place.EACH_DATABASE)
def purged(house: House) -> Iterator[Flaw]:
    """Purging leaves no table, version, permission, setting or subscription, and the plugin can be switched on anew."""
    name = house.subject.name
    before = _traces(house.never_on, name)
    crm = house.on
    house.plant(crm.customers.create({"display_name": "Ada"}))
    switching.disable(crm, name)
    switching.purge(crm, name)
    yield from _leftovers(crm, name, before, "Purging")
    switching.enable(crm, name)


@check(Tier.SILVER, Place.EACH_DATABASE)
def purged_without_the_package(house: House) -> Iterator[Flaw]:
    """The same when the package is gone already."""
    name = house.subject.name
    before = _traces(house.never_on, name)
    house.plant(house.on.customers.create({"display_name": "Ada"}))
    bare = house.open(with_plugin=False)
    switching.purge(bare, name)
    yield from _leftovers(bare, name, before, "Purging without the package")


def _leftovers(crm: CrmHarness, name: str, before: dict[str, list[str]], what: str) -> Iterator[Flaw]:
    for kind, found in _traces(crm, name).items():
        if left := sorted(set(found) - set(before[kind])):
            yield Flaw(
                f"{what} leaves {kind}: {', '.join(left)}.", f"Name everything with the prefix {name}_ or {name}. so that it is found."
            )


def _tables(crm: CrmHarness, name: str) -> set[str]:
    return {one for one in _traces(crm, name)["tables"] if one.startswith(f"{name}_")}


def _traces(crm: CrmHarness, name: str) -> dict[str, list[str]]:
    """What tells of a plugin in the database, by kind."""
    owned: dict[str, sa.Select[str]] = {
        "permissions": _beginning(RolePermission.permission, name),
        "subscriptions": _beginning(Subscription.handler, name),
        "runs of jobs": _beginning(JobSlot.job, name),
        "settings": sa.select(Setting.owner).where(Setting.owner == name),
        "rows of plugins": sa.select(PluginRow.name).where(PluginRow.name == name),
    }
    with crm.read() as session:
        inspector = sa.inspect(session.connection())
        found = {kind: list(session.scalars(query)) for kind, query in owned.items()}
        return found | {"tables": inspector.get_table_names(), "views": inspector.get_view_names()}


def _beginning(column: InstrumentedAttribute[str], name: str) -> sa.Select[str]:
    return sa.select(column).where(column.startswith(f"{name}.", autoescape=True))
