"""The columns that plugins may join with are those that core's tables have."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

import regulars_core.models  # noqa: F401 - every table of core
from regulars_plugin_api import db

PUBLIC = {name: table for name, table in vars(db).items() if isinstance(table, sa.TableClause) and not isinstance(table, sa.Table)}


def test_there_are_public_columns() -> None:
    assert {"customers", "stores", "users"} <= PUBLIC.keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_each_is_a_column_of_core_of_that_kind(name: str) -> None:
    own = db.Base.metadata.tables[PUBLIC[name].name]
    promised = {column.name: column.type._type_affinity for column in PUBLIC[name].columns}
    assert promised == {column: own.c[column].type._type_affinity for column in promised}
