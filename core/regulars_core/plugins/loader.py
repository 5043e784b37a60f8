"""Finding installed plugins and checking them. One that does not fit becomes a row with a reason; the rest start."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import structlog
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from regulars_core.bus.hooks import is_ctrl_c
from regulars_migrations.owners import Owner
from regulars_migrations.standing import SchemaRefused, head
from regulars_plugin_api.db import Base
from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import Text, _, add_catalogue
from regulars_plugin_api.manifest import Manifest
from regulars_plugin_api.version import API_VERSION, __version__

GROUP = "regulars.plugins"
PLATFORM = "regulars"
IMPORT_BUDGET = 60.0
log = structlog.get_logger(__name__)


class Misfit(RegularsError):
    """Why a plugin can't be loaded, for the plugins page."""


@dataclass(frozen=True)
class Candidate:
    """An installed plugin before it is imported. ``needs`` are its distribution's requirements."""

    name: str
    version: str
    load: Callable[[], ModuleType]
    needs: Sequence[str] = ()


@dataclass(frozen=True)
class LoadedPlugin:
    """A plugin that fits."""

    name: str
    version: str
    manifest: Manifest
    module: ModuleType

    @property
    def folder(self) -> Path | None:
        """Where the package lies."""
        file = getattr(self.module, "__file__", None)
        return Path(file).parent if file else None

    @property
    def owner(self) -> Owner | None:
        """Its part of the schema; None if it has no tables."""
        versions = self.folder and self.folder / "migrations" / "versions"
        return Owner(self.name, versions) if versions and versions.is_dir() else None


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that is installed and can't be used."""

    name: str
    version: str
    reason: Text


def installed() -> list[Candidate]:
    """What is installed beside the platform, by entry point."""
    return [_candidate(point) for point in entry_points(group=GROUP)]


def _candidate(point: EntryPoint) -> Candidate:
    distribution: Distribution | None = point.dist
    version = distribution.version if distribution else "0"
    return Candidate(point.name, version, point.load, tuple(distribution.requires or ()) if distribution else ())


def load_all(candidates: Iterable[Candidate]) -> tuple[list[LoadedPlugin], list[BrokenPlugin]]:
    """Import and check every candidate; the good ones come in the order in which they may build on each other."""
    loaded: dict[str, LoadedPlugin] = {}
    broken: dict[str, BrokenPlugin] = {}
    for candidate in sorted(candidates, key=lambda one: one.name):
        try:
            loaded[candidate.name] = _load(candidate, loaded)
        except Misfit as error:
            broken[candidate.name] = BrokenPlugin(candidate.name, candidate.version, error.message)
            log.warning("a plugin does not fit", plugin=candidate.name, reason=str(error))
    while misfits := _without_requirements(loaded):
        broken.update(misfits)
        loaded = {name: plugin for name, plugin in loaded.items() if name not in misfits}
    return [loaded[name] for name in _ordered(loaded)], list(broken.values())


def _load(candidate: Candidate, others: Iterable[str]) -> LoadedPlugin:
    check_free(candidate.name, others)
    _check_platform(candidate.needs)
    try:
        module = _imported(candidate)
        manifest = getattr(module, "MANIFEST", None)
    except BaseException as error:
        # SystemExit as well: one package must not keep the rest from starting.
        if is_ctrl_c(error):
            raise
        log.exception("a plugin could not be imported", plugin=candidate.name)
        raise Misfit(_("It could not be imported: %(error)s", error=f"{type(error).__name__}: {error}")) from error
    if not isinstance(manifest, Manifest):
        raise Misfit(_("Its module has no MANIFEST."))
    if manifest.name != candidate.name:
        raise Misfit(_("Its manifest calls it %(name)s, its entry point does not.", name=manifest.name))
    _check_api(manifest.api)
    plugin = LoadedPlugin(candidate.name, candidate.version, manifest, module)
    try:
        if plugin.owner:
            head(plugin.owner)
    except SchemaRefused as unclear:
        raise Misfit(unclear.message) from unclear
    if plugin.folder:
        add_catalogue(f"regulars_{plugin.name}", plugin.folder / "translations")
    return plugin


def _imported(candidate: Candidate) -> ModuleType:
    """The plugin's module, or ``TimeoutError``: one that hangs is left behind in its thread."""
    module: Future[ModuleType] = Future()

    def load() -> None:
        try:
            module.set_result(candidate.load())
        except BaseException as error:
            module.set_exception(error)

    threading.Thread(target=load, name=f"regulars-import-{candidate.name}", daemon=True).start()
    try:
        return module.result(IMPORT_BUDGET)
    except TimeoutError as error:
        raise error if module.done() else TimeoutError(f"no end within {IMPORT_BUDGET:g} s") from None


def check_free(name: str, others: Iterable[str]) -> None:
    """Raise ``Misfit`` if a plugin of this name would meet tables of core or of one of the ``others``."""
    prefix = f"{name}_"
    for table in Base.metadata.tables.values():
        module = next((one.class_.__module__ for one in Base.registry.mappers if one.local_table is table), "")
        if module.startswith("regulars_core.") and (table.name == name or table.name.startswith(prefix)):
            raise Misfit(_("Its name is the beginning of the platform's table %(table)s.", table=table.name))
    for other in others:
        if name == other or other.startswith(prefix) or name.startswith(f"{other}_"):
            raise Misfit(_("Its name overlaps with that of the plugin %(name)s.", name=other))


def _check_platform(needs: Sequence[str]) -> None:
    for need in needs:
        try:
            requirement = Requirement(need)
        except InvalidRequirement as error:
            raise Misfit(_("Its requirement %(need)s can't be read.", need=need)) from error
        if re.sub(r"[-_.]+", "-", requirement.name).lower() == PLATFORM and not requirement.specifier.contains(
            __version__, prereleases=True
        ):
            raise Misfit(_("It was made for %(need)s; this is Regulars %(version)s.", need=need, version=__version__))


def _check_api(wanted: str) -> None:
    major, minor = (int(part) for part in wanted.split("."))
    our_major, our_minor = (int(part) for part in API_VERSION.split("."))
    if major != our_major or minor > our_minor:
        raise Misfit(_("It needs version %(wanted)s of the plugin contract; this is %(ours)s.", wanted=wanted, ours=API_VERSION))


def _without_requirements(loaded: dict[str, LoadedPlugin]) -> dict[str, BrokenPlugin]:
    found = {}
    for plugin in loaded.values():
        for name, versions in plugin.manifest.requires.items():
            reason = _missing(loaded.get(name), name, versions)
            if reason is not None:
                found[plugin.name] = BrokenPlugin(plugin.name, plugin.version, reason)
    if not found:
        for name in _in_a_circle(loaded):
            found[name] = BrokenPlugin(name, loaded[name].version, _("It and a plugin it builds on need each other."))
    return found


def _missing(required: LoadedPlugin | None, name: str, versions: str) -> Text | None:
    if required is None:
        return _("It needs the plugin %(name)s, which is not there.", name=name)
    try:
        fits = SpecifierSet(versions).contains(required.version, prereleases=True)
    except InvalidSpecifier:
        return _("Its requirement %(need)s can't be read.", need=f"{name} {versions}")
    if fits:
        return None
    return _("It needs %(need)s; installed is %(version)s.", need=f"{name} {versions}", version=required.version)


def _graph(loaded: dict[str, LoadedPlugin]) -> dict[str, list[str]]:
    return {name: sorted(loaded.keys() & {*one.manifest.requires, *one.manifest.after}) for name, one in sorted(loaded.items())}


def _in_a_circle(loaded: dict[str, LoadedPlugin]) -> Sequence[str]:
    try:
        TopologicalSorter(_graph(loaded)).prepare()
    except CycleError as error:
        return sorted(set(error.args[1]))
    return ()


def _ordered(loaded: dict[str, LoadedPlugin]) -> list[str]:
    sorter = TopologicalSorter(_graph(loaded))
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order
