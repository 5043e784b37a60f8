"""Contacts, follow-ups and client books of the sample chain, the same each time."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking import service
from regulars_contact_tracking.demo_words import SIZES, TALKS, WISHES, Talk
from regulars_contact_tracking.models import Client, Detail, DetailKind, Every, Plan, Rank, follow_ups, interactions, participants
from regulars_plugin_api.bulk import insert_rows, reserve_ids
from regulars_plugin_api.db import customers, stores, users
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.services import Crm

SEED = 20_261_122
LAST_DAY = dt.date(2026, 11, 21)
DAYS = 420
CUSTOMERS_AT_ONCE = 1000
BOOK = 24
STILL_DUE = (-6, -2, 1, 3, 10)
"""When what each member of staff still has to do is due, in days from the last one: no more than home shows."""
_CONTACT = (
    *("id", "uid", "customer_id", "channel", "direction", "at", "business_date", "store_id", "text", "outcome", "words", "version"),
    *("created_at", "created_by_id"),
)
_STEP = (
    *("id", "uid", "customer_id", "interaction_id", "what", "channel", "due_on", "assignee_id", "store_id", "done_at", "done_by_id"),
    *("outcome", "created_at", "created_by_id"),
)


class Buyer(NamedTuple):
    """A customer as the sample needs one."""

    id: int
    language: str | None
    store_id: int | None
    joined_at: dt.datetime


class Contact(NamedTuple):
    """A contact to be written, with the day its next step is due; ``is_done`` once that was taken."""

    buyer: Buyer
    talk: Talk
    at: dt.datetime
    day: dt.date
    user_id: int | None
    due_on: dt.date | None
    is_done: bool


def fill(crm: Crm, size: str) -> None:
    """Contacts of most customers, follow-ups of some, and a client book for each member of staff; as many as there are customers."""
    with crm.read() as session:
        zones = {row.id: ZoneInfo(row.timezone) for row in session.execute(sa.select(stores.c.id, stores.c.timezone))}
        staff = session.scalars(sa.select(users.c.id).where(users.c.active).order_by(users.c.id)).all()
        about = (customers.c.id, customers.c.language, customers.c.store_id, customers.c.created_at)
        query = sa.select(*about).where(customers.c.kind == "person")
        buyers = [Buyer(*row) for row in session.execute(query.order_by(customers.c.id))]
    chance, still_open = random.Random(SEED), Counter[int | None]()  # noqa: S311 - the same each time, and no secret
    for start in range(0, len(buyers), CUSTOMERS_AT_ONCE):
        chunk = buyers[start : start + CUSTOMERS_AT_ONCE]
        contacts = [one for buyer in chunk for one in _contacts(chance, buyer, zones, staff, crm.timezone, still_open)]
        with crm.transaction() as session:
            _insert(session, contacts, crm.clock.now())
    with crm.transaction() as session:
        _fill_books(session, chance, buyers, staff)


def _contacts(
    chance: random.Random,
    buyer: Buyer,
    zones: Mapping[int, ZoneInfo],
    staff: Sequence[int],
    zone: ZoneInfo,
    still_open: Counter[int | None],
) -> Iterator[Contact]:
    talks = TALKS.get(buyer.language or "", TALKS["en"])
    known_for = min(DAYS, (LAST_DAY - buyer.joined_at.date()).days)
    for talk in chance.sample(talks, min(len(talks), int(chance.expovariate(1 / 1.6)))):
        day = LAST_DAY - dt.timedelta(days=int(known_for * chance.random() ** 2))
        clock = dt.time(chance.randint(9, 18), chance.randint(0, 59))
        at = dt.datetime.combine(day, clock, zones.get(buyer.store_id or 0, zone)).astimezone(dt.UTC)
        user_id = chance.choice(staff) if staff else None
        due_on = day + dt.timedelta(days=chance.randint(3, 14)) if talk[4] and chance.random() < 0.6 else None
        is_open = due_on is not None and (LAST_DAY - day).days < 14 and still_open[user_id] < len(STILL_DUE)
        if is_open:
            due_on = max(day + dt.timedelta(days=1), LAST_DAY + dt.timedelta(days=STILL_DUE[still_open[user_id]]))
            still_open[user_id] += 1
        elif due_on is not None and due_on > LAST_DAY:
            due_on = None
        yield Contact(buyer, talk, at, day, user_id, due_on, not is_open)


def _insert(session: Session, contacts: Sequence[Contact], now: dt.datetime) -> None:
    ids = reserve_ids(session, interactions, len(contacts))
    rows = []
    for row_id, one in zip(ids, contacts, strict=True):
        channel, direction, text, outcome, _next = one.talk
        about = (row_id, uuid7(), one.buyer.id, channel, direction, one.at, one.day, one.buyer.store_id)
        rows.append((*about, text, outcome, service.words(text, outcome), 1, now, one.user_id))
    insert_rows(session, interactions, _CONTACT, rows)
    took_part = [(row_id, one.user_id) for row_id, one in zip(ids, contacts, strict=True) if one.user_id is not None]
    insert_rows(session, participants, ("interaction_id", "user_id"), took_part)
    steps = [(row_id, one) for row_id, one in zip(ids, contacts, strict=True) if one.due_on is not None]
    step_ids = reserve_ids(session, follow_ups, len(steps))
    insert_rows(
        session,
        follow_ups,
        _STEP,
        [_step(step_id, interaction_id, one, now) for step_id, (interaction_id, one) in zip(step_ids, steps, strict=True)],
    )


def _step(step_id: int, interaction_id: int, one: Contact, now: dt.datetime) -> tuple[Any, ...]:
    assert one.due_on is not None
    about = (step_id, uuid7(), one.buyer.id, interaction_id, one.talk[4], "phone", one.due_on, one.user_id, one.buyer.store_id)
    done_at = dt.datetime.combine(one.due_on, dt.time(10, 15), dt.UTC) if one.is_done else None
    return (*about, done_at, one.user_id if one.is_done else None, one.talk[3] if one.is_done else None, now, one.user_id)


def _fill_books(session: Session, chance: random.Random, buyers: Sequence[Buyer], staff: Sequence[int]) -> None:
    chosen = chance.sample(buyers, min(len(buyers), BOOK * len(staff)))
    for place, buyer in enumerate(chosen):
        owner = staff[place % len(staff)]
        session.add(Client(customer_id=buyer.id, user_id=owner, rank=Rank.PRIMARY, star=chance.random() < 0.2))
        for kind, things in ((DetailKind.SIZE, SIZES), (DetailKind.WISH, WISHES)):
            if chance.random() < 0.5:
                title, value = chance.choice(things)
                session.add(Detail(customer_id=buyer.id, kind=kind, title=title, value=value or None))
    for owner in staff:
        session.add(Plan(user_id=owner, what="Say hello", every=3, unit=Every.MONTHS, starts_on=dt.date(2026, 12, 1)))
    session.flush()
