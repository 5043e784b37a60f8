"""Removing what a plugin kept: its rows can be had first, and nothing of it is left in what staff chose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_core.dump import plain
from regulars_core.plugins import switching
from regulars_core.users.models import SavedView, User
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import Viewer


def rows(crm: Crm, session: Session, name: str) -> Iterator[str]:
    """Every row in the tables of a plugin as a JSON line, whether its package is there or not. Raises ``NotFound``."""
    switching.plan(crm, name)
    metadata, connection = sa.MetaData(), session.connection()
    for table_name in _tables(connection, name):
        table = sa.Table(table_name, metadata, autoload_with=connection, resolve_fks=False)
        found = session.execute(sa.select(table).order_by(*table.primary_key).execution_options(yield_per=1000))
        for row in found.mappings():
            values = {column: plain(value) for column, value in row.items() if value is not None}
            yield json.dumps({"record": table_name} | values, ensure_ascii=False, default=str)


def remove(crm: Crm, name: str, actor: Viewer | None = None) -> None:
    """Remove everything ``name`` kept, the columns and places staff chose of it included. Raises ``NotFound``, ``NotAllowedYet``."""
    crm.plugins.refresh()
    if others := _pointing_at(crm, name):
        raise NotAllowedYet(_("Rows of %(others)s point at those of %(name)s: remove them first.", others=", ".join(others), name=name))
    switching.purge(crm, name, actor)
    with crm.transaction(actor) as session:
        for view in session.scalars(sa.select(SavedView)):
            columns = _without(name, str(view.query.get("columns", "")).split(","))
            if "columns" in view.query and columns != view.query["columns"]:
                view.query = {**view.query, "columns": columns}
        for user in session.scalars(sa.select(User).where(sa.cast(User.preferences, sa.Text).contains(f"{name}/", autoescape=True))):
            user.preferences = {what: _rearranged(name, chosen) for what, chosen in user.preferences.items()}


def _tables(connection: sa.Connection, name: str) -> list[str]:
    return sorted(one for one in sa.inspect(connection).get_table_names() if one.startswith(f"{name}_"))


def _pointing_at(crm: Crm, name: str) -> list[str]:
    with crm.read() as session:
        connection = session.connection()
        inspector, tables = sa.inspect(connection), _tables(connection, name)
        elsewhere = [one for one in inspector.get_table_names() if one not in tables]
        return [one for one in elsewhere if any(key["referred_table"] in tables for key in inspector.get_foreign_keys(one))]


def _without(name: str, columns: list[str]) -> str:
    return ",".join(column for column in columns if not column.startswith(f"{name}."))


def _rearranged(name: str, chosen: Any) -> Any:
    if not isinstance(chosen, dict):
        return chosen
    return {
        key: [part for part in parts if not str(part).startswith(f"{name}/")] if isinstance(parts, list) else parts
        for key, parts in chosen.items()
    }
