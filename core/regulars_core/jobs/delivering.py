"""Telling handlers: what a handler changes and that it was told are one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from regulars_core.acting import acting_as
from regulars_core.bus.eventlog import LoopStopped
from regulars_core.bus.models import READY, Delivery, Event
from regulars_core.jobs.leases import Limits, fail, finish, give_back, held
from regulars_plugin_api.contributions import EventHandler, LeasedBatch
from regulars_plugin_api.events import Delivered
from regulars_plugin_api.views import SYSTEM

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)


@dataclass
class _Task:
    id: int
    handler: EventHandler
    event: Delivered[Any]
    error: BaseException | None = None

    @property
    def cause(self) -> str:
        return f"event:{self.event.event_uid}"

    @property
    def depth(self) -> int:
        return self.event.depth + 1


def deliver(crm: Crm, batch: LeasedBatch, handlers: dict[str, EventHandler], limits: Limits) -> None:
    """Run a leased batch. Calls to the outside come first, at least once; then effects and ``done`` together, exactly once."""
    tasks, orphans = _tasks(crm, batch, handlers)
    if orphans:
        with crm.transaction(SYSTEM, "worker") as session:
            give_back(session, Delivery, sorted(held(session, Delivery, LeasedBatch(tuple(orphans), batch.fence))))
    for task in tasks:
        _outside(crm, task)
    rest = tasks
    while rest:
        with crm.transaction(SYSTEM, "worker") as session:
            rest = _apply_some(session, batch, rest, limits)


def _tasks(crm: Crm, batch: LeasedBatch, handlers: dict[str, EventHandler]) -> tuple[list[_Task], list[int]]:
    ours = sa.and_(Delivery.id.in_(batch.ids), Delivery.fence == batch.fence, Delivery.state == READY)
    with crm.read() as session:
        rows = session.execute(sa.select(Delivery, Event).join(Event, Event.id == Delivery.event_id).where(ours).order_by(Event.id)).all()
    tasks, orphans = [], []
    for delivery, event in rows:
        handler = handlers.get(delivery.handler)
        kind = next((one for one in handler.events if one.type == event.type), None) if handler else None
        if handler is None or kind is None:
            # Its plugin was switched off, or no longer wants this type, between claim and now.
            orphans.append(delivery.id)
            continue
        delivered = Delivered(
            id=f"{event.uid}:{delivery.handler}",
            body=kind.from_payload(event.payload),
            event_uid=event.uid,
            at=event.at,
            actor=event.actor,
            cause=event.cause,
            depth=event.depth,
            attempt=delivery.attempts + 1,
        )
        tasks.append(_Task(delivery.id, handler, delivered))
    return tasks, orphans


def _outside(crm: Crm, task: _Task) -> None:
    if task.handler.outside is None:
        return
    try:
        with acting_as(SYSTEM, task.cause, task.depth):
            task.handler.outside(crm, task.event)
    except Exception as error:
        task.error = error


def _apply_some(session: Session, batch: LeasedBatch, tasks: Sequence[_Task], limits: Limits) -> list[_Task]:
    """Apply for as long as one transaction should last; what remains."""
    began = time.monotonic()
    ours = held(session, Delivery, batch)
    rest = [task for task in tasks if task.id in ours]
    done: list[int] = []
    while rest and time.monotonic() - began < limits.hold.total_seconds():
        task = rest.pop(0)
        _apply(session, task)
        if task.error is None:
            done.append(task.id)
            continue
        log.error("an event handler failed", handler=task.handler.name, event_uid=task.event.event_uid, exc_info=task.error)
        reason, hopeless = f"{type(task.error).__name__}: {task.error}", isinstance(task.error, LoopStopped)
        fail(session, Delivery, task.id, task.event.attempt, reason, session.info["at"], limits, hopeless=hopeless)
    finish(session, Delivery, done)
    return rest


def _apply(session: Session, task: _Task) -> None:
    if task.error is not None or task.handler.apply is None:
        return
    session.info.update(cause=task.cause, depth=task.depth)
    try:
        with acting_as(SYSTEM, task.cause, task.depth), session.begin_nested():
            task.handler.apply(session, task.event)
    except Exception as error:
        task.error = error
