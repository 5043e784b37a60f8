"""Guard: what the code imports is what `setup.cfg` asks for; a package that merely happens to be there may be gone tomorrow."""

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
EXTRAS_OF = {"tests/regulars_testkit": ["postgres", "kit", "test"]}
# SQLAlchemy loads the driver that the database's address names; the rest of psycopg is only for PostgreSQL. Who makes plugins has copier.
OPTIONAL = {"psycopg", "copier"}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str, plugin: Path | None = None) -> set[str]:
    settings = ConfigParser(interpolation=None)
    settings.read(HOUSE / "setup.cfg", encoding="utf-8")
    lists = [settings["options"]["install_requires"], *(settings["options.extras_require"][extra] for extra in extras)]
    if plugin is not None:
        settings.read(plugin / "setup.cfg", encoding="utf-8")
        lists.append(settings["options"]["install_requires"])
    return {normalized(found[0]) for line in "\n".join(lists).splitlines() if (found := re.match(r"[\w.-]+", line.strip()))}


def imported(folder: Path) -> Iterator[tuple[str, str]]:
    """(file, top-level name) of every absolute import, lazy ones included."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                yield str(path.relative_to(HOUSE)), name.partition(".")[0]


FOLDERS = [
    "plugin_api",
    "core",
    "web",
    "migrations",
    "tests/regulars_testkit",
    *(f"plugins/{one.name}/src" for one in HOUSE.glob("plugins/*")),
]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_import_is_declared(folder: str) -> None:
    plugin = HOUSE / folder / ".." if folder.startswith("plugins/") else None
    known = declared(*EXTRAS_OF.get(folder, []), plugin=plugin) | OPTIONAL
    distributions = packages_distributions()
    undeclared = {
        f"{file}: {name}"
        for file, name in imported(HOUSE / folder)
        if name not in sys.stdlib_module_names
        and not name.startswith("regulars_")
        and not {normalized(distribution) for distribution in distributions.get(name, [name])} & known
    }
    assert undeclared == set()
