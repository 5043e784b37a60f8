"""Every table whose rows come up in the record of changes has a noun for people."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa

from regulars_plugin_api.db import Base
from regulars_plugin_api.i18n import add_catalogue, in_locale
from regulars_web.audit_words import NOUNS

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/src/*/models.py"))


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_the_tables_of_a_plugin_have_nouns_in_every_language(package: Path) -> None:
    import_module(f"{package.name}.models")
    add_catalogue(package.name, package / "translations")
    own = package.name.removeprefix("regulars_")
    journaled = [
        table
        for table in Base.metadata.tables.values()
        if table.name.startswith(f"{own}_") and "id" in table.c and not table.info["dump"]["journal"]
    ]
    assert journaled
    for table in journaled:
        noun = table.info["title"]
        with in_locale("fa"):
            assert str(noun) not in ("", noun._args[1]), table.name


def test_the_tables_of_the_platform_have_nouns() -> None:
    import_module("regulars_core.crm")
    core = [mapper.local_table for mapper in Base.registry.mappers if mapper.class_.__module__.startswith("regulars_core.")]
    journaled = {table.name for table in core if isinstance(table, sa.Table) and "id" in table.c and not table.info["dump"]["journal"]}
    assert journaled - NOUNS.keys() == set()
