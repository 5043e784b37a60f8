"""The exporter of contacts: what it writes, the importer reads back without a change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking import service
from regulars_contact_tracking.exchange.columns import COLUMNS
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import FollowUp, Interaction
from regulars_plugin_api.db import customers, external_ids, stores
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.exchange import Exporter
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer

PAGE = 1000
PREFERRED_SOURCE = "import"


class InteractionExporter(Exporter):
    """Contacts, in the order they came in."""

    kind = "interaction"
    title = _("Contacts")
    permission = "contact_tracking.export"

    def columns(self, session: Session) -> Sequence[str]:
        """The columns of the importer."""
        return tuple(column.name for column in COLUMNS)

    def rows(self, session: Session, viewer: Viewer, where: Any | None) -> Iterator[Sequence[Any]]:
        """Contacts of stores the viewer may see; a thousand at a time, each page in a constant number of statements."""
        if where is not None:
            raise InvalidInput(filter=_("Contacts can't be filtered."))
        seen = in_scope(viewer, Interaction.__table__.c.store_id)
        query = sa.select(Interaction, stores.c.code, stores.c.timezone).outerjoin(stores, stores.c.id == Interaction.store_id).where(seen)
        names, last = self.columns(session), 0
        while page := session.execute(query.where(Interaction.id > last).order_by(Interaction.id).limit(PAGE)).all():
            ids = [row.id for row, *_store in page]
            numbers = _numbers(session, {row.customer_id for row, *_store in page})
            people, steps = service.people_of(session, ids), _steps(session, ids)
            for row, code, timezone in page:
                cells = {name: getattr(row, name, None) for name in names}
                cells |= {"external_id": row.number, "customer_external_id": numbers[row.customer_id], "store": code}
                cells |= {"channel": row.channel.value, "direction": row.direction.value}
                cells["at"] = row.at.astimezone(ZoneInfo(timezone)) if timezone else row.at
                cells["person"] = row.person or ", ".join(name for _id, name in people.get(row.id, ())) or None
                yield [{**cells, **steps.get(row.id, {})}[name] for name in names]
            last = ids[-1]
            session.expunge_all()


def _numbers(session: Session, ids: Collection[int]) -> Mapping[int, str]:
    """What customers are called in a file: as our own export of customers calls them."""
    by_preference = (external_ids.c.source != PREFERRED_SOURCE, external_ids.c.source, external_ids.c.value)
    query = sa.select(external_ids.c.customer_id, external_ids.c.value).where(external_ids.c.customer_id.in_(ids)).order_by(*by_preference)
    found = dict(session.execute(sa.select(customers.c.id, customers.c.uid).where(customers.c.id.in_(ids))).all())
    found.update(reversed(session.execute(query).all()))
    return found


def _steps(session: Session, ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
    query = sa.select(FollowUp).where(FollowUp.interaction_id.in_(ids)).order_by(FollowUp.id.desc())
    return {
        one.interaction_id: {"next_step": one.what, "due_on": one.due_on, "done_at": one.done_at}
        for one in session.scalars(query)
        if one.interaction_id is not None
    }
