"""Switching plugins on and off, and removing what they kept."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from regulars_core.bus.eventlog import emit, subscribe, subscriptions_differ, unsubscribe
from regulars_core.jobs.models import JobSlot
from regulars_core.plugins.loader import LoadedPlugin, Misfit
from regulars_core.plugins.models import PluginRow, PluginTrouble
from regulars_core.plugins.registry import State
from regulars_core.settings.models import Setting
from regulars_core.users.roles import add_role, grant_defaults, withdraw
from regulars_migrations import standing
from regulars_migrations.owners import CORE
from regulars_plugin_api.contributions import EventHandler, Permission, Role
from regulars_plugin_api.db import Base
from regulars_plugin_api.errors import NotAllowedYet, NotFound, RegularsError
from regulars_plugin_api.events import PluginSwitched
from regulars_plugin_api.hookspecs import access, lifecycle
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.views import Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Plan:
    """What switching a plugin on or removing it concerns, before anything changes."""

    name: str
    state: State
    reason: Text | None
    tables: tuple[str, ...]
    hooks: tuple[str, ...]
    permissions: tuple[str, ...]
    requires: tuple[str, ...]
    dependants: tuple[str, ...]


def plan(crm: Crm, name: str) -> Plan:
    """What ``name`` consists of. Raises ``NotFound``."""
    info = next((one for one in crm.plugins.listed() if one.name == name), None)
    if info is None:
        raise NotFound(_("There is no plugin named %(name)s.", name=name))
    plugin = crm.plugins.get(name)
    return Plan(
        name=name,
        state=info.state,
        reason=info.reason,
        tables=tuple(_kept_tables(crm, name)) if plugin is None else _tables(plugin),
        hooks=tuple(crm.bus.implemented_by(name)) if plugin else (),
        permissions=tuple(one.name for one in crm.plugins.permissions().get(name, [])),
        requires=tuple(plugin.manifest.requires) if plugin else (),
        dependants=tuple(crm.plugins.dependants(name)),
    )


def enable(crm: Crm, name: str, actor: Viewer | None = None) -> None:
    """Bring the plugin's schema up to date and switch it on. Raises ``NotFound``, ``NotAllowedYet``, ``PluginFailed``."""
    crm.plugins.refresh()
    plugin = _usable(crm, name)
    for needed in plugin.manifest.requires:
        if not crm.plugins.is_enabled(needed):
            raise NotAllowedYet(_("%(name)s needs %(needed)s: switch that on first.", name=name, needed=needed))
    if any(one.behind for one in standing.status(crm.database.url)):
        raise NotAllowedYet(_("The database is behind the program. Run: regulars db upgrade"))
    if plugin.owner:
        _runner().upgrade(crm.database.url, [plugin.owner])
    with crm.transaction(actor) as session:
        _switch_on(crm, session, plugin)
    crm.plugins.refresh()


def _runner() -> ModuleType:
    # It brings Alembic along: eleven megabytes that a worker in which nobody switches anything is spared.
    from regulars_migrations import runner

    return runner


def _switch_on(crm: Crm, session: Session, plugin: LoadedPlugin) -> None:
    now = session.info["at"]
    if session.get_bind().dialect.name == "postgresql":
        # Two processes at once: the second sees what the first has done.
        session.execute(sa.text("LOCK TABLE plugin IN SHARE ROW EXCLUSIVE MODE"))
    row = session.get(PluginRow, plugin.name)
    first_time = row is None
    if row is None:
        row = PluginRow(name=plugin.name, first_enabled_at=now)
        session.add(row)
    row.enabled, row.switched_at = True, now
    _note_package(session, row, plugin, handlers_of(crm, plugin.name))
    if first_time:
        found = list(crm.bus.ask(plugin.name, access.permissions) or ())
        for role in found:
            if isinstance(role, Role):
                add_role(session, role.name, plugin.name)
        grant_defaults(session, [one for one in found if isinstance(one, Permission)])
    crm.bus.ask(plugin.name, lifecycle.plugin_enabled, crm, session, first_time)
    emit(session, PluginSwitched(plugin=plugin.name, state=State.ENABLED.value))


def catch_up(crm: Crm) -> None:
    """Note what upgraded packages of enabled plugins now say of themselves: events they want, personal data they hold."""
    for name, plugin in crm.plugins.loaded.items():
        if not crm.plugins.is_enabled(name):
            continue
        try:
            handlers = handlers_of(crm, name)
        except RegularsError as error:
            log.warning("event handlers are left out", plugin=name, reason=str(error))
            continue
        row = crm.plugins.rows[name]
        with crm.read() as session:
            differs = subscriptions_differ(session, name, handlers)
        if differs or (row.version, row.personal_data) != (plugin.version, _personal_data(plugin)):
            with crm.transaction(cause="worker") as session:
                _note_package(session, session.get_one(PluginRow, name), plugin, handlers)


def _note_package(session: Session, row: PluginRow, plugin: LoadedPlugin, handlers: list[EventHandler]) -> None:
    row.version, row.personal_data = plugin.version, _personal_data(plugin)
    subscribe(session, plugin.name, handlers)


def _personal_data(plugin: LoadedPlugin) -> list[dict[str, Any]]:
    return [one.to_json() for one in plugin.manifest.personal_data]


def disable(crm: Crm, name: str, actor: Viewer | None = None) -> None:
    """Switch a plugin off; its tables and data stay. Raises ``NotFound``, ``NotAllowedYet``."""
    crm.plugins.refresh()
    if name not in crm.plugins.rows:
        plan(crm, name)
        return
    if others := crm.plugins.dependants(name):
        raise NotAllowedYet(_("%(others)s needs %(name)s: switch that off first.", others=", ".join(others), name=name))
    with crm.transaction(actor) as session:
        row = session.get_one(PluginRow, name)
        if row.enabled:
            row.enabled, row.switched_at = False, session.info["at"]
            emit(session, PluginSwitched(plugin=name, state=State.DISABLED.value))
    crm.plugins.refresh()


def purge(crm: Crm, name: str, actor: Viewer | None = None) -> None:
    """Remove everything a disabled or uninstalled plugin kept: tables, settings, subscriptions. There is no way back."""
    crm.plugins.refresh()
    row = crm.plugins.rows.get(name)
    if row is None:
        plan(crm, name)
        return
    if row.enabled and crm.plugins.get(name):
        raise NotAllowedYet(_("%(name)s is on: switch it off first.", name=name))
    plugin = crm.plugins.get(name)
    if plugin and plugin.owner:
        _runner().downgrade(crm.database.url, plugin.owner)
    elif plugin is None:
        _drop_kept(crm, name)
    with crm.transaction(actor) as session:
        unsubscribe(session, name)
        session.execute(sa.delete(JobSlot).where(JobSlot.job.startswith(f"{name}.", autoescape=True)))
        session.execute(sa.delete(Setting).where(Setting.owner == name))
        withdraw(session, f"{name}.")
        session.execute(sa.delete(PluginTrouble).where(PluginTrouble.plugin == name))
        session.execute(sa.delete(PluginRow).where(PluginRow.name == name))
        emit(session, PluginSwitched(plugin=name, state="purged"))
    crm.plugins.refresh()


def handlers_of(crm: Crm, name: str) -> list[EventHandler]:
    """The event handlers of one plugin, checked."""
    handlers = list(crm.bus.ask(name, lifecycle.event_handlers) or ())
    for handler in handlers:
        if not handler.name.startswith(f"{name}."):
            raise Misfit(_("Its event handler %(handler)s does not begin with its own name.", handler=handler.name))
    return handlers


def _usable(crm: Crm, name: str) -> LoadedPlugin:
    plugin = crm.plugins.get(name)
    if plugin is not None:
        return plugin
    known = plan(crm, name)
    if known.reason:
        raise NotAllowedYet(_("%(name)s can't be switched on. %(reason)s", name=name, reason=known.reason))
    raise NotAllowedYet(_("The package of %(name)s is gone; only its data is kept.", name=name))


def _tables(plugin: LoadedPlugin) -> tuple[str, ...]:
    return tuple(sorted(table for table in Base.metadata.tables if plugin.manifest.owns(table)))


def _kept_tables(crm: Crm, name: str) -> list[str]:
    with crm.database.read() as session:
        found = sa.inspect(session.connection()).get_table_names()
    return sorted(table for table in found if table.startswith(f"{name}_"))


def _drop_kept(crm: Crm, name: str) -> None:
    doomed = _kept_tables(crm, name)
    with crm.database.engine.begin() as connection:
        reflected = sa.MetaData()
        reflected.reflect(connection, only=doomed)
        for table in reversed(reflected.sorted_tables):
            if table.name in doomed:
                table.drop(connection)
        connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{CORE.version_table}_{name}"')
