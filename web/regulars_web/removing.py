"""Removing what a plugin kept: its rows can be had first, and nothing of it is left in what staff chose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.crm import Crm
from regulars_core.customers.merges import CustomerMerge
from regulars_core.dump import plain
from regulars_core.plugins import switching
from regulars_core.users import roles
from regulars_core.users.models import Notice, Role, SavedView, User
from regulars_core.users.tokens import ApiToken
from regulars_plugin_api.contributions import Role as PluginRole
from regulars_plugin_api.errors import NotAllowedYet
from regulars_plugin_api.i18n import Text, _
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


def remove(crm: Crm, name: str, actor: Viewer | None = None) -> list[str]:
    """Remove everything ``name`` kept, and what is left of it elsewhere, see ``_forget``. Raises ``NotFound``, ``NotAllowedYet``.

    Answers with the roles it brought that stay: somebody holds them, or an administrator has given them something else to do.
    """
    crm.plugins.refresh()
    if others := _pointing_at(crm, name):
        raise NotAllowedYet(_("Rows of %(others)s point at those of %(name)s: remove them first.", others=", ".join(others), name=name))
    switching.purge(crm, name, actor)
    with crm.transaction(actor) as session:
        _forget(session, name)
        return _dismiss_roles(crm, session, name)


def _forget(session: Session, name: str) -> None:
    """Columns and places staff chose of it, its notices, its permissions in tokens, and its rows and parts in merges of customers."""
    for view in session.scalars(sa.select(SavedView)):
        columns = _without(name, str(view.query.get("columns", "")).split(","))
        if "columns" in view.query and columns != view.query["columns"]:
            view.query = {**view.query, "columns": columns}
    for user in session.scalars(sa.select(User).where(_mentions(User.preferences, f"{name}/"))):
        user.preferences = {what: _rearranged(name, chosen) for what, chosen in user.preferences.items()}
    for token in session.scalars(sa.select(ApiToken).where(_mentions(ApiToken.scopes, f"{name}."))):
        token.scopes = [scope for scope in token.scopes if not scope.startswith(f"{name}.")]
    for merge in session.scalars(sa.select(CustomerMerge).where(_mentions(CustomerMerge.owed, f'"{name}"'))):
        merge.owed = [one for one in merge.owed if one != name]
    for merge in session.scalars(sa.select(CustomerMerge).where(_mentions(CustomerMerge.image, f'"{name}_'))):
        if merge.image is not None:
            merge.image = merge.image | {"steps": [step for step in merge.image["steps"] if not step["table"].startswith(f"{name}_")]}
    gone = sa.delete(Notice).where(Notice.key.startswith(f"{name}:", autoescape=True)).returning(Notice.user_id)
    for user_id in set(session.scalars(gone)):
        unread = sa.select(sa.func.count()).where(Notice.user_id == user_id, Notice.read_at.is_(None)).scalar_subquery()
        session.execute(sa.update(User).where(User.id == user_id).values(unread=unread))


def _dismiss_roles(crm: Crm, session: Session, name: str) -> list[str]:
    others = {plugin: found for plugin, found in crm.plugins.permissions().items() if plugin in crm.plugins.rows}
    elsewhere = {one.name: plugin for plugin, found in others.items() for one in found if isinstance(one, PluginRole)}
    in_use = {one.name for one in roles.listed(session) if one.holders or one.permissions}
    kept = []
    for role in session.scalars(sa.select(Role).where(Role.brought_by == name).order_by(Role.name)):
        role.brought_by = elsewhere.get(role.name)
        if role.brought_by is None and role.name in in_use:
            kept.append(role.name)
        elif role.brought_by is None:
            session.delete(role)
    return kept


def _mentions(column: Any, text: str) -> sa.ColumnElement[bool]:
    return sa.cast(column, sa.Text).contains(text, autoescape=True)


def told_of(kept: Sequence[str]) -> Text:
    """What to say of the roles that ``remove`` has left."""
    return _(
        "These roles stay, without its permissions, for people hold them or they may do other things: %(roles)s", roles=", ".join(kept)
    )


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
