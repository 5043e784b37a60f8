"""The importer of contacts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking import forms, service
from regulars_contact_tracking.exchange import people
from regulars_contact_tracking.exchange.batch import InteractionBatch
from regulars_contact_tracking.exchange.columns import CHANNELS, COLUMNS, DIRECTIONS
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, Direction, FollowUp, Interaction
from regulars_plugin_api import values
from regulars_plugin_api.bulk import delete_rows, staged, update_rows
from regulars_plugin_api.db import BigInt
from regulars_plugin_api.exchange import ImportContext, Importer, Outcome, Record, Rejected, StoreRef, parsed
from regulars_plugin_api.matching import CustomerRef
from regulars_plugin_api.values import Instant

_FLAGS = {
    "repeated_hour": _("The clock showed this hour twice that day, as summer time ended; the first was taken."),
    "skipped_hour": _("The clock skipped this hour that day, as summer time began; it was read as if it had not."),
    "no_time": _("Only a day was given; midnight was taken."),
}
interactions: sa.Table = Interaction.__table__
follow_ups: sa.Table = FollowUp.__table__


class InteractionRow(NamedTuple):
    """A contact as a file has it; ``said`` and ``step`` hold what the file says, by column."""

    number: str | None
    customer: CustomerRef
    channel: Channel
    direction: Direction
    at: dt.datetime
    business_date: dt.date
    said: Mapping[str, Any]
    step: Mapping[str, Any]

    @property
    def look(self) -> tuple[Any, ...]:
        """What tells it from others of the same customer where it has no number."""
        return (self.at, self.channel, self.direction, self.said.get("subject"), self.said.get("text"))


class InteractionImporter(Importer):
    """Contacts, matched by their number, else by customer, time, channel, direction, subject and text."""

    kind = "interaction"
    title = _("Contacts")
    permission = "contact_tracking.import"
    columns = COLUMNS
    root = interactions.name
    tables = (follow_ups.name, people.participants.name, interactions.name)

    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> InteractionRow:
        """Read one row. Raises ``Rejected``."""
        store = _store(row, context)
        at = _moment(row, "at", store, context, number)
        channel = parsed(row, "channel", values.choice, CHANNELS)
        if channel is None:
            raise Rejected("channel", "blank", _("Say how it came about."))
        if at is None:
            raise Rejected("at", "blank", _("A contact needs its time."))
        said = {"store_id": store.id if store else None, "person": parsed(row, "person", forms.line)}
        said |= {name: parsed(row, name, forms.line) for name in ("subject", "outcome")} | {"text": parsed(row, "text", forms.text)}
        step: dict[str, Any] = {
            "what": parsed(row, "next_step", forms.line),
            "due_on": parsed(row, "due_on", values.date, context.date_order),
        }
        if step["what"] and step["due_on"] is None:
            raise Rejected("due_on", "blank", _("Say by which day."))
        done = _moment(row, "done_at", store, context, number)
        step["done_at"] = done and done.at
        return InteractionRow(
            number=parsed(row, "external_id", values.code),
            customer=_customer(row, store, context),
            channel=channel,
            direction=parsed(row, "direction", values.choice, DIRECTIONS) or Direction.OUT,
            at=at.at,
            business_date=at.at.astimezone(store.timezone if store else context.chain_timezone).date(),
            said={name: value for name, value in said.items() if value},
            step={name: value for name, value in step.items() if value} if step["what"] else {},
        )

    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """Match each contact with what is there, or add it."""
        return InteractionBatch(session, batch, context).apply()

    @contextmanager
    def undoing(self, session: Session, deleted: Mapping[str, Sequence[int]], restored: Mapping[str, Sequence[int]]) -> Iterator[None]:
        """Next steps go with their contacts; who took part and what is searched are kept in step with what is said."""
        with staged(session, {"id": BigInt}, ((one,) for one in deleted.get(interactions.name, ()))) as stage:
            going = sa.select(follow_ups.c.id).join_from(stage, follow_ups, follow_ups.c.interaction_id == stage.c.id)
            delete_rows(session, follow_ups, session.scalars(going).all())
        changed = restored.get(interactions.name, ())
        before = _said(session, changed)
        yield
        after = _said(session, changed)
        back = {row_id: one.person for row_id, one in after.items() if one.person != before[row_id].person}
        people.replace(session, back, people.Staff(session))
        words = [(row_id, service.words(one.subject, one.text, one.outcome)) for row_id, one in after.items()]
        update_rows(session, interactions, ("words",), words)


def _said(session: Session, ids: Sequence[int]) -> Mapping[int, Any]:
    said = [interactions.c[name] for name in ("id", "person", "subject", "text", "outcome")]
    with staged(session, {"id": BigInt}, ((one,) for one in ids)) as stage:
        rows = session.execute(sa.select(*said).join_from(stage, interactions, interactions.c.id == stage.c.id))
        return {row.id: row for row in rows}


def _store(row: Mapping[str, str], context: ImportContext) -> StoreRef | None:
    code = parsed(row, "store", values.code)
    if code is None:
        return None
    store = context.stores.get(code)
    if store is None:
        raise Rejected("store", "unknown_store", _("There is no store with the code “%(code)s”. Import the stores first.", code=code))
    return store


def _moment(row: Mapping[str, str], field: str, store: StoreRef | None, context: ImportContext, number: int) -> Instant | None:
    zone = context.timezone or (store.timezone if store else context.chain_timezone)
    found = parsed(row, field, values.instant, context.date_order, zone)
    if found is not None and found.flag is not None:
        context.notes.add(found.flag, _FLAGS[found.flag], number)
    return found


def _customer(row: Mapping[str, str], store: StoreRef | None, context: ImportContext) -> CustomerRef:
    number = parsed(row, "customer_external_id", values.code)
    email = parsed(row, "customer_email", values.email)
    phone = parsed(row, "customer_phone", values.phone, (store.country if store else None) or context.country)
    if not (number or email or phone):
        raise Rejected("customer_external_id", "blank", _("A contact needs its customer's number, e-mail or phone."))
    return CustomerRef(context.source if number else None, number, email and email.match, phone and phone.e164)
