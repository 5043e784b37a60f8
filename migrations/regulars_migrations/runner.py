"""Bring the schema of core and plugins to where the code expects it, or back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from regulars_migrations import engine as engines
from regulars_migrations.engine import migration_engine, only_one_runner
from regulars_migrations.owners import CORE, HERE, Owner
from regulars_migrations.standing import SchemaRefused, refuse_foreign_database
from regulars_plugin_api.db import Base
from regulars_plugin_api.i18n import _

LOCK_NOT_AVAILABLE = "55P03"


def upgrade(url: sa.URL | str, owners: Sequence[Owner] = (CORE,)) -> None:
    """Upgrade each owner to its newest revision, in the given order. Each revision is one transaction."""
    url = sa.make_url(url)
    engine = migration_engine(url)
    with _in_words(), only_one_runner(url, engine):
        refuse_foreign_database(engine)
        for owner in owners:
            with engine.connect() as connection:
                command.upgrade(_config(owner, connection, owners), "head")
            with engine.begin() as connection:
                for statement in owner.indexes.get(connection.dialect.name, ()):
                    connection.exec_driver_sql(statement)


@contextmanager
def _in_words() -> Iterator[None]:
    """A step that gave up waiting for a lock has changed nothing, and says so."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE and "database is locked" not in str(error.orig):
            raise
        message = _(
            "The schema could not be upgraded: somebody else held a lock for %(count)s seconds. This step changed nothing. Stop web and "
            "worker, or wait for the long work to end, and run it again.",
            count=engines.PATIENCE,
        )
        raise SchemaRefused(message) from error


def downgrade(url: sa.URL | str, owner: Owner, revision: str = "base", owners: Sequence[Owner] = (CORE,)) -> None:
    """Take one owner's schema back; ``base`` drops its tables and its version table."""
    url = sa.make_url(url)
    engine = migration_engine(url)
    with only_one_runner(url, engine):
        with engine.connect() as connection:
            command.downgrade(_config(owner, connection, owners), revision)
        if revision == "base":
            with engine.begin() as connection:
                connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{owner.version_table}"')


def differences(url: sa.URL | str, owner: Owner, owners: Sequence[Owner]) -> list[Any]:
    """What the models of ``owner`` say that its tables in the database do not, as Alembic sees it."""
    engine = migration_engine(sa.make_url(url))
    owns = _ownership(owner, owners)
    with engine.connect() as connection:
        options = {
            "version_table": owner.version_table,
            "include_name": lambda name, kind, parents: kind != "table" or owns(name),
            "include_object": lambda item, name, kind, reflected, compare_to: kind != "table" or owns(name),
        }
        found = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
        extra = {statement.split()[5] for statements in owner.indexes.values() for statement in statements}
        return [step for step in found if not (step[0] == "remove_index" and step[1].name in extra)]


def _ownership(owner: Owner, owners: Sequence[Owner]) -> Any:
    plugins = [other for other in owners if not other.is_core]
    # SQLite keeps full-text tables in shadow tables of its own, and core's search table is one of those there.
    if owner.is_core:
        core_tables = {table for table in Base.metadata.tables if not any(plugin.owns(table) for plugin in plugins)}
        return lambda name: name in core_tables and name != "customer_search"
    return owner.owns


def _config(owner: Owner, connection: sa.Connection, owners: Sequence[Owner]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(owner.versions).replace("%", "%%"))
    config.attributes.update(
        connection=connection,
        metadata=Base.metadata,
        version_table=owner.version_table,
        owns=_ownership(owner, owners),
        on_version_apply=_check_foreign_keys,
    )
    return config


def _check_foreign_keys(*, ctx: MigrationContext, **_about: Any) -> None:
    connection = ctx.connection
    if connection is None or connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise SchemaRefused(
            _(
                "The migration would leave %(count)s rows that point at nothing, the first in %(table)s.",
                count=len(broken),
                table=broken[0][0],
            )
        )
