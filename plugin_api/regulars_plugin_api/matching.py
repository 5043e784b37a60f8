"""Which customer a record of another system belongs to, by what that system knew of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import CodeText, customer_emails, customer_phones, customers, external_ids


class CustomerRef(NamedTuple):
    """What another system knows of a customer: a number that ``source`` gave out, an e-mail as addresses are compared, a phone in E.164."""

    source: str | None
    number: str | None
    email: str | None
    phone: str | None


class Resolved(NamedTuple):
    """The customer that is meant; None if nobody is, or with ``ambiguous`` more than one might be."""

    customer_id: int | None
    ambiguous: bool = False


def resolve(session: Session, refs: Iterable[CustomerRef]) -> dict[CustomerRef, Resolved]:
    """Find the customer behind each of ``refs``, in a constant number of statements.

    By number, followed to whom the customer was merged into; else by e-mail or phone, if exactly one living customer has it.
    """
    wanted = set(refs)
    by_number = _by_number(session, {(ref.source, ref.number) for ref in wanted if ref.source and ref.number})
    by_uid = _by_uid(session, {ref.number for ref in wanted if ref.number and (ref.source, ref.number) not in by_number})
    found: dict[CustomerRef, Resolved] = {}
    for ref in wanted:
        known = by_number.get((ref.source or "", ref.number or "")) or by_uid.get(ref.number or "")
        if known:
            found[ref] = Resolved(known)
    rest = wanted - found.keys()
    by_email = _by_contact(session, customer_emails, customer_emails.c.match, {ref.email for ref in rest if ref.email})
    by_phone = _by_contact(session, customer_phones, customer_phones.c.e164, {ref.phone for ref in rest if ref.phone})
    for ref in rest:
        found[ref] = _only(ref, by_email[ref.email or ""], by_phone[ref.phone or ""])
    return found


class _Candidate(NamedTuple):
    customer_id: int
    sources: frozenset[str]


def _only(ref: CustomerRef, by_email: list[_Candidate], by_phone: list[_Candidate]) -> Resolved:
    # Two numbers of one source are two customers, even when a family shares its e-mail address.
    emails, phones = (
        {one.customer_id for one in found if ref.number is None or ref.source not in one.sources} for found in (by_email, by_phone)
    )
    meant = emails & phones or emails | phones
    return Resolved(meant.pop()) if len(meant) == 1 else Resolved(None, ambiguous=bool(meant))


def _by_number(session: Session, pairs: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    if not pairs:
        return {}
    kept = customers.alias()
    with staged(session, {"source": CodeText, "value": CodeText}, sorted(pairs)) as stage:
        query = (
            sa.select(external_ids.c.source, external_ids.c.value, sa.func.coalesce(kept.c.id, customers.c.id))
            .join_from(stage, external_ids, sa.and_(external_ids.c.source == stage.c.source, external_ids.c.value == stage.c.value))
            .join(customers, customers.c.id == external_ids.c.customer_id)
            .outerjoin(kept, kept.c.id == customers.c.merged_into_id)
        )
        return {(source, value): customer_id for source, value, customer_id in session.execute(query).all()}


def _by_uid(session: Session, numbers: set[str]) -> dict[str, int]:
    """Our own export names a customer without a number by its uid."""
    uids = {number for number in numbers if len(number) == 36 and number.count("-") == 4}
    if not uids:
        return {}
    with staged(session, {"uid": customers.c.uid.type}, ((uid,) for uid in sorted(uids))) as stage:
        meant = sa.func.coalesce(customers.c.merged_into_id, customers.c.id)
        query = sa.select(customers.c.uid, meant).join_from(stage, customers, customers.c.uid == stage.c.uid)
        return dict(session.execute(query).all())


def _by_contact(session: Session, table: sa.TableClause, key: sa.ColumnClause[str], wanted: set[str]) -> dict[str, list[_Candidate]]:
    """Living customers by an e-mail address or phone, with the sources that have given them a number."""
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    if wanted:
        with staged(session, {"key": CodeText}, ((value,) for value in sorted(wanted))) as stage:
            living = sa.and_(customers.c.id == table.c.customer_id, customers.c.deleted_at.is_(None), customers.c.merged_into_id.is_(None))
            query = (
                sa.select(key, customers.c.id, external_ids.c.source)
                .join_from(stage, table, key == stage.c.key)
                .join(customers, living)
                .outerjoin(external_ids, external_ids.c.customer_id == customers.c.id)
            )
            for value, customer_id, source in session.execute(query):
                found[value][customer_id].add(source)
    listed = {value: [_Candidate(one, frozenset(sources)) for one, sources in owners.items()] for value, owners in found.items()}
    return defaultdict(list, listed)
