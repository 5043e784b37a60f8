"""What the plugin shows on the platform's own pages: composer, next step, home tile, timeline, search, columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking import clients, follow_ups, plans, service
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, Direction, FollowUp, Interaction, Participant
from regulars_contact_tracking.words import CHANNELS, DETAILS, DIRECTIONS, HAPPENED, ICONS, UNITS
from regulars_plugin_api.contributions import (
    CustomerColumn,
    NavItem,
    Panel,
    Place,
    SearchHit,
    SearchSource,
    TimelineEntry,
    TimelineSource,
    Widget,
)
from regulars_plugin_api.db import customers, read_rows
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.values import fold
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import current_crm

ON_THE_TILE = 6
SEARCHED = 20_000
"""How many of the newest contacts the search box looks through."""
WORDS: Mapping[str, Any] = {"channel_names": CHANNELS, "channel_icons": ICONS, "direction_names": DIRECTIONS, "happened": HAPPENED}

_CONTACTS, _STEPS = Interaction.__table__.c, FollowUp.__table__.c
_WANTED: sa.BindParameter[Any] = sa.bindparam("wanted", expanding=True)
# Made once: lists ask these for every page.
_LAST_ON = (
    sa.select(_CONTACTS.customer_id, sa.func.max(_CONTACTS.business_date))
    .where(_CONTACTS.customer_id.in_(_WANTED))
    .group_by(_CONTACTS.customer_id)
)
_NEXT_ON = (
    sa.select(_STEPS.customer_id, sa.func.min(_STEPS.due_on))
    .where(_STEPS.customer_id.in_(_WANTED), _STEPS.done_at.is_(None))
    .group_by(_STEPS.customer_id)
)


def today() -> dt.date:
    """The chain's day."""
    return current_crm().clock.now().astimezone(current_crm().timezone).date()


def _composer(session: Session, customer: CustomerView, viewer: Viewer) -> Mapping[str, Any]:
    return composer_values(blank_form())


def blank_form() -> dict[str, str]:
    """An empty form, with the token by which it is known should it be sent twice."""
    tomorrow = today() + dt.timedelta(days=1)
    return {"uid": uuid7(), "channel": Channel.PHONE.value, "direction": Direction.OUT.value, "due_on": tomorrow.isoformat()}


def composer_values(given: Mapping[str, str]) -> dict[str, Any]:
    """What the composer's template needs beside the customer."""
    return {"given": given, "channels": CHANNELS, "icons": ICONS, "directions": DIRECTIONS}


def next_step(session: Session, customer: CustomerView, viewer: Viewer) -> Mapping[str, Any]:
    """Open follow-ups of a customer."""
    return {"follow_ups": follow_ups.open_of(session, customer.id, today()), **WORDS}


def client_book(session: Session, customer: CustomerView, viewer: Viewer) -> Mapping[str, Any]:
    """Associates, sizes, wishes, key dates and plans of a customer."""
    people = clients.associates(session, customer.id)
    return {
        "associates": people,
        "my_entry": next((one for one in people if one[0] == viewer.user_id), None),
        "details": clients.details(session, customer.id),
        "detail_names": DETAILS,
        "plans": plans.of_customer(session, customer.id),
        "channels": CHANNELS,
        "units": UNITS,
    }


def _tile(session: Session, viewer: Viewer) -> Mapping[str, Any]:
    found = follow_ups.open_ones(session, viewer, today(), limit=ON_THE_TILE + 1)
    return {"follow_ups": found[:ON_THE_TILE], "there_are_more": len(found) > ON_THE_TILE, **WORDS}


def _happenings(customer_id: Any, at: Any, kind: str, channel: Any, store_id: Any, ref: Any) -> sa.Select[*tuple[Any, ...]]:
    columns = {"customer_id": customer_id, "at": at, "kind": sa.literal(kind), "store_id": store_id, "ref": ref}
    plain = sa.type_coerce(channel, sa.Text).label("channel")
    return sa.select(*(column.label(name) for name, column in columns.items()), plain)


_CONTACTED = _happenings(Interaction.customer_id, Interaction.at, "contact", Interaction.channel, Interaction.store_id, Interaction.id)
_DONE = _happenings(FollowUp.customer_id, FollowUp.done_at, "follow_up", FollowUp.channel, FollowUp.store_id, FollowUp.id).where(
    FollowUp.done_at.is_not(None)
)


def _took_part(ref: sa.ColumnElement[int], user_id: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(Participant.interaction_id == ref, Participant.user_id == user_id)


def _did(ref: sa.ColumnElement[int], user_id: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(FollowUp.id == ref, FollowUp.done_by_id == user_id)


def _say_contacts(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
    found = service.said_of(session, refs)
    return {ref: _entry(one, people) for ref, (one, people) in found.items()}


def _entry(one: Any, people: Sequence[str]) -> TimelineEntry:
    """``one`` has the columns of ``service.SAID``."""
    who = ", ".join([*people, one.person] if one.person else people)
    detail = " · ".join([part for part in (who, one.subject, one.outcome, one.store) if part])
    url = f"/contact_tracking/interactions/{one.id}"
    return TimelineEntry(HAPPENED[one.channel, one.direction], detail, url, one.text or "", ICONS[one.channel])


def _say_done(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
    return {
        row.id: TimelineEntry(
            _("Done: %(what)s", what=row.what), row.outcome or "", f"/contact_tracking/follow-ups/{row.id}", icon="checkbox"
        )
        for row in session.scalars(sa.select(FollowUp).where(FollowUp.id.in_(refs)))
    }


def _search(session: Session, text: str, limit: int, viewer: Viewer) -> Sequence[SearchHit]:
    folded = fold(text).strip()
    if len(folded) < 3:
        return []
    newest = (
        sa.select(Interaction).where(in_scope(viewer, Interaction.__table__.c.store_id)).order_by(Interaction.id.desc()).limit(SEARCHED)
    )
    row = sa.orm.aliased(Interaction, newest.subquery())
    query = (
        sa.select(row, customers.c.display_name)
        .join(customers, customers.c.id == row.customer_id)
        .where(row.words.contains(folded, autoescape=True), customers.c.deleted_at.is_(None))
        .order_by(row.id.desc())
        .limit(limit)
    )
    return [
        SearchHit(name, f"/contact_tracking/interactions/{one.id}", _shortened(one.subject or one.text or one.outcome or ""))
        for one, name in session.execute(query)
    ]


def _shortened(text: str) -> Text:
    return text if len(text) <= 120 else f"{text[:117]}…"


def _last_on(session: Session, ids: Sequence[int], viewer: Viewer) -> Mapping[int, dt.date]:
    return dict(read_rows(session, _LAST_ON, {"wanted": list(ids)}))


def _next_on(session: Session, ids: Sequence[int], viewer: Viewer) -> Mapping[int, dt.date]:
    return dict(read_rows(session, _NEXT_ON, {"wanted": list(ids)}))


# Made once: pages ask for them all the time.
MENU = (
    NavItem(_("Follow-ups"), "contact_tracking.listed", "contact_tracking.view", weight=20, icon="checkbox"),
    NavItem(_("My clients"), "contact_tracking.my_clients", "contact_tracking.log", weight=30, icon="bookmark"),
)
COMPOSER = Panel(_("Write down a contact"), Place.COMPOSER, "contact_tracking/composer.html", _composer)
NEXT_STEP = Panel(_("Next step"), Place.FACT, "contact_tracking/next_step.html", next_step)
CLIENT_BOOK = Panel(_("Client book"), Place.SIDE, "contact_tracking/client.html", client_book, weight=20, lazy=True)
TILE = Widget(_("My follow-ups"), "contact_tracking/tile.html", _tile, "contact_tracking.log", weight=10)
TIMELINE = (
    TimelineSource(
        "contact_tracking.contacts", _("Contacts"), "contact_tracking.view", lambda viewer: _CONTACTED, _say_contacts, _took_part
    ),
    TimelineSource("contact_tracking.follow_ups", _("Follow-ups done"), "contact_tracking.view", lambda viewer: _DONE, _say_done, _did),
)
SEARCH = SearchSource(_("Contacts"), "contact_tracking.view", _search)
COLUMNS = (
    CustomerColumn("contact_tracking.last_on", _("Last contact"), "contact_tracking.view", _last_on),
    CustomerColumn("contact_tracking.next_on", _("Next step"), "contact_tracking.view", _next_on),
)
