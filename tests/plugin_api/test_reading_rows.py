"""Rows of plain columns, read past the ORM."""

from __future__ import annotations

import sqlalchemy as sa

from regulars_core.crm import Crm
from regulars_core.customers.models import Tag
from regulars_plugin_api.db import read_rows

NAMES = sa.select(Tag.id, Tag.name).where(Tag.name != sa.bindparam("but")).order_by(Tag.name)


def test_what_was_added_to_the_session_is_among_them(crm: Crm) -> None:
    with crm.transaction() as session:
        session.add_all(Tag(name=name) for name in ("a", "b", "c"))
        assert [row.name for row in read_rows(session, NAMES, {"but": "b"})] == ["a", "c"]
    with crm.read() as session:
        assert read_rows(session, NAMES, {"but": "a"}) == session.execute(NAMES, {"but": "a"}).all()


def test_a_page_that_only_reads_writes_nothing_by_asking(crm: Crm) -> None:
    with crm.transaction() as session:
        session.add(Tag(name="a"))
    with crm.read() as session:
        tag = session.scalars(sa.select(Tag)).one()
        tag.name = "changed by mistake"
        assert [row.name for row in read_rows(session, NAMES, {"but": "b"})] == ["a"]
