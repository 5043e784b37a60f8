"""The log of deliveries: reading it, sending again, leaving out, forgetting. Functions take a session and never commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.errors import NotAllowedYet, NotFound
from regulars_webhooks import endpoints
from regulars_webhooks.i18n import _
from regulars_webhooks.models import Attempt, Delivery, State

FORGOTTEN_AT_ONCE = 2000


@dataclass(frozen=True)
class Which:
    """Deliveries of one endpoint: of a state, a type, of events between two instants (the second not among them)."""

    state: State | None = None
    type: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def clauses(self, endpoint_id: int) -> list[sa.ColumnElement[bool]]:
        """The same as SQL."""
        found = [Delivery.endpoint_id == endpoint_id]
        if self.state is not None:
            found.append(Delivery.state == self.state)
        if self.type is not None:
            found.append(Delivery.type == self.type)
        if self.since is not None:
            found.append(Delivery.at >= self.since)
        if self.until is not None:
            found.append(Delivery.at < self.until)
        return found


def listed(session: Session, endpoint_id: int, which: Which, *, before: int | None = None, limit: int = 50) -> Sequence[Delivery]:
    """Deliveries to an endpoint, newest first, those before the id ``before``."""
    place = [] if before is None else [Delivery.id < before]
    found = sa.select(Delivery).where(*which.clauses(endpoint_id), *place)
    return session.scalars(found.order_by(Delivery.id.desc()).limit(limit)).all()


def last_tries(session: Session, delivery_ids: Sequence[int]) -> dict[int, Attempt]:
    """The last try of each of these deliveries."""
    last = sa.select(sa.func.max(Attempt.id)).where(Attempt.delivery_id.in_(delivery_ids)).group_by(Attempt.delivery_id)
    return {one.delivery_id: one for one in session.scalars(sa.select(Attempt).where(Attempt.id.in_(last)))}


def get(session: Session, endpoint_id: int, delivery_id: int) -> Delivery:
    """One delivery. Raises ``NotFound``."""
    found = session.get(Delivery, delivery_id)
    if found is None or found.endpoint_id != endpoint_id:
        raise NotFound(_("There is no such delivery; the log may have forgotten it."))
    return found


def attempts(session: Session, delivery_id: int, limit: int = 100) -> Sequence[Attempt]:
    """Tries of a delivery, the newest first."""
    return session.scalars(sa.select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id.desc()).limit(limit)).all()


def replay(session: Session, endpoint_id: int, which: Which) -> int:
    """Send deliveries again, in their order, with the ids they had; how many. What waits is sent sooner. Raises ``NotFound``."""
    return _again(session, endpoint_id, which.clauses(endpoint_id))


def replay_one(session: Session, endpoint_id: int, delivery_id: int) -> None:
    """Send one delivery again. Raises ``NotFound``."""
    get(session, endpoint_id, delivery_id)
    _again(session, endpoint_id, [Delivery.id == delivery_id])


def _again(session: Session, endpoint_id: int, clauses: Sequence[sa.ColumnElement[bool]]) -> int:
    endpoint = endpoints.get(session, endpoint_id, to_change=True)
    fresh = {"state": State.WAITING, "attempts": 0, "due_at": session.info["at"], "fence": None, "leased_until": None}
    again = sa.update(Delivery).where(*clauses).values(**fresh).returning(Delivery.id)
    count = len(session.scalars(again.execution_options(synchronize_session=False)).all())
    endpoints.wake(session, endpoint)
    return count


def skip(session: Session, endpoint_id: int, delivery_id: int) -> None:
    """Leave out a delivery that was parked; what waits behind it is sent. Raises ``NotFound``, ``NotAllowedYet``."""
    endpoint = endpoints.get(session, endpoint_id, to_change=True)
    delivery = get(session, endpoint_id, delivery_id)
    if delivery.state is not State.PARKED:
        raise NotAllowedYet(_("Only what was parked can be left out."))
    delivery.state = State.SKIPPED
    endpoints.wake(session, endpoint)


def forget(session: Session, before: dt.datetime) -> int:
    """Drop deliveries of events older than ``before``, some at a time; how many."""
    old = sa.select(Delivery.id).where(Delivery.at < before).order_by(Delivery.at).limit(FORGOTTEN_AT_ONCE)
    gone = sa.delete(Delivery).where(Delivery.id.in_(old)).returning(Delivery.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())
