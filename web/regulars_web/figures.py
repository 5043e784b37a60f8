"""Figures of work in the background, for the doctor, monitoring and pages: a constant number of statements, and none over what is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.models import DEAD, READY, Delivery
from regulars_core.exchange.models import ImportRun, RunState
from regulars_core.jobs.models import JobSlot

NONE = dt.timedelta(0)
_OPEN_IMPORTS = (RunState.WAITING, RunState.RUNNING, RunState.UNDOING, RunState.STOPPED)

_Counted = sa.Select[Any, Any, Any, Any]


@dataclass(frozen=True)
class HandlerLag:
    """What one handler has still to do, and what it gave up. ``lag`` is how long the oldest of what is due has been due."""

    handler: str
    waiting: int
    dead: int
    lag: dt.timedelta


def handler_lag(session: Session, now: dt.datetime) -> list[HandlerLag]:
    """Every handler with something waiting or dead, by name."""
    of, no_time = Delivery.handler, sa.cast(sa.null(), Delivery.due_at.type)
    nought: sa.ColumnClause[int] = sa.literal_column("0", sa.Integer)
    waiting: _Counted = sa.select(of, sa.func.count(), nought, sa.func.min(Delivery.due_at)).where(_is(Delivery, READY)).group_by(of)
    given_up: _Counted = sa.select(of, nought, sa.func.count(), sa.func.min(no_time)).where(_is(Delivery, DEAD)).group_by(of)
    rows = session.execute(sa.union_all(waiting, given_up))
    found: dict[str, HandlerLag] = {}
    for name, ready_ones, dead_ones, due_at in rows:
        before = found.get(name, HandlerLag(name, 0, 0, NONE))
        lag = max(now - due_at, NONE) if due_at is not None else NONE
        found[name] = HandlerLag(name, before.waiting + ready_ones, before.dead + dead_ones, max(before.lag, lag))
    return sorted(found.values(), key=lambda one: one.handler)


def open_jobs(session: Session) -> Mapping[tuple[str, str], int]:
    """(job, state) -> number of runs that wait or were given up."""
    counted: list[sa.Select[Any, Any, Any]] = [
        sa.select(JobSlot.job, sa.literal_column(f"'{state}'"), sa.func.count()).where(_is(JobSlot, state)).group_by(JobSlot.job)
        for state in (READY, DEAD)
    ]
    return {(job, state): count for job, state, count in session.execute(sa.union_all(*counted))}


def open_imports(session: Session) -> Mapping[str, int]:
    """State -> number of imports that have not ended."""
    counted = sa.select(ImportRun.state, sa.func.count()).where(ImportRun.state.in_(_OPEN_IMPORTS)).group_by(ImportRun.state)
    return {state.value: count for state, count in session.execute(counted)}


def _is(table: type[Delivery] | type[JobSlot], state: str) -> sa.ColumnElement[bool]:
    # As literals: the partial indexes have them so.
    return sa.literal_column(f"{table.__tablename__}.state") == sa.literal_column(f"'{state}'")
