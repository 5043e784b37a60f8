"""Telling handlers: what a handler changes and that it was told are one transaction."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from regulars_core.acting import acting_as
from regulars_core.bus.eventlog import LoopStopped
from regulars_core.bus.models import Delivery, Event
from regulars_core.jobs.leases import Limits, fail, finish, give_back, held, ours
from regulars_plugin_api.contributions import EventHandler, LeasedBatch
from regulars_plugin_api.events import Delivered
from regulars_plugin_api.views import SYSTEM

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)
_EVENT = (Event.uid, Event.type, Event.payload, Event.at, Event.actor, Event.cause, Event.depth)
_DELIVERY = (Delivery.id, Delivery.handler, Delivery.attempts, Delivery.leased_until)
_LEASED = sa.select(*_DELIVERY, *_EVENT).join(Event, Event.id == Delivery.event_id).where(*ours(Delivery)).order_by(Event.id)


@dataclass
class _Task:
    id: int
    handler: EventHandler
    event: Delivered[Any]
    leased_until: dt.datetime
    error: BaseException | None = None

    @property
    def cause(self) -> str:
        return f"event:{self.event.event_uid}"

    @property
    def depth(self) -> int:
        return self.event.depth + 1

    @property
    def holds_back(self) -> bool:
        return self.error is not None and self.handler.in_order


def deliver(crm: Crm, batch: LeasedBatch, handlers: dict[str, EventHandler], limits: Limits) -> None:
    """Run a leased batch. Calls to the outside come first, at least once; then effects and ``done`` together, exactly once.

    What is not begun when the process is told to stop is given back.
    """
    tasks, orphans = _tasks(crm, batch, handlers)
    if tasks and tasks[0].leased_until - crm.clock.now() < limits.lease * 0.8:
        # It waited at an executor: its lease could end before the keeper first renews it.
        crm.jobs.keeper.renew([(Delivery, batch)], limits.lease)
    begun: list[_Task] = []
    for task in tasks:
        if crm.jobs.draining.is_set():
            break
        _outside(crm, task)
        begun.append(task)
        if task.holds_back:
            break
    orphans += [task.id for task in tasks[len(begun) :]]
    if orphans:
        with crm.transaction(SYSTEM, "worker") as session:
            give_back(session, Delivery, sorted(held(session, Delivery, LeasedBatch(tuple(orphans), batch.fence))))
    rest = begun
    while rest:
        with crm.transaction(SYSTEM, "worker") as session:
            rest = _apply_some(session, batch, rest, limits)


def _tasks(crm: Crm, batch: LeasedBatch, handlers: dict[str, EventHandler]) -> tuple[list[_Task], list[int]]:
    with crm.read() as session:
        rows = session.execute(_LEASED, {"ids": batch.ids, "by": batch.fence}).all()
    tasks, orphans = [], []
    for row in rows:
        handler = handlers.get(row.handler)
        kind = next((one for one in handler.events if one.type == row.type), None) if handler else None
        if handler is None or kind is None:
            # Its plugin was switched off, or no longer wants this type, between claim and now.
            orphans.append(row.id)
            continue
        delivered = Delivered(
            id=f"{row.uid}:{row.handler}",
            body=kind.from_payload(row.payload),
            event_uid=row.uid,
            at=row.at,
            actor=row.actor,
            cause=row.cause,
            depth=row.depth,
            attempt=row.attempts + 1,
        )
        tasks.append(_Task(row.id, handler, delivered, row.leased_until))
    return tasks, orphans


def _outside(crm: Crm, task: _Task) -> None:
    if task.handler.outside is None:
        return
    try:
        with acting_as(SYSTEM, task.cause, task.depth):
            task.handler.outside(crm, task.event)
    except BaseException as error:
        task.error = error


def _apply_some(session: Session, batch: LeasedBatch, tasks: Sequence[_Task], limits: Limits) -> list[_Task]:
    """Apply for as long as one transaction should last; what remains."""
    still = held(session, Delivery, batch)
    mine = [task for task in tasks if task.id in still]
    count = _apply_together(session, mine, limits) or _apply_apart(session, mine, limits)
    finish(session, Delivery, [task.id for task in mine[:count] if task.error is None])
    for task in mine[:count]:
        if task.error is not None:
            _note_failure(session, task, limits)
    if any(task.holds_back for task in mine[:count]):
        give_back(session, Delivery, [task.id for task in mine[count:]])
        return []
    return mine[count:]


def _apply_together(session: Session, tasks: Sequence[_Task], limits: Limits) -> int:
    """Apply in one savepoint, which is several times quicker; how many. If one fails, none is kept, and the answer is 0."""
    if any(task.error for task in tasks):
        return 0
    began, count = time.monotonic(), 0
    try:
        with session.begin_nested():
            for task in tasks:
                _apply(session, task)
                count += 1
                if time.monotonic() - began > limits.hold.total_seconds():
                    break
    except BaseException:
        # The one to blame is found, and told of, when each is tried apart.
        return 0
    return count


def _apply_apart(session: Session, tasks: Sequence[_Task], limits: Limits) -> int:
    """Apply each in a savepoint of its own, so that one that fails takes back its own effects only; how many were tried."""
    began = time.monotonic()
    for count, task in enumerate(tasks, 1):
        if task.error is None:
            try:
                with session.begin_nested():
                    _apply(session, task)
            except BaseException as error:
                task.error = error
        if task.holds_back or time.monotonic() - began > limits.hold.total_seconds():
            return count
    return len(tasks)


def _apply(session: Session, task: _Task) -> None:
    if task.handler.apply is not None:
        session.info.update(cause=task.cause, depth=task.depth)
        with acting_as(SYSTEM, task.cause, task.depth):
            task.handler.apply(session, task.event)
            session.flush()


def _note_failure(session: Session, task: _Task, limits: Limits) -> None:
    log.error("an event handler failed", handler=task.handler.name, event_uid=task.event.event_uid, exc_info=task.error)
    reason, hopeless = f"{type(task.error).__name__}: {task.error}", isinstance(task.error, LoopStopped)
    fail(session, Delivery, task.id, task.event.attempt, reason, session.info["at"], limits, hopeless=hopeless)
