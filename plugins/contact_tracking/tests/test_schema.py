"""The plugin's tables come and go, and are what the models say."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

import regulars_contact_tracking.models
import regulars_core.models  # noqa: F401 - foreign keys point at core's tables
from regulars_migrations import runner
from regulars_migrations.owners import CORE, Owner
from regulars_plugin_api.db import Base

OWNER = Owner("contact_tracking", Path(regulars_contact_tracking.models.__file__).parent / "migrations" / "versions")


def test_up_down_and_up_again(blank_database_url: str) -> None:
    owners = (CORE, OWNER)
    runner.upgrade(blank_database_url, owners)
    assert runner.differences(blank_database_url, OWNER, owners) == []
    engine = sa.create_engine(blank_database_url)
    there = {table for table in sa.inspect(engine).get_table_names() if OWNER.owns(table)}
    assert there == {table for table in Base.metadata.tables if OWNER.owns(table)}
    runner.downgrade(blank_database_url, OWNER, owners=owners)
    assert [table for table in sa.inspect(engine).get_table_names() if OWNER.owns(table)] == []
    runner.upgrade(blank_database_url, owners)
    assert runner.differences(blank_database_url, OWNER, owners) == []
    engine.dispose()


def test_foreign_keys_cascade_or_are_set_null() -> None:
    keys = [
        (name, key.parent.name, key.ondelete)
        for name, table in Base.metadata.tables.items()
        if OWNER.owns(name)
        for key in table.foreign_keys
    ]
    part_of = {"customer_id": "CASCADE", "user_id": "CASCADE"}
    expected = [(name, column, part_of.get(column, "SET NULL")) for name, column, _rule in keys]
    participant = ("contact_tracking_participant", "interaction_id")
    assert sorted(keys) == sorted((*one[:2], "CASCADE") if one[:2] == participant else one for one in expected)
