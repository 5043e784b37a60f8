"""Follow-ups: adding, listing, doing, moving and handing them over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking import reminders
from regulars_contact_tracking.events import FollowUpAdded, FollowUpAssigned, FollowUpClosed
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Client, FollowUp
from regulars_contact_tracking.records import FollowUpView, NextStep
from regulars_plugin_api.db import customers, read_rows, stores, users
from regulars_plugin_api.errors import Conflict, Forbidden, InvalidInput, NotFound
from regulars_plugin_api.events import emit
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer

WHOSE = ("mine", "store", "all")
_LIVING = sa.and_(customers.c.deleted_at.is_(None), customers.c.merged_into_id.is_(None))
_FOLLOW_UP = (
    sa.select(
        *FollowUp.__table__.c, customers.c.display_name.label("customer"), users.c.name.label("assignee"), stores.c.name.label("store")
    )
    .join(customers, customers.c.id == FollowUp.customer_id)
    .outerjoin(users, users.c.id == FollowUp.assignee_id)
    .outerjoin(stores, stores.c.id == FollowUp.store_id)
)
# Made once: every customer's page asks it.
_OPEN_OF = (
    _FOLLOW_UP.where(FollowUp.customer_id == sa.bindparam("customer_id"), FollowUp.done_at.is_(None))
    .order_by(FollowUp.due_on, FollowUp.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


class Position(NamedTuple):
    """A place in the order of open follow-ups."""

    due_on: dt.date
    id: int


def add(
    session: Session,
    customer_id: int,
    step: NextStep,
    *,
    by: Viewer,
    now: dt.datetime,
    store_id: int | None = None,
    interaction_id: int | None = None,
    uid: str | None = None,
) -> int:
    """Add a next step and return its id. ``uid`` is what the form calls it: what was sent twice is added once. Raises ``InvalidInput``."""
    known = session.scalar(sa.select(FollowUp.id).where(FollowUp.uid == uid, FollowUp.customer_id == customer_id)) if uid else None
    if known is not None:
        return known
    assignee_id = by.user_id if step.assignee_id is None else somebody(session, step.assignee_id)
    row = FollowUp(
        uid=uid or uuid7(),
        customer_id=customer_id,
        interaction_id=interaction_id,
        what=step.what,
        channel=step.channel,
        due_on=step.due_on,
        assignee_id=assignee_id,
        store_id=store_id,
        created_at=now,
        created_by_id=by.user_id,
    )
    session.add(row)
    session.flush()
    emit(session, FollowUpAdded(customer_id=customer_id, follow_up_id=row.id, due_on=step.due_on, assignee_id=assignee_id))
    reminders.handed_over(session, row, by)
    return row.id


def open_ones(
    session: Session, viewer: Viewer, today: dt.date, whose: str = "mine", *, after: Position | None = None, limit: int = 50
) -> Sequence[FollowUpView]:
    """Open follow-ups of customers who are not in the trash, the most overdue first.

    ``mine`` are the viewer's own; ``store`` those of the stores the viewer sees by name; ``all`` those and the viewer's own, and for
    who sees the whole chain everybody's.
    """
    query = _FOLLOW_UP.where(FollowUp.done_at.is_(None), _LIVING, _of(viewer, whose))
    if after is not None:
        query = query.where(sa.tuple_(FollowUp.due_on, FollowUp.id) > (after.due_on, after.id))
    found = session.execute(query.order_by(FollowUp.due_on, FollowUp.id).limit(limit))
    return [_view(row, today) for row in found]


def open_of(session: Session, customer_id: int, today: dt.date, *, limit: int = 20) -> Sequence[FollowUpView]:
    """Open follow-ups of a customer, whosoever they are to do."""
    return [_view(row, today) for row in read_rows(session, _OPEN_OF, {"customer_id": customer_id, "most": limit})]


def follow_up(session: Session, follow_up_id: int, viewer: Viewer, today: dt.date) -> FollowUpView:
    """One follow-up. Raises ``NotFound`` where it is none of the viewer's."""
    row = session.execute(_FOLLOW_UP.where(FollowUp.id == follow_up_id, _of(viewer, "all"))).first()
    if row is None:
        raise _no_such()
    return _view(row, today)


def close(session: Session, follow_up_id: int, *, outcome: str | None, by: Viewer, now: dt.datetime) -> None:
    """Note that a follow-up is done and what came of it; to say the same again does nothing. Raises ``NotFound``, ``Conflict``."""
    row = _row(session, follow_up_id, by)
    if row.done_at is not None and (row.done_by_id, row.outcome) == (by.user_id, outcome):
        return
    _refuse_closed(row, by)
    row.done_at, row.done_by_id, row.outcome = now, by.user_id, outcome
    session.flush()
    emit(session, FollowUpClosed(customer_id=row.customer_id, follow_up_id=row.id))


def reopen(session: Session, follow_up_id: int, *, by: Viewer) -> None:
    """Take back that a follow-up was done. Raises ``NotFound``."""
    row = _row(session, follow_up_id, by)
    row.done_at, row.done_by_id, row.outcome = None, None, None
    session.flush()


def move(session: Session, follow_up_id: int, due_on: dt.date, *, by: Viewer) -> None:
    """Do it on another day. Raises ``NotFound``, ``Conflict``."""
    row = _row(session, follow_up_id, by)
    _refuse_closed(row, by)
    row.due_on = due_on
    session.flush()


def assign(session: Session, follow_up_id: int, user_id: int, *, by: Viewer) -> None:
    """Hand a follow-up over. Everybody may hand over their own and take what is nobody's; the rest needs ``contact_tracking.manage``.

    Raises ``Forbidden``, ``InvalidInput``, ``NotFound``, ``Conflict``.
    """
    row = _row(session, follow_up_id, by)
    _refuse_closed(row, by)
    if row.assignee_id not in (None, by.user_id) and not by.may("contact_tracking.manage"):
        raise Forbidden(_("This is somebody else's. Ask a manager to hand it over."))
    row.assignee_id = somebody(session, user_id)
    session.flush()
    emit(session, FollowUpAssigned(customer_id=row.customer_id, follow_up_id=row.id, assignee_id=row.assignee_id))
    reminders.handed_over(session, row, by)


def somebody(session: Session, user_id: int) -> int:
    """``user_id``, if that is one of staff. Raises ``InvalidInput``."""
    if session.scalar(sa.select(users.c.id).where(users.c.id == user_id, users.c.active)) is None:
        raise InvalidInput(assignee=_("This is nobody of staff."))
    return user_id


def _of(viewer: Viewer, whose: str) -> sa.ColumnElement[bool]:
    store_id = FollowUp.__table__.c.store_id
    mine = FollowUp.assignee_id == viewer.user_id
    if whose == "mine":
        return mine
    if whose == "store":
        return in_scope(viewer, store_id)
    return sa.true() if viewer.store_ids is None else sa.or_(mine, in_scope(viewer, store_id))


def _row(session: Session, follow_up_id: int, viewer: Viewer) -> FollowUp:
    row = session.scalar(sa.select(FollowUp).where(FollowUp.id == follow_up_id, _of(viewer, "all")).with_for_update())
    if row is None:
        raise _no_such()
    return row


def _no_such() -> NotFound:
    return NotFound(_("There is no such follow-up."))


def _refuse_closed(row: FollowUp, by: Viewer) -> None:
    if row.done_at is not None:
        mine, theirs = _("You have closed this already."), _("Somebody else has closed this already.")
        raise Conflict(mine if row.done_by_id is not None and row.done_by_id == by.user_id else theirs)


def _view(row: Any, today: dt.date) -> FollowUpView:
    return FollowUpView(
        id=row.id,
        customer_id=row.customer_id,
        customer=row.customer,
        what=row.what,
        channel=row.channel,
        due_on=row.due_on,
        days_late=(today - row.due_on).days,
        assignee=None if row.assignee_id is None else (row.assignee_id, row.assignee),
        store=row.store,
        done_at=row.done_at,
        outcome=row.outcome,
    )


def customers_without(
    session: Session, viewer: Viewer, mine: bool, *, after: int | None = None, limit: int = 50
) -> Sequence[tuple[int, str]]:
    """Prospects and active customers without an open follow-up, newest first, those before the id ``after``: id and name.

    ``mine`` are those in the viewer's client book, else those whose home store the viewer sees, or who have none.
    """
    home = customers.c.store_id
    has_one = sa.exists().where(FollowUp.customer_id == customers.c.id, FollowUp.done_at.is_(None))
    query = sa.select(customers.c.id, customers.c.display_name).where(
        customers.c.status.in_(("prospect", "active")), _LIVING, sa.not_(has_one)
    )
    if mine:
        query = query.where(customers.c.id.in_(sa.select(Client.customer_id).where(Client.user_id == viewer.user_id)))
    else:
        query = query.where(sa.or_(in_scope(viewer, home), home.is_(None)))
    if after is not None:
        query = query.where(customers.c.id < after)
    return [(row.id, row.display_name) for row in session.execute(query.order_by(customers.c.id.desc()).limit(limit))]
