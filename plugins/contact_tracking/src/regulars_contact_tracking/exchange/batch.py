"""A batch of contacts on its way into the database: matched, added and changed in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking import forms, models, service
from regulars_contact_tracking.events import InteractionsImported
from regulars_contact_tracking.exchange import people
from regulars_contact_tracking.exchange.work import HEAD, SAID, STEP, TOLD, Key, Work
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import FollowUp, Interaction
from regulars_plugin_api.bulk import insert_rows, reserve_ids, staged, update_rows
from regulars_plugin_api.db import BigInt, CodeText
from regulars_plugin_api.events import emit
from regulars_plugin_api.exchange import ImportContext, Outcome, Record, Rejected
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.matching import resolve

if TYPE_CHECKING:
    from regulars_contact_tracking.exchange.importing import InteractionRow

interactions: sa.Table = Interaction.__table__
follow_ups: sa.Table = FollowUp.__table__


class InteractionBatch:
    """One batch."""

    def __init__(self, session: Session, batch: Sequence[Record], context: ImportContext) -> None:
        self.session, self.batch, self.context = session, batch, context
        self.works: dict[Key, Work] = {}
        self.staff = people.Staff(session)

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
        work = self.works.get(key)
        fields = {name: getattr(row, name) for name in HEAD} | dict(row.said) | self._person(row, work)
        self._refuse_as_forms_do(row, work)
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

    def _person(self, row: InteractionRow, work: Work | None) -> dict[str, Any]:
        words = row.said.get("person")
        if words is None:
            return {}
        is_same = work is not None and people.names(words) == people.names(work.shown)
        return {"person": work.fields["person"] if work and is_same else self.staff.settled(words)}

    def _refuse_as_forms_do(self, row: InteractionRow, work: Work | None) -> None:
        # What is kept already may come back as it went out, whatever is refused today.
        if forms.lies_ahead(row.at, self.context.at) and (work is None or work.fields["at"] != row.at):
            raise Rejected("at", "in_future", forms.IN_FUTURE)
        if work is None and not row.said.keys() & set(TOLD):
            raise Rejected("text", "blank", forms.NOTHING_SAID)

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
        steps, took_part = self._steps(found), people.of_staff(self.session, found)
        for row in sorted(found.values(), key=lambda one: one.id):
            fields = {name: getattr(row, name) for name in (*HEAD, *SAID)}
            shown = row.person or ", ".join(name for name, _email in took_part.get(row.id, ()))
            fields["person"] = row.person or people.in_words(email for _name, email in took_part.get(row.id, ())) or None
            look = (row.at, row.channel, row.direction, row.subject, row.text)
            key: Key = ("number", row.number) if row.number else ("look", row.customer_id, *look)
            step_id, step = steps.get(row.id, (None, {}))
            self.works.setdefault(key, Work(row.id, row.customer_id, row.number, fields, step_id, step, shown=shown))

    def _steps(self, ids: Iterable[int]) -> dict[int, tuple[int, dict[str, Any]]]:
        columns = [follow_ups.c[name] for name in STEP]
        with staged(self.session, {"id": BigInt}, ((one,) for one in ids)) as stage:
            query = sa.select(follow_ups.c.interaction_id, follow_ups.c.id, *columns)
            query = query.join_from(stage, follow_ups, follow_ups.c.interaction_id == stage.c.id).order_by(follow_ups.c.id.desc())
            # A contact has one next step; should there be more, its first is meant.
            return {of: (step_id, dict(zip(STEP, step, strict=True))) for of, step_id, *step in self.session.execute(query)}

    def _write(self) -> None:
        new = [work for work in self.works.values() if work.id is None]
        changed = {work.id: work for work in self.works.values() if work.id is not None and work.was}
        ids = reserve_ids(self.session, interactions, len(new))
        rows = []
        for row_id, work in zip(ids, new, strict=True):
            work.id = row_id
            fields = work.fields | {"person": self.staff.others(work.fields["person"])}
            source = self.context.source if work.number else None
            about = (row_id, uuid7(), work.customer_id, source, work.number)
            rows.append((*about, *_cells(fields, (*HEAD, *SAID)), _words(fields), 1, self.context.at))
        columns = ("id", "uid", "customer_id", "source", "number", *HEAD, *SAID, "words", "version", "created_at")
        insert_rows(self.session, models.interactions, columns, rows)
        people.add(self.session, {row_id: work.fields["person"] for row_id, work in zip(ids, new, strict=True)}, self.staff)
        self._update(changed)
        journal = self.context.journal
        journal.created(interactions.name, ids)
        journal.updated(interactions.name, self._changes(changed))
        for row_id in ids:
            self.context.seen.first_time(interactions.name, row_id)
        self._write_steps()
        if new or changed:
            created = ((ids[0], ids[-1]),) if new else ()
            updated = tuple(changed)
            emit(self.session, InteractionsImported(run_id=self.context.run_id, created=created, updated=updated))

    def _update(self, changed: Mapping[int, Work]) -> None:
        columns = (*HEAD, "store_id", *TOLD)
        moved = [(row_id, *_cells(work.fields, columns), _words(work.fields)) for row_id, work in changed.items()]
        update_rows(self.session, models.interactions, (*columns, "words"), moved)
        said = {row_id: work.fields["person"] for row_id, work in changed.items() if "person" in work.was}
        people.replace(self.session, said, self.staff)

    def _changes(self, changed: Mapping[int, Work]) -> Iterator[tuple[int, str, Any, Any]]:
        for row_id, work in changed.items():
            for name, old in work.was.items():
                new = work.fields[name]
                if name == "person":
                    # What is kept in words is empty before and after where both are of staff: undo needs to be told who they were.
                    new = self.staff.others(new)
                    old = people.NOBODY if old is None and new is None else old
                yield row_id, name, _plain(old), _plain(new)

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


def _nobody(ambiguous: bool) -> Rejected:
    if ambiguous:
        return Rejected("customer_external_id", "ambiguous_match", _("Several customers share this e-mail or phone."))
    return Rejected("customer_external_id", "unknown_customer", _("There is no such customer. Import the customers first."))


def _cells(fields: Mapping[str, Any], columns: Iterable[str]) -> list[Any]:
    return [_plain(fields[name]) for name in columns]


def _words(fields: Mapping[str, Any]) -> str:
    return service.words(fields["subject"], fields["text"], fields["outcome"])


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)
