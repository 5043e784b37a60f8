"""Many rows at once: their ids, and their values on the way to the driver."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from regulars_core.customers.models import Tag
from regulars_plugin_api.bulk import FIRST_WRITE, insert_rows, reserve_ids, staged
from regulars_plugin_api.db import UtcDateTime
from regulars_testkit.crm import CrmHarness

TAG = Tag.__table__


@pytest.fixture
def session(crm: CrmHarness) -> Iterator[Session]:
    with crm.transaction() as session:
        yield session


def test_ids_are_given_out_once_and_the_database_counts_on_from_them(session: Session) -> None:
    first, second = reserve_ids(session, TAG, 2), reserve_ids(session, TAG, 1)
    assert FIRST_WRITE not in session.info, "nobody has to wait yet"
    ids = [*first, *second]
    assert ids == sorted(set(ids))
    insert_rows(session, TAG, ("id", "name"), zip(ids, "abc", strict=True))
    insert_rows(session, TAG, ("name",), [("d",)])
    third = reserve_ids(session, TAG, 1)
    insert_rows(session, TAG, ("id", "name"), [(third[0], "e")])
    names = session.scalars(sa.select(Tag.name).order_by(Tag.id)).all()
    assert names == list("abcde")


def test_values_reach_the_database_as_their_column_keeps_them(session: Session) -> None:
    at = dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC)
    elsewhere = at.astimezone(dt.timezone(dt.timedelta(hours=8)))
    rows = [(at, at.date(), 1), (elsewhere, None, True), (None, at.date(), None), (at.replace(microsecond=7), at.date(), [1])]
    with staged(session, {"at": UtcDateTime(), "day": sa.Date(), "any": sa.JSON()}, rows) as stage:
        found = [tuple(row) for row in session.execute(sa.select(stage))]
    assert [repr(row) for row in found] == [repr((row[0] and row[0].astimezone(dt.UTC), *row[1:])) for row in rows]


def test_an_instant_without_its_offset_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="needs its offset"), staged(session, {"at": UtcDateTime()}, [(dt.datetime(2026, 3, 1),)]):
        raise AssertionError("it was staged")


def test_what_fails_while_rows_are_staged_is_what_is_told_and_can_be_tried_again(session: Session) -> None:
    def staged_names() -> list[str]:
        with staged(session, {"name": sa.Text()}, [("a",)]) as stage:
            return list(session.scalars(sa.select(stage.c.name)))

    with pytest.raises(DBAPIError, match="nowhere"), session.begin_nested():  # noqa: SIM117 - the savepoint outlasts the stage
        with staged(session, {"name": sa.Text()}, [("b",)]):
            session.execute(sa.text("SELECT 1 FROM nowhere"))
    assert staged_names() == ["a"]
    with pytest.raises(LookupError), staged(session, {"name": sa.Text()}, [("c",)]):
        raise LookupError
    assert staged_names() == ["a"]
