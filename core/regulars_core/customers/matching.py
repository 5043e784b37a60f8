"""Which customer a row of a file is about: by external id, else by e-mail or phone if that leaves no doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, islice

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from regulars_core.customers import aggregate
from regulars_core.customers.aggregate import Aggregate, CustomerRow
from regulars_core.customers.models import Customer, CustomerEmail, CustomerPhone, ExternalId
from regulars_plugin_api.bulk import staged
from regulars_plugin_api.exchange import Rejected
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import fold


class Matcher:
    """Knows every customer a batch may be about, those the batch itself has made so far included."""

    def __init__(self, session: Session, source: str, rows: Sequence[CustomerRow]) -> None:
        self.source = source
        numbers = {row.external_id for row in rows if row.external_id}
        by_number, self._in_trash = _by_external_id(session, source, numbers)
        by_uid = _by_uid(session, numbers - by_number.keys())
        # A row whose number is known needs no second look.
        open_rows = [row for row in rows if row.external_id not in by_number and row.external_id not in by_uid]
        by_email = _by_contact(
            session, source, CustomerEmail.__table__, "match", ((email.match, row.external_id) for row in open_rows for email in row.emails)
        )
        by_phone = _by_contact(
            session, source, CustomerPhone.__table__, "e164", ((phone.e164, row.external_id) for row in open_rows for phone in row.phones)
        )
        by_name = _by_name(session, (aggregate.of_new(row, source) for row in open_rows if not _has_contact(row)))
        ids = [
            *by_number.values(),
            *by_uid.values(),
            *(one for found in (*by_email.values(), *by_phone.values(), *by_name.values()) for one in found),
        ]
        known = aggregate.load(session, ids)
        self._by_number: dict[str, Aggregate] = {value: known[one] for value, one in by_number.items()}
        self._by_uid: dict[str, Aggregate] = {uid: known[one] for uid, one in by_uid.items()}
        self._by_email, self._by_phone = _Shared(source), _Shared(source)
        for shared, contacts in ((self._by_email, by_email), (self._by_phone, by_phone)):
            for value, found in contacts.items():
                for one in found:
                    shared.add(value, known[one])
        self._by_name = defaultdict(list, {name: [known[one] for one in found] for name, found in by_name.items()})

    def find(self, row: CustomerRow) -> Aggregate | None:
        """The customer ``row`` is about, None for a new one. Raises ``Rejected`` where that is open to doubt."""
        if row.external_id in self._in_trash:
            raise Rejected("external_id", "in_trash", _("This customer is in the trash. Take it out of there first."))
        if row.external_id and (found := self._by_number.get(row.external_id)):
            return found
        if row.external_id and (found := self._by_uid.get(row.external_id)):
            row.external_id = None
            return found
        if not _has_contact(row):
            made = aggregate.of_new(row, self.source)
            return next((one for one in self._by_name[fold(made.fields["display_name"])] if one.says_the_same_as(made)), None)
        candidates = self._candidates(row)
        if not candidates:
            return None
        if len(candidates) > 1 or _contradicts(row, candidates[0]):
            field = "email" if row.emails else "phone"
            message = _(
                "More than one customer could be meant, or the name or birthday differs. Give the customer number, or merge them first."
            )
            raise Rejected(field, "ambiguous_match", message)
        return candidates[0]

    def learn(self, customer: Aggregate) -> None:
        """Later rows of the batch may be about ``customer`` too."""
        if number := customer.external_ids.get(self.source):
            self._by_number.setdefault(number, customer)
        if customer.is_new and not customer.has_contact:
            self._by_name[fold(customer.fields["display_name"])].append(customer)
        for match in customer.emails:
            self._by_email.add(match, customer)
        for e164 in customer.phones:
            self._by_phone.add(e164, customer)

    def _candidates(self, row: CustomerRow) -> list[Aggregate]:
        """Whom ``row`` may be about; of many, two are enough to know that it is open to doubt."""
        by_email = self._by_email.of([email.match for email in row.emails], row.external_id)
        by_phone = self._by_phone.of([phone.e164 for phone in row.phones], row.external_id)
        both = by_email.keys() & by_phone.keys()
        if both:
            return [by_email[one] for one in islice(both, 2)]
        return list(islice(chain(by_email.values(), by_phone.values()), 2))


class _Shared:
    """Customers by an e-mail address or phone, which a household shares, and sometimes half a file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._all: dict[str, dict[int, Aggregate]] = defaultdict(dict)
        # Two numbers of one source are two customers, even when a family shares its e-mail address.
        self._without_number: dict[str, dict[int, Aggregate]] = defaultdict(dict)

    def add(self, value: str, customer: Aggregate) -> None:
        """``customer`` has this address or phone; to be told again when it has got a number."""
        self._all[value][id(customer)] = customer
        if self._source in customer.external_ids:
            self._without_number[value].pop(id(customer), None)
        else:
            self._without_number[value][id(customer)] = customer

    def of(self, values: Sequence[str], number: str | None) -> dict[int, Aggregate]:
        """By identity, the customers with any of ``values`` whom a row with this number, or without one, may be about."""
        among = self._all if number is None else self._without_number
        if len(values) == 1:
            return among.get(values[0], {})
        return {one: customer for value in values for one, customer in among.get(value, {}).items()}


def _has_contact(row: CustomerRow) -> bool:
    return bool(row.external_id or row.emails or row.phones)


def _contradicts(row: CustomerRow, customer: Aggregate) -> bool:
    birthday = row.fields.get("birthday")
    if birthday and customer.fields["birthday"] and birthday != customer.fields["birthday"]:
        return True
    compared: tuple[str, ...] = ("first_name", "last_name")
    if not any(row.fields.get(name) and customer.fields[name] for name in compared):
        compared = ("display_name",)
    return any(
        row.fields.get(name) and customer.fields[name] and fold(row.fields[name]) != fold(customer.fields[name]) for name in compared
    )


def _by_external_id(session: Session, source: str, numbers: set[str]) -> tuple[dict[str, int], set[str]]:
    """Number -> customer, followed to the one it was merged into; and the numbers of customers in the trash."""
    if not numbers:
        return {}, set()
    kept = aliased(Customer)
    with staged(session, {"value": ExternalId.value.type}, ((number,) for number in sorted(numbers))) as stage:
        query = (
            sa.select(
                ExternalId.value,
                sa.func.coalesce(kept.id, Customer.id),
                sa.case((kept.id.is_not(None), kept.deleted_at), else_=Customer.deleted_at).is_not(None),
            )
            .join_from(stage, ExternalId, sa.and_(ExternalId.source == source, ExternalId.value == stage.c.value))
            .join(Customer, Customer.id == ExternalId.customer_id)
            .outerjoin(kept, kept.id == Customer.merged_into_id)
        )
        found = session.execute(query).all()
    return {row[0]: row[1] for row in found}, {row[0] for row in found if row[2]}


def _by_contact(session: Session, source: str, table: sa.Table, key: str, wanted: Iterable[tuple[str, str | None]]) -> dict[str, list[int]]:
    """Living customers by e-mail or phone. ``wanted`` are values with the number of the row they stand in, if it has one.

    Rows with a number are not about customers who have another number of ``source``: those are not looked for.
    """
    is_open: dict[str, bool] = {}
    for value, number in wanted:
        is_open[value] = is_open.get(value, False) or number is None
    found: dict[str, list[int]] = defaultdict(list)
    if not is_open:
        return found
    living = sa.and_(Customer.id == table.c.customer_id, Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None))
    numbered = sa.exists().where(ExternalId.customer_id == Customer.id, ExternalId.source == source)
    with staged(session, {"key": table.c[key].type, "is_open": sa.Boolean()}, sorted(is_open.items())) as stage:
        query = (
            sa.select(stage.c.key, Customer.id)
            .join_from(stage, table, table.c[key] == stage.c.key)
            .join(Customer, living)
            .where(sa.or_(stage.c.is_open, ~numbered))
            .distinct()
        )
        for value, customer_id in session.execute(query).all():
            found[value].append(customer_id)
    return found


def _by_name(session: Session, customers: Iterable[Aggregate]) -> dict[str, list[int]]:
    """Folded full name -> living customers who have nothing else to be known by."""
    names = {fold(customer.fields["display_name"]) for customer in customers}
    found: dict[str, list[int]] = defaultdict(list)
    if not names:
        return found
    parts = [sa.exists().where(part.customer_id == Customer.id) for part in (ExternalId, CustomerEmail, CustomerPhone)]
    living = (Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None))
    with staged(session, {"name": Customer.fold_name.type}, ((name,) for name in sorted(names))) as stage:
        query = sa.select(Customer.fold_name, Customer.id).join_from(stage, Customer, Customer.fold_name == stage.c.name)
        for name, customer_id in session.execute(query.where(*living, *(sa.not_(part) for part in parts)).order_by(Customer.id)):
            found[name].append(customer_id)
    return found


def _by_uid(session: Session, numbers: set[str]) -> dict[str, int]:
    """Our own export names a customer without a number by its uid."""
    uids = {number for number in numbers if len(number) == 36 and number.count("-") == 4}
    if not uids:
        return {}
    with staged(session, {"uid": Customer.uid.type}, ((uid,) for uid in sorted(uids))) as stage:
        query = sa.select(Customer.uid, sa.func.coalesce(Customer.merged_into_id, Customer.id)).join_from(
            stage, Customer, Customer.uid == stage.c.uid
        )
        return {row[0]: row[1] for row in session.execute(query)}
