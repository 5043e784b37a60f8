"""Which plugins there are, which are on, and switching them."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa
import structlog

from regulars_core.bus import hooks
from regulars_core.bus.shape import answer_check
from regulars_core.plugins.loader import BrokenPlugin, Candidate, LoadedPlugin, Misfit, installed, load_all
from regulars_core.plugins.models import PluginRow
from regulars_migrations.owners import CORE, Owner
from regulars_plugin_api.contributions import Permission, Role
from regulars_plugin_api.errors import PluginFailed, RegularsError
from regulars_plugin_api.hookspecs import access, lifecycle, web
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import PluginBlueprint

if TYPE_CHECKING:
    from regulars_core.crm import Crm

PLATFORM = "Regulars"
log = structlog.get_logger(__name__)

CORE_PAGES = (
    *("account", "api", "asset", "audit", "customers", "events", "exports", "healthz", "home", "imports", "jobs", "metrics", "plugins"),
    *("privacy", "profile", "readyz", "reports", "search", "settings", "sign-in", "sign-out", "static", "stores", "users"),
)
CORE_RESOURCES = ("customers", "events", "exports", "imports", "plugins", "reports", "stores", "users")


class State(enum.Enum):
    """What a plugin is: never switched on, on, off, unusable, or gone with its data kept."""

    INSTALLED = "installed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    BROKEN = "broken"
    KEPT = "kept"


@dataclass(frozen=True)
class PluginInfo:
    """A line of the plugins page and of ``regulars plugins list``."""

    name: str
    title: Text
    summary: Text
    version: str
    state: State
    reason: Text | None = None


class PluginRegistry:
    """The plugins of this process. ``load`` once, ``refresh`` before each request, command or round of the worker."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._loaded: dict[str, LoadedPlugin] = {}
        self._broken: dict[str, BrokenPlugin] = {}
        self._rows: dict[str, PluginRow] = {}
        self._enabled: frozenset[str] = frozenset()
        self._started: set[str] = set()
        self._refreshed = float("-inf")
        self._switches: str | None = None
        self._refreshing = threading.RLock()

    def load(self, candidates: Iterable[Candidate] | None = None) -> None:
        """Import, check and register every installed plugin; in safe mode none."""
        found = installed() if candidates is None else list(candidates)
        if self._crm.config.safe_mode:
            self._broken = {one.name: BrokenPlugin(one.name, one.version, _("Safe mode: no plugin is loaded.")) for one in found}
            return
        loaded, broken = load_all(found)
        self._broken = {one.name: one for one in broken}
        for plugin in loaded:
            try:
                self._admit(plugin)
            except RegularsError as error:
                self.leave_out(plugin, error.message)

    def _admit(self, plugin: LoadedPlugin) -> None:
        missing = [name for name in plugin.manifest.requires if name not in self._loaded]
        if missing:
            raise Misfit(_("It needs the plugin %(name)s, which is not there.", name=missing[0]))
        bus = self._crm.bus
        try:
            for module in self._own_hookspecs(plugin):
                bus.add_specs(module)
            bus.register(plugin.name, plugin.module)
        except hooks.PluginRefused as error:
            raise Misfit(str(error)) from error
        self._loaded[plugin.name] = plugin
        for permission in bus.ask(plugin.name, access.permissions) or ():
            if isinstance(permission, Permission) and not permission.name.startswith(f"{plugin.name}."):
                raise Misfit(_("Its permission %(name)s does not begin with its own name.", name=permission.name))
        schema = bus.ask(plugin.name, lifecycle.settings_schema)
        if schema is not None:
            self._guarded(plugin, "settings_schema", partial(self._crm.settings.add_schema, plugin.name, schema))

    def _own_hookspecs(self, plugin: LoadedPlugin) -> list[Any]:
        declare, check = getattr(plugin.module, "plugin_hookspecs", None), answer_check(lifecycle.plugin_hookspecs)
        return [] if declare is None else self._guarded(plugin, "plugin_hookspecs", lambda: check(declare() or ()))

    def _guarded(self, plugin: LoadedPlugin, what: str, work: Callable[[], Any]) -> Any:
        answer = self._crm.bus.guarded(plugin.name, what, work, hooks.START_BUDGET)
        if answer.failure is not None:
            raise PluginFailed(plugin.name, what, answer.failure)
        return answer.value

    def leave_out(self, plugin: LoadedPlugin, reason: Text) -> None:
        """Do without a plugin, and those that build on it, in this process; ``reason`` is for the plugins page."""
        log.warning("a plugin is off", plugin=plugin.name, reason=str(reason))
        if self._loaded.pop(plugin.name, None):
            self._crm.bus.unregister(plugin.name)
        self._broken[plugin.name] = BrokenPlugin(plugin.name, plugin.version, reason)
        self._enabled -= {plugin.name}
        for other in [one for one in self._loaded.values() if plugin.name in one.manifest.requires]:
            self.leave_out(other, _("It needs the plugin %(name)s, which is not there.", name=plugin.name))

    def refresh(self, at_most_every: float = 0.0) -> None:
        """See who was switched on or off, by this process or another; ``at_most_every`` so many seconds."""
        if time.monotonic() - self._refreshed < at_most_every:
            return
        with self._refreshing:
            self._refreshed = time.monotonic()
            new = self._refresh()
        # Whoever comes meanwhile does not wait for a plugin that takes its time.
        for name in new:
            self._start(name)

    def notice(self, switches: str | None) -> None:
        """See who was switched, if ``switches``, a mark that changes with every switching, is another one than last time."""
        if switches != self._switches:
            self._switches = switches
            self.refresh()

    def _refresh(self) -> list[str]:
        self._rows = self._read_rows()
        enabled = frozenset(name for name in self._loaded if name in self._rows and self._rows[name].enabled and self._usable(name))
        if enabled != self._enabled:
            self._enabled = enabled
            self._crm.bus.forget()
        new = [name for name in self._loaded if name in enabled and name not in self._started]
        self._started.update(new)
        return new

    def _usable(self, name: str) -> bool:
        needed = self._loaded[name].manifest.requires
        return all(
            one in self._rows and self._rows[one].enabled and self._usable(one) for one in needed
        ) and not self._crm.settings.problem(name)

    def _start(self, name: str) -> None:
        try:
            self._crm.bus.ask(name, lifecycle.crm_started, self._crm)
        except PluginFailed as error:
            log.warning("a plugin did not start whole", plugin=name, reason=error.reason)

    def _read_rows(self) -> dict[str, PluginRow]:
        if not self._crm.has_database():
            return {}
        self._crm.settings.refresh()
        with self._crm.database.read() as session:
            return {row.name: row for row in session.scalars(sa.select(PluginRow))}

    def is_enabled(self, name: str) -> bool:
        """Whether the plugin is on, as of the last ``refresh``."""
        return name in self._enabled

    def get(self, name: str) -> LoadedPlugin | None:
        """A plugin that is installed and fits."""
        return self._loaded.get(name)

    def broken(self, name: str) -> BrokenPlugin | None:
        """A plugin that is installed and does not fit."""
        return self._broken.get(name)

    @property
    def loaded(self) -> Mapping[str, LoadedPlugin]:
        """Every usable plugin, in order."""
        return self._loaded

    @property
    def rows(self) -> Mapping[str, PluginRow]:
        """Every plugin that was ever switched on and not purged."""
        return self._rows

    def dependants(self, name: str) -> list[str]:
        """Enabled plugins that can't do without this one."""
        return [one for one, plugin in self._loaded.items() if name in plugin.manifest.requires and self.is_enabled(one)]

    def owners(self) -> list[Owner]:
        """Parts of the schema to keep up to date: core, then every plugin that was ever on, disabled ones too."""
        return [CORE, *(owner for name, plugin in self._loaded.items() if name in self._rows and (owner := plugin.owner))]

    def listed(self) -> list[PluginInfo]:
        """Every plugin there is or was, with its state."""
        infos = [self._info(plugin) for plugin in self._loaded.values()]
        infos += [PluginInfo(one.name, one.name, "", one.version, State.BROKEN, one.reason) for one in self._broken.values()]
        gone = self._rows.keys() - self._loaded.keys() - self._broken.keys()
        return infos + [PluginInfo(name, name, "", self._rows[name].version, State.KEPT) for name in sorted(gone)]

    def _info(self, plugin: LoadedPlugin) -> PluginInfo:
        row = self._rows.get(plugin.name)
        state, reason = State.INSTALLED if row is None else State.DISABLED, None
        if self.is_enabled(plugin.name):
            state = State.ENABLED
        elif row is not None and row.enabled:
            reason = self._crm.settings.problem(plugin.name) or _("A plugin it needs is off.")
            state = State.BROKEN
        return PluginInfo(plugin.name, plugin.manifest.title, plugin.manifest.summary, plugin.version, state, reason)

    def permissions(self) -> dict[str, list[Permission | Role]]:
        """Permissions and roles by plugin, those of disabled ones too."""
        return {name: list(found) for name, found in self._crm.bus.each(access.permissions)}

    def blueprints(self) -> list[tuple[str, PluginBlueprint]]:
        """``(plugin, blueprint)`` of every usable plugin. A plugin that claims an address that is taken is off."""
        core = [*(f"/{name}" for name in CORE_PAGES), *(f"/api/v1/{name}" for name in CORE_RESOURCES)]
        taken: dict[str, str] = dict.fromkeys(core, PLATFORM)
        found: list[tuple[str, PluginBlueprint]] = []
        for plugin in list(self._loaded.values()):
            mine = self._asked(plugin, lambda name: self._crm.bus.ask(name, web.blueprints))
            clash = next((one.claim for one in mine if taken.get(one.claim, plugin.name) != plugin.name), None)
            if clash:
                self.leave_out(plugin, _("Its address %(claim)s is taken by %(other)s.", claim=clash, other=taken[clash]))
                continue
            taken.update({one.claim: plugin.name for one in mine})
            found += [(plugin.name, one) for one in mine]
        return found

    def cli_commands(self) -> list[tuple[str, click.Command]]:
        """``(plugin, command)`` of every usable plugin; of two of a name the first."""
        found: dict[str, tuple[str, click.Command]] = {}
        for name, commands in self._crm.bus.each(lifecycle.cli_commands):
            for command in commands:
                if found.setdefault(str(command.name), (name, command))[0] != name:
                    log.warning("a plugin's command is taken", plugin=name, command=command.name)
        return list(found.values())

    def _asked(self, plugin: LoadedPlugin, ask: Callable[[str], Iterable[Any] | None]) -> list[Any]:
        if plugin.name not in self._loaded:
            return []
        try:
            return list(ask(plugin.name) or ())
        except PluginFailed as error:
            self.leave_out(plugin, error.reason)
            return []
