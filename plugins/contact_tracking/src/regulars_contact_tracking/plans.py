"""Plans of recurring contacts, and the job that makes follow-ups of them."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Client, Every, FollowUp, Plan, Rank, follow_ups
from regulars_plugin_api.bulk import insert_rows, reserve_ids
from regulars_plugin_api.contributions import JobRun
from regulars_plugin_api.db import customers
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.services import Crm

MADE = ("id", "uid", "customer_id", "plan_id", "slot", "what", "channel", "due_on", "assignee_id", "store_id", "created_at")


def add(session: Session, user_id: int, customer_id: int | None, fields: Mapping[str, Any]) -> int:
    """A new plan of ``user_id``, with one customer or with all their first clients; its id."""
    row = Plan(user_id=user_id, customer_id=customer_id, **fields)
    session.add(row)
    session.flush()
    return row.id


def stop(session: Session, plan_id: int, user_id: int | None, now: dt.datetime) -> None:
    """Let a plan make nothing more; a ``user_id`` stops only their own. What it made stays. Raises ``NotFound``."""
    row = session.get(Plan, plan_id)
    if row is None or (user_id is not None and row.user_id != user_id):
        raise NotFound(_("There is no such plan."))
    row.stopped_at = row.stopped_at or now
    session.flush()


def of_customer(session: Session, customer_id: int) -> Sequence[Plan]:
    """Plans for one customer that go on."""
    return session.scalars(sa.select(Plan).where(Plan.customer_id == customer_id, Plan.stopped_at.is_(None)).order_by(Plan.id)).all()


def of_user(session: Session, user_id: int) -> Sequence[tuple[Plan, str | None]]:
    """Plans of a member of staff that go on, with the name of the customer if it is for one."""
    query = sa.select(Plan, customers.c.display_name).outerjoin(customers, customers.c.id == Plan.customer_id)
    found = session.execute(query.where(Plan.user_id == user_id, Plan.stopped_at.is_(None)).order_by(Plan.id))
    return [(plan, name) for plan, name in found]


def slot_of(plan: Plan, today: dt.date) -> dt.date | None:
    """The latest day the plan names up to ``today``; None before its first."""
    if today < plan.starts_on:
        return None
    if plan.unit is Every.WEEKS:
        step = plan.every * 7
        return plan.starts_on + dt.timedelta(days=(today - plan.starts_on).days // step * step)
    months = (today.year - plan.starts_on.year) * 12 + today.month - plan.starts_on.month
    slot = _months_later(plan.starts_on, months // plan.every * plan.every)
    return slot if slot <= today else _months_later(plan.starts_on, (months // plan.every - 1) * plan.every)


def run(crm: Crm, job_run: JobRun) -> None:
    """Make the follow-ups that are due; whatever runs twice makes them once."""
    today = crm.clock.now().astimezone(crm.timezone).date()
    with crm.read() as session:
        ids = session.scalars(sa.select(Plan.id).where(Plan.stopped_at.is_(None), Plan.starts_on <= today).order_by(Plan.id)).all()
    for plan_id in ids:
        with crm.transaction(cause=f"job:{job_run.job}") as session:
            plan = session.get(Plan, plan_id, with_for_update=True)
            if plan is not None and plan.stopped_at is None:
                make_due(session, plan, today, crm.clock.now())


def make_due(session: Session, plan: Plan, today: dt.date, now: dt.datetime) -> int:
    """The follow-ups of a plan's latest day, for customers who have none of that day and none of the plan open; how many they were."""
    slot = slot_of(plan, today)
    if slot is None:
        return 0
    there = sa.exists().where(
        FollowUp.plan_id == plan.id, FollowUp.customer_id == customers.c.id, sa.or_(FollowUp.slot == slot, FollowUp.done_at.is_(None))
    )
    query = sa.select(customers.c.id, customers.c.store_id).where(
        customers.c.deleted_at.is_(None), customers.c.merged_into_id.is_(None), sa.not_(there)
    )
    if plan.customer_id is not None:
        query = query.where(customers.c.id == plan.customer_id)
    else:
        mine = sa.exists().where(Client.customer_id == customers.c.id, Client.user_id == plan.user_id, Client.rank == Rank.PRIMARY)
        query = query.where(mine)
    found = session.execute(query.order_by(customers.c.id)).all()
    ids = reserve_ids(session, follow_ups, len(found))
    channel = plan.channel.value if plan.channel else None
    rows = [
        (row_id, uuid7(), customer_id, plan.id, slot, plan.what, channel, slot, plan.user_id, store_id, now)
        for row_id, (customer_id, store_id) in zip(ids, found, strict=True)
    ]
    insert_rows(session, follow_ups, MADE, rows)
    return len(rows)


def _months_later(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.month - 1 + months, 12)
    year += day.year
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
