"""How long the event log is kept: by default for ever, since a plugin that comes later may want the history."""

from __future__ import annotations

import datetime as dt
import time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.bus.models import DONE, Delivery, Event, Subscription
from regulars_core.crm import Crm
from regulars_plugin_api.views import SYSTEM

PAUSE = 3600.0
BATCH = 1000


class EventRetention:
    """A runner for the worker: an hour after the last time, removes what ``REGULARS_EVENTS_KEEP_DAYS`` lets go, batch by batch."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, crm: Crm) -> bool:
        """One batch, if it is time; whether there may be more."""
        if crm.config.events_keep_days is None or time.monotonic() < self._next:
            return False
        if let_go(crm, dt.timedelta(days=crm.config.events_keep_days)) == BATCH:
            return True
        self._next = time.monotonic() + PAUSE
        return False


def let_go(crm: Crm, keep: dt.timedelta) -> int:
    """Remove at most a batch of events older than ``keep``, with their deliveries; how many.

    What somebody has still to be told stays, dead letters too. So do all events of a type that a handler may want again: one that asks
    for the history, or one whose plugin is off and can't be asked.
    """
    asking = {event.type for one in crm.jobs.handlers().values() if one.replay for event in one.events}
    with crm.transaction(SYSTEM, "retention") as session:
        wanted = asking | _of_absent(crm, session)
        old = sa.select(Event.id).where(Event.at < crm.clock.now() - keep, Event.type.not_in(sorted(wanted)))
        open_ = sa.exists().where(Delivery.event_id == Event.id, Delivery.state != DONE)
        ids = session.scalars(old.where(~open_).order_by(Event.id).limit(BATCH)).all()
        for table, column in ((Delivery, Delivery.event_id), (Event, Event.id)):
            session.execute(sa.delete(table).where(column.in_(ids)).execution_options(synchronize_session=False))
    return len(ids)


def _of_absent(crm: Crm, session: Session) -> set[str]:
    subscribed = session.execute(sa.select(Subscription.plugin, Subscription.type))
    return {kind for plugin, kind in subscribed if not crm.plugins.is_enabled(plugin)}
