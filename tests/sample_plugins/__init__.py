"""Toy plugins for tests, and ways to make one on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from regulars_core.config import Config
from regulars_core.crm import Crm, open_crm
from regulars_core.plugins.loader import Candidate
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest

T = TypeVar("T")
SECRET = "a secret key that is long enough for tests"


def manifest(name: str, **about: Any) -> Manifest:
    """A manifest with little in it."""
    return Manifest(**{"name": name, "title": name.title(), "summary": "", "category": Category.OPERATIONS, "api": "1.0", **about})


def toy(name: str, *implementations: Callable[..., Any], **about: Any) -> ModuleType:
    """A plugin module with these functions as hook implementations."""
    module = ModuleType(f"regulars_{name}.plugin")
    vars(module)["MANIFEST"] = manifest(name, **about)
    for one in implementations:
        setattr(module, one.__name__, hookimpl(one))
    return module


def candidate(module: ModuleType, version: str = "1.0", needs: tuple[str, ...] = ()) -> Candidate:
    """The plugin as the loader finds it."""
    return Candidate(module.MANIFEST.name, version, lambda: module, needs)


def open_with(url: str, home: Path, *modules: ModuleType, **settings: Any) -> Crm:
    """A running system with these plugins installed and none of them on, unless the database says so."""
    config = Config(**{"home": home, "database_url": url, "secret_key": SECRET, **settings})
    return open_crm(config, plugins=[candidate(one) for one in modules])


class _Undone(Exception):
    """Ends a transaction without keeping it."""


@contextmanager
def rolled_back(block: AbstractContextManager[T]) -> Iterator[T]:
    """A transaction or savepoint that is rolled back at its end."""
    with suppress(_Undone), block as given:
        yield given
        raise _Undone
