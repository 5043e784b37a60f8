"""Writes a batch of imported customers: matched, changed in memory, then put down table by table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from regulars_core.customers import aggregate, naming
from regulars_core.customers.aggregate import ADDRESS_FIELDS, Aggregate, CustomerRow
from regulars_core.customers.matching import Matcher
from regulars_core.customers.models import ConsentState, Kind
from regulars_core.customers.writing import Writer
from regulars_plugin_api.events import CustomersImported, emit
from regulars_plugin_api.exchange import ImportContext, Outcome, Record, Rejected
from regulars_plugin_api.i18n import _


def apply(session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
    """One outcome per record, in order."""
    matcher = Matcher(session, context.source, [record.value for record in batch])
    touched: dict[int, Aggregate] = {}
    outcomes: list[Outcome | Rejected] = []
    updated: dict[int, Aggregate] = {}
    for place, record in enumerate(batch):
        try:
            outcome, customer = _take(record, matcher, context)
        except Rejected as refusal:
            outcomes.append(refusal)
            continue
        outcomes.append(outcome)
        touched[id(customer)] = customer
        if outcome is Outcome.UPDATED:
            updated[place] = customer
    customers = list(touched.values())
    for customer in customers:
        if not customer.is_new:
            customer.forget_what_came_to_nothing()
    for place, customer in updated.items():
        if not customer.is_changed:
            outcomes[place] = Outcome.UNCHANGED
    new = [customer for customer in customers if customer.is_new]
    changed = [customer for customer in customers if not customer.is_new and customer.is_changed]
    writer = Writer(session, context.journal, context.at)
    writer.create(new)
    writer.update(changed)
    for customer in new:
        context.seen.first_time("customer", customer.id or 0)
    _tell(session, context, new, changed)
    return outcomes


def _take(record: Record, matcher: Matcher, context: ImportContext) -> tuple[Outcome, Aggregate]:
    row: CustomerRow = record.value
    customer = matcher.find(row)
    if customer is None:
        if context.mode == "update":
            raise Rejected("external_id", "not_found", _("There is no such customer to update."))
        customer = aggregate.of_new(row, context.source)
        matcher.learn(customer)
        return Outcome.CREATED, customer
    again = customer.is_new or not context.seen.first_time("customer", customer.id or 0)
    if context.mode == "create" and not again:
        raise Rejected("external_id", "already_exists", _("This customer is already here."))
    before = customer.is_changed
    _change(customer, row, record.number, context)
    matcher.learn(customer)
    if again:
        return Outcome.MERGED, customer
    return Outcome.UPDATED if customer.is_changed and not before else Outcome.UNCHANGED, customer


def _change(customer: Aggregate, row: CustomerRow, number: int, context: ImportContext) -> None:
    """What the file says wins; what it does not say stays."""
    if row.consents and customer.fields["kind"] is Kind.HOUSEHOLD:
        raise Rejected(f"consent_{row.consents[0][0]}", "household_consent", _("A household can't consent; its persons can."))
    fields = customer.fields
    wanted = dict(row.fields)
    if "display_name" not in wanted and fields["display_name"] == naming.full_name(fields["first_name"], fields["last_name"]):
        wanted["display_name"] = naming.full_name(
            wanted.get("first_name") or fields["first_name"], wanted.get("last_name") or fields["last_name"]
        )
    for name, value in wanted.items():
        if value is not None and fields[name] != value:
            customer.changed.setdefault(name, fields[name])
            fields[name] = value
    _add_contacts(customer, row, context)
    if row.address is not None:
        now = customer.address if customer.new_address is None else customer.new_address
        merged = tuple(new or old for new, old in zip(row.address, now or (None,) * len(ADDRESS_FIELDS), strict=True))
        if merged != now:
            if customer.is_new:
                customer.address = merged
            else:
                customer.new_address = merged
    missing = set(row.tags) - customer.tags
    customer.tags |= missing
    if not customer.is_new:
        customer.new_tags |= missing
    for channel, state, given_on, source in row.consents:
        _change_consent(customer, channel, state, given_on, source, number, context)


def _add_contacts(customer: Aggregate, row: CustomerRow, context: ImportContext) -> None:
    for email in row.emails:
        if email.match not in customer.emails:
            customer.emails[email.match] = email.as_typed
            customer.new_emails[email.match] = email.as_typed
    for phone in row.phones:
        if phone.e164 not in customer.phones:
            customer.phones[phone.e164] = phone.as_typed
            customer.new_phones[phone.e164] = phone.as_typed
    if row.external_id and context.source not in customer.external_ids:
        customer.external_ids[context.source] = row.external_id
        customer.new_external_ids.append((context.source, row.external_id))


def _change_consent(
    customer: Aggregate,
    channel: str,
    state: ConsentState,
    given_on: dt.date | None,
    source: str | None,
    number: int,
    context: ImportContext,
) -> None:
    known = customer.consents.get(channel)
    old = customer.new_consents.get(channel) or ((known.state, known.given_on, known.source) if known else None)
    new = (state, given_on, source)
    if old == new:
        return
    if old is not None and not _may_replace(old, new):
        context.notes.add("older_consent", _("An older or unproven consent did not replace what the customer said later."), number)
        return
    customer.new_consents[channel] = new


def _may_replace(old: tuple[ConsentState, dt.date | None, str | None], new: tuple[ConsentState, dt.date | None, str | None]) -> bool:
    if new[0] is ConsentState.WITHDRAWN and new[1] is None:
        return old[0] is not ConsentState.WITHDRAWN
    return new[1] is not None and (old[1] is None or new[1] >= old[1])


def _tell(session: Session, context: ImportContext, new: Sequence[Aggregate], changed: Sequence[Aggregate]) -> None:
    ids = sorted(customer.id for customer in new if customer.id)
    ranges: list[tuple[int, int]] = []
    for one in ids:
        if ranges and ranges[-1][1] == one - 1:
            ranges[-1] = (ranges[-1][0], one)
        else:
            ranges.append((one, one))
    updated = tuple(sorted(customer.id for customer in changed if customer.id))
    if ranges or updated:
        emit(session, CustomersImported(run_id=context.run_id, created=tuple(ranges), updated=updated))
