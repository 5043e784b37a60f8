"""What came of calls is written down: delivered, tried again later, or parked."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.i18n import Text
from regulars_plugin_api.services import Crm
from regulars_webhooks.i18n import _
from regulars_webhooks.models import Attempt, Delivery, Endpoint, State
from regulars_webhooks.sending.call import Outcome
from regulars_webhooks.sending.queue import PATIENCE

FIRST_WAIT = dt.timedelta(seconds=10)
LONGEST_WAIT = dt.timedelta(hours=6)


def settle(crm: Crm, results: Sequence[tuple[Delivery, Outcome]], tries: int) -> None:
    """Write down results, all in one transaction. What was lost to somebody else meanwhile, or removed, is left alone."""
    with crm.transaction() as session:
        ids = sorted({delivery.endpoint_id for delivery, _outcome in results})
        locked = sa.select(Endpoint).where(Endpoint.id.in_(ids)).order_by(Endpoint.id).with_for_update()
        endpoints = {one.id: one for one in session.scalars(locked)}
        ours = sa.select(Delivery).where(Delivery.id.in_([delivery.id for delivery, _outcome in results]), Delivery.state == State.WAITING)
        held = {one.id: one for one in session.scalars(ours.order_by(Delivery.id).with_for_update())}
        parked, gone = set(), set()
        for sent, outcome in sorted(results, key=lambda result: result[0].id):
            delivery = held.get(sent.id)
            if delivery is not None and delivery.fence == sent.fence:
                endpoint = endpoints[delivery.endpoint_id]
                if _write(session, endpoint, delivery, outcome, tries):
                    parked.add(endpoint)
                if outcome.is_gone and endpoint.active:
                    endpoint.active, endpoint.gone_at = False, session.info["at"]
                    endpoint.version += 1
                    gone.add(endpoint)
        for endpoint in parked - gone:
            _tell(crm, session, endpoint, "parked", _("Webhooks: %(title)s does not take in what it is sent.", title=endpoint.title))
        for endpoint in gone:
            _tell(crm, session, endpoint, "gone", _("Webhooks: %(title)s was switched off, for it says it is gone.", title=endpoint.title))


def _write(session: Session, endpoint: Endpoint, delivery: Delivery, outcome: Outcome, tries: int) -> bool:
    """Write down one result; whether something was parked."""
    now = session.info["at"]
    about = {"milliseconds": outcome.milliseconds, "status": outcome.status, "problem": outcome.problem, "answer": outcome.answer}
    session.add(Attempt(delivery_id=delivery.id, at=now, **about))
    delivery.attempts += 1
    delivery.fence = delivery.leased_until = None
    if outcome.is_taken:
        delivery.state = State.DELIVERED
        endpoint.failures, endpoint.retry_at = 0, None
        return False
    delivery.due_at = now + _pause(delivery.attempts)
    endpoint.failures += 1
    if endpoint.failures >= PATIENCE:
        endpoint.retry_at = now + _pause(endpoint.failures - PATIENCE + 1)
    if outcome.rest is not None:
        delivery.due_at = max(delivery.due_at, now + outcome.rest)
        endpoint.retry_at = max(endpoint.retry_at or now, now + outcome.rest)
    if endpoint.failures > PATIENCE + tries and delivery.attempts == 1:
        # Old ones may all be to blame themselves, and are parked one by one. A new one that is not taken in either says it is the endpoint.
        is_news = endpoint.parked_at is None
        endpoint.parked_at = endpoint.parked_at or now
        return is_news
    if delivery.attempts >= tries:
        delivery.state = State.PARKED
        return True
    return False


def _pause(failures: int) -> dt.timedelta:
    longest: dt.timedelta = min(FIRST_WAIT * 2 ** min(failures - 1, 30), LONGEST_WAIT)
    return longest * random.uniform(0.5, 1.5)  # noqa: S311 - spreads tries


def _tell(crm: Crm, session: Session, endpoint: Endpoint, what: str, text: Text) -> None:
    """Tell those who can do something about it, once a day at most."""
    key = f"webhooks:{what}:{endpoint.id}:{session.info['at'].date()}"
    crm.notices.tell(session, crm.notices.holders(session, "webhooks.manage"), key, text, f"/webhooks/{endpoint.id}", icon="plug-connected")
