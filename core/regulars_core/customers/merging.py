"""Two customers become one, and two again.

Every foreign key that the database reports is re-pointed. What was replaced on the way is kept in the merge's ``image``: steps of
one column each, and single values, both taken back in reverse.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit.journal import BulkJournal, as_json, from_json
from regulars_core.customers import consents, naming, search
from regulars_core.customers.merges import CustomerMerge
from regulars_core.customers.models import Consent, Customer, CustomerAddress, CustomerEmail, CustomerPhone
from regulars_core.privacy import moving
from regulars_core.privacy.tables import counts, references, saved
from regulars_plugin_api.errors import Conflict, NotAllowedYet, NotFound
from regulars_plugin_api.events import CustomersMerged, CustomersUnmerged, CustomerUpdated, emit
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.manifest import Merge

if TYPE_CHECKING:
    from regulars_core.crm import Crm

FILLED = ("first_name", "last_name", "birthday", "gender", "language", "notes", "store_id")
RECENT = dt.timedelta(hours=1)
_MODELS: dict[str, Any] = {one.__tablename__: one for one in (Customer, CustomerEmail, CustomerPhone, CustomerAddress, Consent)}


def merge(crm: Crm, session: Session, keep_id: int, drop_id: int) -> int:
    """Make ``drop_id`` part of ``keep_id``; the number of the merge. Raises ``NotFound``, ``NotAllowedYet``, ``PluginFailed``."""
    keep, drop = _both(session, keep_id, drop_id)
    record = CustomerMerge(keep_id=keep.id, drop_id=drop.id, actor_id=session.info["actor_id"], at=session.info["at"])
    record.owed = [
        name for name, tables in saved(session).items() if name not in crm.plugins.loaded and any(one.merge is Merge.HOOK for one in tables)
    ]
    session.add(record)
    session.flush()
    with _because(session, f"merge:{record.id}") as journal:
        crm.bus.collect(hooks.customers_merging, crm=crm, session=session, keep_id=keep.id, drop_id=drop.id)
        values = _Values(session)
        changed = _fill(values, keep, drop)
        settled = _settle(values, keep, drop)
        session.flush()
        steps = [step for one in references(session) if (step := moving.move(session, one, keep.id, drop.id, journal))]
        drop.merged_into_id = keep.id
        keep.updated_at = session.info["at"]
        record.image = {"values": values.noted, "steps": steps}
        session.flush()
    session.expire_all()
    search.reindex(session, [keep.id, drop.id])
    emit(session, CustomersMerged(customer_id=keep.id, dropped_id=drop.id))
    consents.tell(session, keep.id, settled)
    if changed:
        emit(session, CustomerUpdated(customer_id=keep.id, uid=keep.uid, changed=tuple(sorted(changed))))
    return record.id


def unmerge(crm: Crm, session: Session, merge_id: int) -> None:
    """Take a merge back; what was changed since stays. Raises ``NotFound``, ``NotAllowedYet``, ``PluginFailed``."""
    record = session.get(CustomerMerge, merge_id, with_for_update=True)
    if record is None:
        raise NotFound(_("There is no such merge."))
    keep, drop = _locked(session, record.keep_id, record.drop_id)
    _refuse_unmerge(session, record, keep, drop)
    _pay(crm, session, record)
    image = record.image or {}
    with _because(session, f"unmerge:{record.id}") as journal:
        drop.merged_into_id = None
        keep.updated_at = record.undone_at = session.info["at"]
        session.flush()
        for step in reversed(image["steps"]):
            moving.move_back(session, step, keep.id, drop.id, journal)
        session.expire_all()
        _Values(session).take_back(image["values"])
        _refold(keep)
        session.flush()
        told = {"id": record.id, "keep_id": keep.id, "drop_id": drop.id, "image": image}
        crm.bus.collect(hooks.customers_unmerging, crm=crm, session=session, merge=told)
    session.expire_all()
    search.reindex(session, [keep.id, drop.id])
    emit(session, CustomersUnmerged(customer_id=keep.id, restored_id=drop.id))


def settle(crm: Crm) -> None:
    """Let plugins that are back do their part of merges made while their package was gone."""
    waiting = sa.select(CustomerMerge).where(CustomerMerge.undone_at.is_(None), sa.cast(CustomerMerge.owed, sa.Text) != "[]")
    with crm.read() as session:
        if not any(name in crm.plugins.loaded for record in session.scalars(waiting) for name in record.owed):
            return
    with crm.transaction(cause="worker") as session:
        for record in session.scalars(waiting.order_by(CustomerMerge.id).with_for_update()):
            _pay(crm, session, record)


def sweep(crm: Crm) -> None:
    """Bring after what an import, which had matched just before the merge, has hung on the one that was dropped just after it."""
    recent = sa.select(CustomerMerge).where(CustomerMerge.undone_at.is_(None), CustomerMerge.at > crm.clock.now() - RECENT)
    with crm.read() as session:
        late = [one.id for one in session.scalars(recent) if counts(session, one.drop_id)]
    for merge_id in late:
        with crm.transaction(cause="worker") as session:
            record = session.get_one(CustomerMerge, merge_id, with_for_update=True)
            if record.image is None or record.undone_at is not None:
                continue
            keep_id, drop_id = record.keep_id, record.drop_id
            with _because(session, f"merge:{record.id}") as journal:
                steps = [step for one in references(session) if (step := moving.move(session, one, keep_id, drop_id, journal))]
                if steps:
                    crm.bus.collect(hooks.customers_merging, crm=crm, session=session, keep_id=keep_id, drop_id=drop_id)
                    record.image = record.image | {"steps": [*record.image["steps"], *steps]}


def filled(keep: Any, drop: Any) -> dict[str, Any]:
    """The fields that ``keep`` lacks and gets from ``drop``. A name that only stood in for one gives way, too."""
    found = {name: getattr(drop, name) for name in FILLED if getattr(keep, name) is None and getattr(drop, name) is not None}
    contacts = {one.address for one in keep.emails} | {one.number for one in keep.phones}
    if keep.display_name in contacts and drop.display_name not in contacts:
        found["display_name"] = drop.display_name
    return found


class _Values:
    """Changes single values and notes what they were."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.noted: list[tuple[str, int, str, str | None, str | None]] = []

    def put(self, row: Any, name: str, value: Any) -> None:
        """Change one value."""
        old, new = (as_json(getattr(one, "value", one)) for one in (getattr(row, name), value))
        if old != new:
            self.noted.append((row.__tablename__, row.id, name, old, new))
            setattr(row, name, value)

    def take_back(self, noted: Sequence[Any]) -> None:
        """Give old values back where they are still what was put there."""
        for table, row_id, name, old, new in reversed(noted):
            row = self.session.get(_MODELS[table], row_id)
            kind = _MODELS[table].__table__.c[name].type
            if row is not None and getattr(row, name) == from_json(new, kind):
                setattr(row, name, from_json(old, kind))


def _fill(values: _Values, keep: Customer, drop: Customer) -> set[str]:
    found = filled(keep, drop)
    for name, value in found.items():
        values.put(keep, name, value)
    _refold(keep)
    for mine, theirs in ((keep.emails, drop.emails), (keep.phones, drop.phones), (keep.addresses, drop.addresses)):
        after = max((one.position for one in mine), default=-1) + 1
        for row in theirs:
            values.put(row, "position", row.position + after)
    return set(found)


def _settle(values: _Values, keep: Customer, drop: Customer) -> list[Consent]:
    """Where both said something about a channel, what counts is written to the one that stays."""
    said = {one.channel: one for one in drop.consents}
    settled = []
    for mine in keep.consents:
        theirs = said.get(mine.channel)
        if theirs is not None and consents.overrides(theirs, mine):
            for name in ("state", "given_on", "source", "recorded_at"):
                values.put(mine, name, getattr(theirs, name))
            settled.append(mine)
    known = {one.channel for one in keep.consents}
    return settled + [one for one in drop.consents if one.channel not in known]


def _refold(customer: Customer) -> None:
    names = customer.display_name, customer.first_name, customer.last_name
    customer.fold_name, customer.fold_first, customer.fold_last = naming.folded(*names)


def _both(session: Session, keep_id: int, drop_id: int) -> tuple[Customer, Customer]:
    meant = sa.select(Customer.id, sa.func.coalesce(Customer.merged_into_id, Customer.id)).where(Customer.id.in_((keep_id, drop_id)))
    ids = {row[0]: row[1] for row in session.execute(meant)}
    if keep_id not in ids or drop_id not in ids:
        raise NotFound(_("There is no such customer."))
    if ids[keep_id] == ids[drop_id]:
        raise NotAllowedYet(_("These are one customer already."))
    keep, drop = _locked(session, ids[keep_id], ids[drop_id])
    for one in (keep, drop):
        if one.merged_into_id is not None:
            raise Conflict
        if one.deleted_at is not None:
            raise NotAllowedYet(_("%(name)s is in the trash: take it out first.", name=one.display_name))
    if keep.kind is not drop.kind:
        raise NotAllowedYet(_("Only customers of one kind can be merged: give both the same kind first."))
    return keep, drop


def _locked(session: Session, keep_id: int, drop_id: int) -> tuple[Customer, Customer]:
    both = sa.select(Customer).where(Customer.id.in_((keep_id, drop_id))).order_by(Customer.id).with_for_update()
    found = {one.id: one for one in session.scalars(both.execution_options(populate_existing=True))}
    if len(found) != 2:
        raise NotFound(_("There is no such customer."))
    return found[keep_id], found[drop_id]


def _refuse_unmerge(session: Session, record: CustomerMerge, keep: Customer, drop: Customer) -> None:
    if record.undone_at is not None:
        raise NotAllowedYet(_("This merge has been taken back already."))
    if record.image is None:
        raise NotAllowedYet(_("This customer was erased: the merge can't be taken back."))
    later = sa.select(CustomerMerge.id).where(
        CustomerMerge.keep_id == keep.id, CustomerMerge.id > record.id, CustomerMerge.undone_at.is_(None)
    )
    if drop.merged_into_id != keep.id or session.scalar(later.limit(1)) is not None:
        raise NotAllowedYet(_("%(name)s was merged again later: take that back first.", name=keep.display_name))


def _pay(crm: Crm, session: Session, record: CustomerMerge) -> None:
    back = [name for name in record.owed if name in crm.plugins.loaded]
    for name in back:
        crm.bus.ask(name, hooks.customers_merging, crm=crm, session=session, keep_id=record.keep_id, drop_id=record.drop_id)
    if back:
        record.owed = [name for name in record.owed if name not in back]


@contextmanager
def _because(session: Session, cause: str) -> Iterator[BulkJournal]:
    before, session.info["cause"] = session.info["cause"], cause
    journal = BulkJournal()
    yield journal
    session.flush()
    journal.write(session, actor_id=session.info["actor_id"], cause=cause, at=session.info["at"])
    session.info["cause"] = before
