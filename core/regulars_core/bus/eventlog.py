"""The durable event log: what happened, and who still has to be told. Written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.acting import actor_ref
from regulars_core.bus.models import READY, Delivery, Event, Subscription
from regulars_plugin_api.contributions import EventHandler
from regulars_plugin_api.db import read_rows
from regulars_plugin_api.errors import NotAllowedYet, NotFound
from regulars_plugin_api.events import DomainEvent
from regulars_plugin_api.i18n import _
from regulars_plugin_api.ids import uuid7

MAX_DEPTH = 20


class LoopStopped(NotAllowedYet):
    """One event led to the next too many times: an automation loop."""


def emit(session: Session, event: DomainEvent) -> None:
    """Log ``event`` and make a delivery for each subscription the database knows now, so that a stale process misses no new handler."""
    info = session.info
    if info["depth"] > MAX_DEPTH:
        raise LoopStopped(_("%(event)s: one event led to the next more than %(count)s times.", event=event.type, count=MAX_DEPTH))
    values = {
        "uid": uuid7(),
        "type": event.type,
        "version": event.version,
        "subject": event.subject,
        "actor": actor_ref(info["actor"]),
        "payload": event.to_payload(),
        "cause": info["cause"],
        "depth": info["depth"],
        "at": info["at"],
    }
    # Only the session knows what became of a row whose savepoint is rolled back; elsewhere it is put in the short way.
    row = Event(**values) if session.in_nested_transaction() else None
    if row is not None:
        session.add(row)
    session.flush()
    told, new = {"kind": event.type, "due": info["at"]}, {f"new_{name}": value for name, value in values.items()}
    if row is not None:
        read_rows(session, _DELIVER_TO_ALL, told | {"event": row.id})
    elif session.get_bind().dialect.name == "postgresql":
        read_rows(session, _LOG_AND_DELIVER, told | new)
    else:
        read_rows(session, _DELIVER_TO_ALL, told | {"event": read_rows(session, _LOG, new)[0].id})
    info["emitted"].append((row, event))


def subscribe(session: Session, plugin: str, handlers: Iterable[EventHandler]) -> None:
    """Make the subscriptions of ``plugin`` those of ``handlers``. New ones that ask for it get the history."""
    if session.get_bind().dialect.name == "postgresql":
        # Waits for whoever is emitting now, so that no event falls between the history and the first live one.
        session.execute(sa.text("LOCK TABLE subscription IN ACCESS EXCLUSIVE MODE"))
    wanted = {(handler.name, event.type): handler.replay for handler in handlers for event in handler.events}
    mine = sa.select(Subscription.handler, Subscription.type).where(Subscription.plugin == plugin)
    known = {(handler, kind) for handler, kind in session.execute(mine)}
    for handler, kind in known - wanted.keys():
        session.execute(sa.delete(Subscription).where(Subscription.handler == handler, Subscription.type == kind))
        # Nobody would take them in: claimed and given back for ever, they would stand in the way of others.
        unwanted = sa.select(Event.id).where(Event.type == kind)
        session.execute(sa.delete(Delivery).where(Delivery.handler == handler, Delivery.state == READY, Delivery.event_id.in_(unwanted)))
    for handler, kind in sorted(wanted.keys() - known):
        session.add(Subscription(handler=handler, type=kind, plugin=plugin))
        session.flush()
        if wanted[handler, kind]:
            _insert_history(session, handler, kind)


def subscriptions_differ(session: Session, plugin: str, handlers: Iterable[EventHandler]) -> bool:
    """Whether ``subscribe`` would change anything; lets a worker start without taking its lock."""
    mine = sa.select(Subscription.handler, Subscription.type).where(Subscription.plugin == plugin)
    return {tuple(row) for row in session.execute(mine)} != {(one.name, event.type) for one in handlers for event in one.events}


def replay(session: Session, handler: str) -> int:
    """Deliver the whole history to ``handler`` once more; how many events that is. Raises ``NotFound``."""
    kinds = session.scalars(sa.select(Subscription.type).where(Subscription.handler == handler)).all()
    if not kinds:
        raise NotFound(_("There is no event handler named %(name)s.", name=handler))
    session.execute(sa.delete(Delivery).where(Delivery.handler == handler, Delivery.state != READY))
    for kind in kinds:
        _insert_history(session, handler, kind)
    counted = sa.select(sa.func.count()).select_from(Delivery).where(Delivery.handler == handler, Delivery.state == READY)
    return session.scalars(counted).one()


def unsubscribe(session: Session, plugin: str) -> None:
    """Forget the subscriptions of ``plugin`` and every delivery to its handlers."""
    # Handlers of former releases have no subscription any more.
    session.execute(sa.delete(Delivery).where(Delivery.handler.startswith(f"{plugin}.", autoescape=True)))
    session.execute(sa.delete(Subscription).where(Subscription.plugin == plugin))


def _insert_history(session: Session, handler: str, kind: str) -> None:
    already = sa.exists().where(Delivery.event_id == Event.id, Delivery.handler == handler)
    past = _deliveries(Event.id, sa.literal(handler), Event.type == sa.bindparam("kind"), ~already)
    session.connection().execute(past, {"kind": kind, "due": session.info["at"]})


def _deliveries(event_id: Any, handler: Any, *wanted: sa.ColumnElement[bool]) -> sa.Insert:
    made = sa.select(event_id, handler, sa.literal(READY), sa.literal(0), sa.bindparam("due", type_=Delivery.due_at.type)).where(*wanted)
    return sa.insert(Delivery).from_select(["event_id", "handler", "state", "attempts", "due_at"], made, include_defaults=False)


# Made once: each change of a customer is told to all who listen.
_columns = [Event.__table__.c[name] for name in ("uid", "type", "version", "subject", "actor", "payload", "cause", "depth", "at")]
_LOG = sa.insert(Event.__table__).values({one: sa.bindparam(f"new_{one.name}", type_=one.type) for one in _columns}).returning(Event.id)
_logged = sa.select(_LOG.cte("logged").c.id).scalar_subquery()
_listens = Subscription.type == sa.bindparam("kind", type_=Subscription.type.type)
_DELIVER_TO_ALL, _LOG_AND_DELIVER = (
    _deliveries(event, Subscription.handler, _listens).returning(Delivery.__table__.c.id)
    for event in (sa.bindparam("event", type_=Event.id.type), _logged)
)
