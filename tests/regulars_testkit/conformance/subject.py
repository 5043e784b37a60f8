"""The plugin that is examined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa

from regulars_core.plugins.loader import GROUP, BrokenPlugin, Candidate, LoadedPlugin, installed, load_all
from regulars_plugin_api.db import Base
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.manifest import Manifest, Tier


@dataclass(frozen=True)
class Subject:
    """A plugin and those it can't do without. ``readme`` is the long description of its distribution."""

    candidate: Candidate
    required: tuple[Candidate, ...] = ()
    readme: str = ""

    @property
    def name(self) -> str:
        """The name of its entry point."""
        return self.candidate.name

    @property
    def candidates(self) -> list[Candidate]:
        """What is installed in the systems in which it is examined."""
        return [*self.required, self.candidate]

    @cached_property
    def _all(self) -> tuple[dict[str, LoadedPlugin], dict[str, BrokenPlugin]]:
        loaded, broken = load_all(self.candidates)
        return {one.name: one for one in loaded}, {one.name: one for one in broken}

    @property
    def refused(self) -> BrokenPlugin | None:
        """Why it can't be loaded."""
        return self._all[1].get(self.name)

    @property
    def loaded(self) -> Mapping[str, LoadedPlugin]:
        """The plugin and those it requires, in order."""
        return self._all[0]

    @property
    def plugin(self) -> LoadedPlugin:
        """The plugin itself; only if it can be loaded."""
        return self.loaded[self.name]

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return self.plugin.manifest

    @property
    def claims(self) -> Tier:
        """The tier its manifest claims; the lowest if it has none to ask."""
        return Tier.BRONZE if self.refused else self.manifest.tier

    @property
    def module(self) -> ModuleType:
        """The module with its hooks."""
        return self.plugin.module

    @property
    def package(self) -> str:
        """The import name of its package, such as ``regulars_loyalty``."""
        return self.module.__name__.rpartition(".")[0] or self.module.__name__

    @cached_property
    def folder(self) -> Path:
        """Where its package lies."""
        assert self.plugin.folder is not None
        return self.plugin.folder

    @property
    def tables(self) -> list[sa.Table]:
        """The tables its models declare, each after those it points at."""
        owns = self.manifest.owns
        return [table for table in Base.metadata.sorted_tables if owns(table.name)]

    @cached_property
    def sources(self) -> list[Path]:
        """Its Python files, sorted."""
        return sorted(self.folder.rglob("*.py"))

    def place_of(self, path: Path) -> str:
        """A file of the package, as a person looks for it."""
        return str(path.relative_to(self.folder.parent))


def find(name: str) -> Subject:
    """The installed plugin of this name with those it requires. Raises ``NotFound``."""
    by_name = {one.name: one for one in installed()}
    if name not in by_name:
        raise NotFound(_("There is no plugin named %(name)s.", name=name))
    point = next(one for one in entry_points(group=GROUP) if one.name == name)
    readme = str(point.dist.metadata.json.get("description", "")) if point.dist else ""
    return Subject(by_name[name], tuple(_required(by_name, name)), readme)


def _required(by_name: Mapping[str, Candidate], name: str) -> Iterable[Candidate]:
    needed: dict[str, Candidate] = {}
    waiting = [name]
    while waiting:
        for other in _requires(by_name[waiting.pop()]):
            if other in by_name and other not in needed:
                needed[other] = by_name[other]
                waiting.append(other)
    return needed.values()


def _requires(candidate: Candidate) -> Iterable[str]:
    try:
        return tuple(candidate.load().MANIFEST.requires)
    except Exception:
        # What is wrong with it is for the first check to say.
        return ()
