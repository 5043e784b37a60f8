"""What happened becomes deliveries, one for each endpoint that wants to know."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.db import customers, upsert
from regulars_plugin_api.events import Delivered
from regulars_webhooks.models import Delivery, Endpoint, State
from regulars_webhooks.sending.asking import ask_for_run


def note(session: Session, event: Delivered[Any]) -> None:
    """Write down what is to be sent of an event. An endpoint hears of what happened after it was added."""
    there = sa.select(Endpoint.id, Endpoint.types).where(Endpoint.active, Endpoint.created_at <= event.at)
    wanted = [row.id for row in session.execute(there) if not row.types or event.body.type in row.types]
    if not wanted:
        return
    now = session.info["at"]
    # A customer may be gone by now; what happened is told all the same.
    customer = sa.select(customers.c.id).where(customers.c.id == getattr(event.body, "customer_id", None)).scalar_subquery()
    about = {
        "event_id": event.event_uid,
        "type": event.body.type,
        "type_version": event.body.version,
        "at": event.at,
        "subject": event.body.subject,
        "actor": event.actor.partition(":")[0],
        "body": event.body.to_payload(),
        "customer_id": customer,
        "state": State.WAITING,
        "attempts": 0,
        "due_at": now,
    }
    rows = [{"endpoint_id": endpoint_id, **about} for endpoint_id in wanted]
    session.execute(upsert(session, Delivery).values(rows).on_conflict_do_nothing())
    ask_for_run(session, now)
