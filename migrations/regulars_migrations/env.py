"""Alembic's environment, shared by core and every plugin. The runner passes everything through ``config.attributes``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

attributes = context.config.attributes
connection: sa.Connection = attributes["connection"]


def is_owned(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic may compare a table of the database with the models."""
    return kind != "table" or (name is not None and attributes["owns"](name))


context.configure(
    connection=connection,
    target_metadata=attributes["metadata"],
    version_table=attributes["version_table"],
    include_name=is_owned,
    include_object=lambda item, name, kind, reflected, compare_to: is_owned(name, kind, {}),
    render_as_batch=True,
    transaction_per_migration=True,
    # Alembic believes SQLite cannot roll DDL back; with a real BEGIN it can.
    transactional_ddl=True,
    on_version_apply=attributes["on_version_apply"],
)
with context.begin_transaction():
    context.run_migrations()
