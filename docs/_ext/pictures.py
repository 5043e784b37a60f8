"""What the code itself can say: its tables, its modules, its events. Written anew by every build of the manual."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grimp
import sqlalchemy as sa
from svg import Box, draw

PLATFORM = ("regulars_plugin_api", "regulars_migrations", "regulars_core", "regulars_web", "regulars_testkit")


def installed_plugins() -> list[str]:
    """Names of the plugins whose distributions are installed, sorted."""
    return sorted(point.name for point in entry_points(group="regulars.plugins"))


def tables_by_owner() -> dict[str, list[sa.Table]]:
    """Every table under core or under the plugin whose prefix it carries."""
    from regulars_plugin_api.db import Base

    import_module("regulars_core.models")
    plugins = installed_plugins()
    for plugin in plugins:
        if find_spec(f"regulars_{plugin}.models"):
            import_module(f"regulars_{plugin}.models")
    owned = defaultdict(list)
    for table in Base.metadata.sorted_tables:
        owner = next((plugin for plugin in plugins if table.name.startswith(f"{plugin}_")), "core")
        owned[owner].append(table)
    return {owner: sorted(tables, key=lambda table: table.name) for owner, tables in sorted(owned.items())}


def table_picture(tables: Iterable[sa.Table], title: str) -> str:
    """Tables with their columns and foreign keys; a table of another owner that is pointed at is only named."""
    shown = {table.name: Box(table.name, tuple(_column_line(column) for column in table.columns)) for table in tables}
    edges = [(key.parent.table.name, key.column.table.name) for table in tables for key in table.foreign_keys]
    guests = sorted({end for _, end in edges} - set(shown))
    return draw([*shown.values(), *(Box(name, guest=True) for name in guests)], edges, title)


def _column_line(column: sa.Column[object]) -> str:
    mark = "# " if column.primary_key else "> " if column.foreign_keys else "  "
    return f"{mark}{column.name}{'?' if column.nullable else ''}"


def table_list(tables: Iterable[sa.Table]) -> str:
    """A Markdown list: each table and what one row of it is."""
    from regulars_plugin_api.db import Base

    meanings = {mapper.local_table: mapper.class_.__doc__ for mapper in Base.registry.mappers}
    return "".join(f"- `{table.name}`: {_first_line(meanings[table], table.name)}\n" for table in tables if table in meanings)


def module_picture(packages: Iterable[str], title: str) -> str:
    """The packages two levels deep and who imports whom."""
    graph = grimp.build_graph(*packages, cache_dir=None)
    parts = sorted({_two_levels(module) for module in graph.modules})
    edges = {
        (_two_levels(module), _two_levels(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return draw([Box(part) for part in parts], edges, title)


def house_picture() -> str:
    """The distributions' import packages and the number of imports between them."""
    packages = [*PLATFORM, *(f"regulars_{plugin}" for plugin in installed_plugins())]
    graph = grimp.build_graph(*packages, cache_dir=None)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            counts[module.partition(".")[0], imported.partition(".")[0]] += 1
    sizes = {package: sum(module.partition(".")[0] == package for module in graph.modules) for package in packages}
    boxes = [Box(package, (f"{sizes[package]} modules",)) for package in packages]
    return draw(boxes, counts, "The packages of Regulars and their imports")


def _two_levels(module: str) -> str:
    return ".".join(module.split(".")[:2])


def package_list(package: str) -> str:
    """A Markdown list: the parts of a package and the first line of their docstrings."""
    parts = [package, *sorted(grimp.build_graph(package, cache_dir=None).find_children(package))]
    return "".join(f"- `{part}`: {_first_line(_docstring(part), part)}\n" for part in parts)


def _docstring(module: str) -> str | None:
    # Read, not imported: Alembic's env.py runs migrations when it is.
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))


def event_list() -> str:
    """A Markdown section for each event of core and of the installed plugins: its docstring and its fields."""
    from regulars_plugin_api.events import known_events

    for plugin in installed_plugins():
        import_module(f"regulars_{plugin}.plugin")
    told = sorted((name, event) for name, event in known_events().items() if event.__module__.startswith("regulars_"))
    return "\n".join(_event_section(event) for _name, event in told)


def _event_section(event: type[Any]) -> str:
    told = f"`{event.__name__}` of `{event.__module__}`, version {event.version}"
    rows = "".join(f"| `{one.name}` | `{_in_a_cell(one.type)}` |\n" for one in dataclasses.fields(event))
    return f"### {event.type}\n\n{told}\n\n{inspect.getdoc(event)}\n\n| field | type |\n| --- | --- |\n{rows}"


def _in_a_cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def _first_line(text: str | None, subject: str) -> str:
    if not text:
        raise ValueError(f"{subject} has no docstring to say what it is")
    return inspect.cleandoc(text).splitlines()[0]
