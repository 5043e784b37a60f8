"""Sphinx extension: before each build, writes the pages and pictures that the code says best itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import checklist
import hookpages
import pictures
import reference
from sphinx.application import Sphinx


def write_generated(app: Sphinx) -> None:
    """Fill `docs/_generated` and `docs/develop/hooks`; a file that would not change keeps its time stamp."""
    folder = Path(app.srcdir) / "_generated"
    folder.mkdir(exist_ok=True)
    wanted = {"house.svg": pictures.house_picture(), "hooks.md": hookpages.hook_list(), "events.md": pictures.event_list()}
    wanted |= {"reference.md": reference.reference(), "checks.md": checklist.checklist()}
    for package in ("regulars_plugin_api", "regulars_core", "regulars_web", "regulars_migrations"):
        wanted[f"{package}.md"] = pictures.package_list(package)
    wanted["core-modules.svg"] = pictures.module_picture(["regulars_core"], "The parts of regulars_core and their imports")
    sections = []
    for owner, tables in pictures.tables_by_owner().items():
        wanted[f"tables-{owner}.svg"] = pictures.table_picture(tables, f"Tables of {owner}")
        picture = f"```{{image}} /_generated/tables-{owner}.svg\n:alt: The tables of {owner} and their foreign keys\n```\n"
        sections.append(f"## {owner}\n\n{picture}\n{pictures.table_list(tables)}")
    wanted["tables.md"] = "\n".join(sections)
    pages = Path(app.srcdir) / "develop" / "hooks"
    pages.mkdir(exist_ok=True)
    told = hookpages.hook_pages()
    for gone in [path for path in pages.glob("*.md") if path.stem not in told]:
        gone.unlink()
    _write(folder, wanted)
    _write(pages, {f"{name}.md": text for name, text in told.items()})


def _write(folder: Path, wanted: Mapping[str, str]) -> None:
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write_generated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
