"""Asking for the run that sends: when there is something to send, or when there will be."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.services import Crm, crm_of
from regulars_webhooks.models import SendingRun
from regulars_webhooks.sending import queue

JOB = "webhooks.send"
LOST = dt.timedelta(minutes=10)


def ask_for_run(session: Session, at: dt.datetime) -> None:
    """See to it that a run begins at ``at`` or sooner. One that is under way sees what this transaction writes."""
    row = lock(session)
    is_lost = row.due_at is not None and row.due_at < session.info["at"] - LOST
    if row.due_at is None or row.due_at > at or is_lost:
        row.key, row.due_at = uuid7(), at
        crm_of(session).jobs.start(session, JOB, row.key, due_at=at)
        session.flush()


def end_run(session: Session, key: str, next_at: dt.datetime | None) -> None:
    """Note that the run ``key`` is over, and ask for the one of what is due next. If a sooner one was asked for, that goes on."""
    row = lock(session)
    if row.key != key:
        return
    row.key = row.due_at = None
    session.flush()
    if next_at is not None:
        ask_for_run(session, next_at)


def ask_for_rest(crm: Crm) -> None:
    """See to it that what is to be sent, now or later, has a run that comes in time."""
    with crm.transaction() as session:
        if (at := queue.next_at(session)) is not None:
            ask_for_run(session, at)


def lock(session: Session) -> SendingRun:
    """The row of the run, so that nobody else asks or ends meanwhile."""
    return session.get_one(SendingRun, JOB, with_for_update=True, populate_existing=True)
