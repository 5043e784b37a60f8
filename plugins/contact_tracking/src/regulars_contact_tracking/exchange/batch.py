"""A batch of contacts on its way into the database: matched, added and changed in a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking import models, service
from regulars_contact_tracking.events import InteractionsImported
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import FollowUp, Interaction, Participant
from regulars_plugin_api.bulk import insert_rows, reserve_ids, staged, update_rows
from regulars_plugin_api.db import BigInt, CodeText, users
from regulars_plugin_api.events import emit
from regulars_plugin_api.exchange import ImportContext, Outcome, Record, Rejected
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.matching import resolve

if TYPE_CHECKING:
    from regulars_contact_tracking.exchange.importing import InteractionRow

SAID = ("store_id", "person", "subject", "text", "outcome")
HEAD = ("channel", "direction", "at", "business_date")
STEP = ("what", "due_on", "done_at")
interactions: sa.Table = Interaction.__table__
follow_ups: sa.Table = FollowUp.__table__
Key = tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Work:
    """A contact a batch works on; ``id`` is None for a new one, ``step_id`` where it has no next step yet."""

    id: int | None
    customer_id: int
    number: str | None
    fields: dict[str, Any]
    step_id: int | None = None
    step: dict[str, Any] = field(default_factory=dict)
    was: dict[str, Any] = field(default_factory=dict)
    step_was: dict[str, Any] = field(default_factory=dict)

    def put(self, fields: Mapping[str, Any], step: Mapping[str, Any], *, only_lacking: bool) -> bool:
        """Take in what a record says; True if that changes anything."""
        changed = _put(self.fields, fields, self.was, only_lacking)
        return _put(self.step, step, self.step_was, only_lacking) or changed


class InteractionBatch:
    """One batch."""

    def __init__(self, session: Session, batch: Sequence[Record], context: ImportContext) -> None:
        self.session, self.batch, self.context = session, batch, context
        self.works: dict[Key, Work] = {}

    def apply(self) -> list[Outcome | Rejected]:
        """One outcome per record, in order."""
        rows: list[InteractionRow] = [record.value for record in self.batch]
        meant = resolve(self.session, {row.customer for row in rows})
        self._load([row.number for row in rows if row.number], {one.customer_id for one in meant.values() if one.customer_id})
        outcomes: list[Outcome | Rejected] = []
        for row in rows:
            found = meant[row.customer]
            try:
                if found.customer_id is None:
                    raise _nobody(found.ambiguous)
                outcomes.append(self._take(row, found.customer_id))
            except Rejected as refusal:
                outcomes.append(refusal)
        self._write()
        return outcomes

    def _take(self, row: InteractionRow, customer_id: int) -> Outcome:
        key: Key = ("number", row.number) if row.number else ("look", customer_id, *row.look)
        fields = {name: getattr(row, name) for name in HEAD} | dict(row.said)
        work = self.works.get(key)
        if work is None:
            if self.context.mode == "update":
                raise Rejected("external_id", "not_found", _("There is no such contact to update."))
            work = self.works[key] = Work(None, customer_id, row.number, dict.fromkeys(SAID) | fields, None, dict(row.step))
            return Outcome.CREATED
        again = work.id is None or not self.context.seen.first_time(interactions.name, work.id)
        if work.customer_id != customer_id:
            raise Rejected("customer_external_id", "other_customer", _("The contact of this number is another customer's."))
        if self.context.mode == "create" and not again:
            raise Rejected("external_id", "already_exists", _("This contact is already here."))
        changed = work.put(fields, row.step, only_lacking=again)
        return Outcome.MERGED if again else Outcome.UPDATED if changed else Outcome.UNCHANGED

    def _load(self, numbers: Iterable[str], customer_ids: Iterable[int]) -> None:
        """The contacts that records may mean: those of these numbers, and those without one of these customers."""
        columns = [interactions.c[name] for name in ("id", "customer_id", "number", *HEAD, *SAID)]
        found: dict[int, Any] = {}
        with staged(self.session, {"number": CodeText}, ((one,) for one in sorted(set(numbers)))) as stage:
            query = sa.select(*columns).join_from(
                stage, interactions, sa.and_(interactions.c.number == stage.c.number, interactions.c.source == self.context.source)
            )
            found |= {row.id: row for row in self.session.execute(query.with_for_update(of=interactions))}
        looked_for = {record.value.at for record in self.batch if not record.value.number}
        with staged(self.session, {"id": BigInt}, ((one,) for one in sorted(customer_ids) if looked_for)) as stage:
            query = sa.select(*columns).join_from(stage, interactions, interactions.c.customer_id == stage.c.id)
            within = interactions.c.at.between(min(looked_for), max(looked_for)) if looked_for else sa.false()
            query = query.where(interactions.c.number.is_(None), within)
            found |= {row.id: row for row in self.session.execute(query.with_for_update(of=interactions))}
        steps, people = self._steps(found), self._people(found)
        for row in sorted(found.values(), key=lambda one: one.id):
            fields = {name: getattr(row, name) for name in (*HEAD, *SAID)}
            fields["person"] = fields["person"] or ", ".join(people[row.id]) or None
            look = (row.at, row.channel, row.direction, row.subject, row.text)
            key: Key = ("number", row.number) if row.number else ("look", row.customer_id, *look)
            step_id, step = steps.get(row.id, (None, {}))
            self.works.setdefault(key, Work(row.id, row.customer_id, row.number, fields, step_id, step))

    def _steps(self, ids: Iterable[int]) -> dict[int, tuple[int, dict[str, Any]]]:
        columns = [follow_ups.c[name] for name in STEP]
        with staged(self.session, {"id": BigInt}, ((one,) for one in ids)) as stage:
            query = sa.select(follow_ups.c.interaction_id, follow_ups.c.id, *columns)
            query = query.join_from(stage, follow_ups, follow_ups.c.interaction_id == stage.c.id).order_by(follow_ups.c.id.desc())
            # A contact has one next step; should there be more, its first is meant.
            return {of: (step_id, dict(zip(STEP, step, strict=True))) for of, step_id, *step in self.session.execute(query)}

    def _people(self, ids: Iterable[int]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        with staged(self.session, {"id": BigInt}, ((one,) for one in ids)) as stage:
            part = Participant.__table__
            query = sa.select(part.c.interaction_id, users.c.name).join_from(stage, part, part.c.interaction_id == stage.c.id)
            query = query.join(users, users.c.id == part.c.user_id).order_by(users.c.name, users.c.id)
            for interaction_id, name in self.session.execute(query):
                found[interaction_id].append(name)
        return found

    def _write(self) -> None:
        new = [work for work in self.works.values() if work.id is None]
        changed = [work for work in self.works.values() if work.id is not None and work.was]
        ids = reserve_ids(self.session, interactions, len(new))
        staff = _staff(self.session) if any(work.fields["person"] for work in new) else {}
        part: list[tuple[int, int]] = []
        rows = []
        for row_id, work in zip(ids, new, strict=True):
            work.id = row_id
            people = _named(work.fields["person"], staff)
            part += [(row_id, one) for one in people]
            fields = work.fields | ({"person": None} if people else {})
            source = self.context.source if work.number else None
            about = (row_id, uuid7(), work.customer_id, source, work.number)
            rows.append((*about, *_cells(fields), _words(fields), 1, self.context.at))
        columns = ("id", "uid", "customer_id", "source", "number", *HEAD, *SAID, "words", "version", "created_at")
        insert_rows(self.session, models.interactions, columns, rows)
        insert_rows(self.session, Participant.__table__, ("interaction_id", "user_id"), part)
        moved = [(work.id, *_cells(work.fields), _words(work.fields)) for work in changed]
        update_rows(self.session, models.interactions, (*HEAD, *SAID, "words"), moved)
        journal = self.context.journal
        journal.created(interactions.name, ids)
        journal.updated(interactions.name, _changes(changed))
        for row_id in ids:
            self.context.seen.first_time(interactions.name, row_id)
        self._write_steps()
        if new or changed:
            created = ((ids[0], ids[-1]),) if new else ()
            updated = tuple(work.id for work in changed if work.id is not None)
            emit(self.session, InteractionsImported(run_id=self.context.run_id, created=created, updated=updated))

    def _write_steps(self) -> None:
        new = [work for work in self.works.values() if work.step and work.step_id is None]
        changed = [work for work in self.works.values() if work.step_id is not None and work.step_was]
        ids = reserve_ids(self.session, follow_ups, len(new))
        rows = []
        for step_id, work in zip(ids, new, strict=True):
            about = (step_id, uuid7(), work.customer_id, work.id, _plain(work.fields["channel"]), work.fields["store_id"])
            rows.append((*about, *(work.step.get(name) for name in STEP), self.context.at))
        columns = ("id", "uid", "customer_id", "interaction_id", "channel", "store_id", *STEP, "created_at")
        insert_rows(self.session, models.follow_ups, columns, rows)
        update_rows(self.session, follow_ups, STEP, [(work.step_id, *(work.step.get(name) for name in STEP)) for work in changed])
        self.context.journal.created(follow_ups.name, ids)
        changes = [(work.step_id, name, old, work.step[name]) for work in changed for name, old in work.step_was.items()]
        self.context.journal.updated(follow_ups.name, [(row_id, *rest) for row_id, *rest in changes if row_id is not None])


def _put(there: dict[str, Any], said: Mapping[str, Any], was: dict[str, Any], only_lacking: bool) -> bool:
    differing = {name: value for name, value in said.items() if there.get(name) != value}
    if only_lacking:
        differing = {name: value for name, value in differing.items() if there.get(name) is None}
    for name, value in differing.items():
        was.setdefault(name, there.get(name))
        there[name] = value
    return bool(differing)


def _changes(changed: Iterable[Work]) -> list[tuple[int, str, Any, Any]]:
    return [(work.id, name, _plain(old), _plain(work.fields[name])) for work in changed if work.id for name, old in work.was.items()]


def _nobody(ambiguous: bool) -> Rejected:
    if ambiguous:
        return Rejected("customer_external_id", "ambiguous_match", _("Several customers share this e-mail or phone."))
    return Rejected("customer_external_id", "unknown_customer", _("There is no such customer. Import the customers first."))


def _staff(session: Session) -> dict[str, int]:
    """Members of staff by e-mail, and by name where only one has it."""
    people = session.execute(sa.select(users.c.id, users.c.name, users.c.email)).all()
    names = defaultdict(list)
    for one in people:
        names[one.name].append(one.id)
    return {name: ids[0] for name, ids in names.items() if len(ids) == 1} | {one.email: one.id for one in people}


def _named(person: str | None, staff: Mapping[str, int]) -> list[int]:
    """The members of staff a cell names; nobody unless it names nobody else."""
    parts = [part.strip() for part in (person or "").split(",")]
    return list(dict.fromkeys(staff[part] for part in parts)) if all(part in staff for part in parts) else []


def _cells(fields: Mapping[str, Any]) -> list[Any]:
    return [_plain(fields[name]) for name in (*HEAD, *SAID)]


def _words(fields: Mapping[str, Any]) -> str:
    return service.words(fields["subject"], fields["text"], fields["outcome"])


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)
