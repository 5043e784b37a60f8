"""Contacts: writing them down, reading them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from regulars_contact_tracking import follow_ups
from regulars_contact_tracking.events import InteractionLogged
from regulars_contact_tracking.exchange.people import in_words
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, Direction, Interaction, Participant
from regulars_contact_tracking.records import Draft, InteractionView, Person
from regulars_plugin_api.bulk import journaling
from regulars_plugin_api.db import read_rows, stores, users
from regulars_plugin_api.errors import Conflict, Forbidden, InvalidInput, NotAllowedYet, NotFound
from regulars_plugin_api.events import emit
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.services import Crm
from regulars_plugin_api.values import fold
from regulars_plugin_api.views import CustomerView, Viewer

MOST_CHOICES = 200
_INTERACTION = sa.select(*Interaction.__table__.c, stores.c.name.label("store")).outerjoin(stores, stores.c.id == Interaction.store_id)
# Made once: every customer's page asks them.
_INTERACTIONS_BY_ID = (
    _INTERACTION.add_columns(users.c.id.label("user_id"), users.c.name.label("user_name"))
    .outerjoin(Participant, Participant.interaction_id == Interaction.id)
    .outerjoin(users, users.c.id == Participant.user_id)
    .where(Interaction.id.in_(sa.bindparam("wanted", expanding=True)))
    .order_by(users.c.name, users.c.id)
)
_TOLD = (Interaction.id, Interaction.channel, Interaction.direction, Interaction.subject, Interaction.text, Interaction.outcome)
SAID = _INTERACTIONS_BY_ID.with_only_columns(*_TOLD, Interaction.person, stores.c.name.label("store"), users.c.name.label("user_name"))
"""What a line of the history says of each contact, once for each member of staff who took part."""


def log(
    session: Session, customer: CustomerView, draft: Draft, *, by: Viewer, now: dt.datetime, zone: ZoneInfo, uid: str | None = None
) -> int:
    """Write down a contact with its next step and return its id.

    ``uid`` is what the form calls it: what was sent twice is written down once. ``zone`` is the chain's, for contacts without a store.
    The viewer's access to the customer is the caller's to settle. Raises ``InvalidInput``.
    """
    if uid is not None and (known := _sent_before(session, uid, customer.id)) is not None:
        return known
    store_id = draft.store_id if draft.store_id is not None else home_of(customer, by)
    at = draft.at or now
    people = _known_people(session, draft.people)
    row = Interaction(
        uid=uid or uuid7(),
        customer_id=customer.id,
        channel=draft.channel,
        direction=draft.direction,
        at=at,
        business_date=at.astimezone(zone_of(session, store_id, by) or zone).date(),
        store_id=store_id,
        person=draft.person,
        subject=draft.subject,
        text=draft.text,
        outcome=draft.outcome,
        words=words(draft.subject, draft.text, draft.outcome),
        created_at=now,
        created_by_id=by.user_id,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        # The same form, sent a second time while the first was on its way.
        known = _sent_before(session, uid or "", customer.id)
        if known is None:
            raise
        return known
    session.add_all(Participant(interaction_id=row.id, user_id=user_id) for user_id in people)
    if draft.next_step is not None:
        follow_ups.add(session, customer.id, draft.next_step, by=by, now=now, store_id=store_id, interaction_id=row.id)
    emit(
        session,
        InteractionLogged(customer_id=customer.id, interaction_id=row.id, channel=draft.channel.value, direction=draft.direction.value),
    )
    return row.id


def edit(session: Session, interaction_id: int, draft: Draft, *, by: Viewer, zone: ZoneInfo, version: int | None = None) -> None:
    """Change what a contact says. ``version``, if given, must be the current one. Raises ``InvalidInput``, ``NotFound``, ``Conflict``."""
    row = _row(session, interaction_id, locked=True)
    if version is not None and version != row.version:
        raise Conflict
    row.channel, row.direction, row.at = draft.channel, draft.direction, draft.at or row.at
    row.store_id = draft.store_id
    row.business_date = row.at.astimezone(zone_of(session, row.store_id, by) or zone).date()
    row.subject, row.text, row.outcome = draft.subject, draft.text, draft.outcome
    row.words = words(draft.subject, draft.text, draft.outcome)
    wanted = set(_known_people(session, draft.people))
    there = {one.user_id: one for one in session.scalars(sa.select(Participant).where(Participant.interaction_id == row.id))}
    session.add_all(Participant(interaction_id=row.id, user_id=user_id) for user_id in sorted(wanted - there.keys()))
    for user_id in there.keys() - wanted:
        session.delete(there[user_id])
    session.flush()
    if wanted != there.keys():
        _note_people(session, row.id, there.keys(), wanted)


def _note_people(session: Session, interaction_id: int, old: Collection[int], new: Collection[int]) -> None:
    # Rows without an id of their own are in no journal, and undo of an import tells by it whether somebody has been at a contact.
    emails = {one.id: one.email for one in session.execute(sa.select(users.c.id, users.c.email).where(users.c.id.in_([*old, *new])))}
    before, after = (in_words(emails[user_id] for user_id in people) for people in (old, new))
    with journaling(session) as journal:
        journal.updated(Interaction.__tablename__, [(interaction_id, "person", before, after)])


def delete(session: Session, interaction_id: int) -> None:
    """Take a contact out of the history; its next step stays. Raises ``NotFound``."""
    session.delete(_row(session, interaction_id))
    session.flush()


def interactions_by_id(session: Session, ids: Collection[int]) -> Mapping[int, InteractionView]:
    """Contacts by id, whosoever they are."""
    rows, people = {}, defaultdict[int, list[Person]](list)
    for row in read_rows(session, _INTERACTIONS_BY_ID, {"wanted": list(ids)}):
        rows[row.id] = row
        if row.user_id is not None:
            people[row.id].append((row.user_id, row.user_name))
    return {row_id: _view(row, tuple(people[row_id])) for row_id, row in rows.items()}


def said_of(session: Session, ids: Collection[int]) -> Mapping[int, tuple[Any, Sequence[str]]]:
    """Rows of ``SAID`` by contact, with the names of staff who took part."""
    found: dict[int, tuple[Any, list[str]]] = {}
    for row in read_rows(session, SAID, {"wanted": list(ids)}):
        people = found.setdefault(row.id, (row, []))[1]
        if row.user_name is not None:
            people.append(row.user_name)
    return found


def interaction(session: Session, interaction_id: int) -> InteractionView:
    """One contact. Raises ``NotFound``. Whether the viewer may see its customer is the caller's to settle."""
    found = interactions_by_id(session, [interaction_id])
    if interaction_id not in found:
        raise NotFound(_("There is no such contact."))
    return found[interaction_id]


@dataclass(frozen=True)
class Query:
    """Which contacts to list; None is all. The days are business days, both included."""

    customer_id: int | None = None
    channel: Channel | None = None
    direction: Direction | None = None
    store_id: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None


def listed(
    session: Session, viewer: Viewer, wanted: Query, *, after: tuple[Any, ...] | None = None, limit: int = 50
) -> Sequence[InteractionView]:
    """Contacts, newest first, those older than the place (time, id) ``after``: in the viewer's stores, or all of one customer's.

    The viewer's access to that customer is the caller's to settle.
    """
    row = Interaction
    pairs = ((row.channel, wanted.channel), (row.direction, wanted.direction), (row.store_id, wanted.store_id))
    conditions = [column == value for column, value in pairs if value is not None]
    if wanted.customer_id is None:
        conditions.append(in_scope(viewer, row.__table__.c.store_id))
    else:
        conditions.append(row.customer_id == wanted.customer_id)
    if wanted.since is not None:
        conditions.append(row.business_date >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.business_date <= wanted.until)
    if after is not None:
        conditions.append(sa.tuple_(row.at, row.id) < after)
    rows = session.execute(_INTERACTION.where(*conditions).order_by(row.at.desc(), row.id.desc()).limit(limit)).all()
    people = people_of(session, [one.id for one in rows])
    return [_view(one, people.get(one.id, ())) for one in rows]


def seen(
    crm: Crm, session: Session, interaction_id: int, viewer: Viewer, *, to_change: bool = False
) -> tuple[InteractionView, CustomerView]:
    """A contact of a customer whom the viewer may see, and that customer. Raises ``NotFound``, and ``Forbidden`` for changing others'."""
    found = interaction(session, interaction_id)
    customer = crm.customers.seen_by(session, viewer, found.customer_id)
    if to_change and not may_change(found, viewer):
        raise Forbidden(_("Somebody else wrote this down. Ask them, or a manager, to change it."))
    return found, customer


def living(crm: Crm, session: Session, customer_id: int, viewer: Viewer) -> CustomerView:
    """A customer whom the viewer may see, to keep something of. Raises ``NotFound``, and ``NotAllowedYet`` for one in the trash."""
    customer = crm.customers.seen_by(session, viewer, customer_id)
    if customer.deleted:
        raise NotAllowedYet(_("This customer is in the trash. Take it out of there first."))
    return customer


def unknown(
    session: Session, viewer: Viewer, *, store_id: int | None, people: Collection[int], assignee_id: int | None
) -> Mapping[str, Text]:
    """Those fields of a form that name a store or somebody of staff who isn't there, each with a sentence."""
    checks = (
        lambda: zone_of(session, store_id, viewer),
        lambda: _known_people(session, people),
        lambda: assignee_id and follow_ups.somebody(session, assignee_id),
    )
    wrong: dict[str, Text] = {}
    for check in checks:
        try:
            check()
        except InvalidInput as missing:
            wrong |= missing.fields
    return wrong


def may_change(found: InteractionView, viewer: Viewer) -> bool:
    """Whether the viewer wrote it down, or manages those who did."""
    is_mine = viewer.user_id is not None and found.created_by_id == viewer.user_id
    return viewer.may("contact_tracking.manage") or (viewer.may("contact_tracking.log") and is_mine)


def people_of(session: Session, ids: Collection[int]) -> Mapping[int, tuple[Person, ...]]:
    """Who of staff took part in each contact, by name."""
    query = (
        sa.select(Participant.interaction_id, users.c.id, users.c.name)
        .join(users, users.c.id == Participant.user_id)
        .where(Participant.interaction_id.in_(ids))
        .order_by(users.c.name, users.c.id)
    )
    found: dict[int, list[Person]] = defaultdict(list)
    for interaction_id, user_id, name in session.execute(query):
        found[interaction_id].append((user_id, name))
    return {interaction_id: tuple(people) for interaction_id, people in found.items()}


def staff(session: Session) -> Sequence[Person]:
    """Members of staff to choose from."""
    query = sa.select(users.c.id, users.c.name).where(users.c.active).order_by(users.c.name, users.c.id).limit(MOST_CHOICES)
    return [(row.id, row.name) for row in session.execute(query)]


def store_choices(session: Session, viewer: Viewer) -> Sequence[tuple[int, str]]:
    """Stores the viewer may name in a form."""
    query = sa.select(stores.c.id, stores.c.name).where(in_scope(viewer, stores.c.id)).order_by(stores.c.name).limit(MOST_CHOICES)
    return [(row.id, row.name) for row in session.execute(query)]


def home_of(customer: CustomerView, viewer: Viewer) -> int | None:
    """The store a contact belongs to where nobody says: the viewer's only one, else the customer's own, if the viewer sees it."""
    if viewer.store_ids is not None and len(viewer.store_ids) == 1:
        return next(iter(viewer.store_ids))
    return customer.store_id if viewer.store_ids is None or customer.store_id in viewer.store_ids else None


def zone_of(session: Session, store_id: int | None, viewer: Viewer) -> ZoneInfo | None:
    """The zone of a store the viewer sees; None without a store. Raises ``InvalidInput``."""
    if store_id is None:
        return None
    name = session.scalar(sa.select(stores.c.timezone).where(stores.c.id == store_id, in_scope(viewer, stores.c.id)))
    if name is None:
        raise InvalidInput(store=_("There is no such store."))
    return ZoneInfo(name)


def words(*said: str | None) -> str:
    """What of a contact can be searched, folded."""
    return fold(" ".join(part for part in said if part))


def _row(session: Session, interaction_id: int, *, locked: bool = False) -> Interaction:
    row = session.get(Interaction, interaction_id, with_for_update=locked)
    if row is None:
        raise NotFound(_("There is no such contact."))
    return row


def _sent_before(session: Session, uid: str, customer_id: int) -> int | None:
    return session.scalar(sa.select(Interaction.id).where(Interaction.uid == uid, Interaction.customer_id == customer_id))


def _known_people(session: Session, ids: Collection[int]) -> Sequence[int]:
    if not ids:
        return ()
    known = session.scalars(sa.select(users.c.id).where(users.c.id.in_(ids), users.c.active).order_by(users.c.id)).all()
    if len(known) != len(set(ids)):
        raise InvalidInput(people=_("This is nobody of staff."))
    return known


def _view(row: Any, people: tuple[Person, ...]) -> InteractionView:
    """``row`` has the columns of ``_INTERACTION``."""
    return InteractionView(
        id=row.id,
        uid=row.uid,
        customer_id=row.customer_id,
        channel=row.channel,
        direction=row.direction,
        at=row.at,
        business_date=row.business_date,
        store_id=row.store_id,
        store=row.store,
        subject=row.subject,
        text=row.text,
        outcome=row.outcome,
        person=row.person,
        people=people,
        version=row.version,
        created_by_id=row.created_by_id,
        created_at=row.created_at,
    )
