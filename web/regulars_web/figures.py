"""Figures of work in the background, for the doctor, monitoring and pages: a constant number of statements, and none over what is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.models import DEAD, READY
from regulars_core.crm import Crm
from regulars_core.exchange.models import ImportRun, RunState
from regulars_core.jobs.models import JobSlot
from regulars_web.event_desk import HandlerFigures, handlers

_OPEN_IMPORTS = (RunState.WAITING, RunState.RUNNING, RunState.UNDOING, RunState.STOPPED)


def lags(crm: Crm, session: Session) -> list[HandlerFigures]:
    """What each handler of an enabled plugin has still to do; those of others wait on purpose."""
    known = crm.jobs.handlers()
    return [one for one in handlers(session, crm.clock.now()) if one.handler in known]


def open_jobs(session: Session) -> Mapping[tuple[str, str], int]:
    """(job, state) -> number of runs that wait or were given up."""
    # As literals: the partial indexes have them so.
    counted: list[sa.Select[Any, Any, Any]] = [
        sa.select(JobSlot.job, sa.literal_column(f"'{state}'"), sa.func.count())
        .where(sa.literal_column("job_slot.state") == sa.literal_column(f"'{state}'"))
        .group_by(JobSlot.job)
        for state in (READY, DEAD)
    ]
    return {(job, state): count for job, state, count in session.execute(sa.union_all(*counted))}


def open_imports(session: Session) -> Mapping[str, int]:
    """State -> number of imports that have not ended."""
    counted = sa.select(ImportRun.state, sa.func.count()).where(ImportRun.state.in_(_OPEN_IMPORTS)).group_by(ImportRun.state)
    return {state.value: count for state, count in session.execute(counted)}
