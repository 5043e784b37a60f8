"""Guest receipts whose customer turns up later."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import staged, update_rows
from regulars_plugin_api.db import BigInt, customer_emails, customer_phones, external_ids
from regulars_plugin_api.events import (
    CustomerCreated,
    CustomerRestored,
    CustomersImported,
    CustomersMerged,
    CustomerUpdated,
    Delivered,
    emit,
)
from regulars_purchases import figures
from regulars_purchases.customers import CustomerRef, resolve
from regulars_purchases.events import ReceiptsClaimed
from regulars_purchases.models import receipts

CLUES = ("customer_source", "customer_number", "customer_email", "customer_phone")
CUES = (CustomerCreated, CustomerUpdated, CustomerRestored, CustomersImported, CustomersMerged)


def claim(
    session: Session, event: Delivered[CustomerCreated | CustomerUpdated | CustomerRestored | CustomersImported | CustomersMerged]
) -> None:
    """Give customers who have come or changed the receipts that wait for them; safe to repeat."""
    body = event.body
    if isinstance(body, CustomersImported):
        made = chain.from_iterable(range(first, last + 1) for first, last in body.created)
        claim_guest_receipts(session, {*made, *body.updated})
    else:
        claim_guest_receipts(session, {body.customer_id})


def claim_guest_receipts(session: Session, customer_ids: Collection[int]) -> int:
    """Give these customers the guest receipts that name them and nobody else; how many that were.

    Takes a constant number of statements. The journal is silent about it: a claim follows from what the receipt said all along.
    """
    if not customer_ids:
        return 0
    waiting = dict(_waiting(session, sorted(customer_ids)))
    meant = resolve(session, set(waiting.values())) if waiting else {}
    claimed = {receipt_id: owner for receipt_id, ref in waiting.items() if (owner := meant[ref].customer_id) is not None}
    if claimed:
        update_rows(session, receipts, ("customer_id",), sorted(claimed.items()))
        owners = set(claimed.values())
        figures.recompute(session, owners)
        emit(session, ReceiptsClaimed(customers=tuple(sorted(owners))))
    return len(claimed)


def forget_clues(session: Session, customer_id: int) -> int:
    """Take the number, e-mail and phone of a customer who is to be forgotten off guest receipts; how many bore them."""
    waiting = dict(_waiting(session, [customer_id]))
    update_rows(session, receipts, CLUES, [(receipt_id, *(None,) * len(CLUES)) for receipt_id in waiting])
    return len(waiting)


def _waiting(session: Session, customer_ids: Collection[int]) -> Iterable[tuple[int, CustomerRef]]:
    """Guest receipts that bear a number, e-mail or phone of these customers."""
    clues = [receipts.c[name] for name in CLUES]
    same_number = sa.and_(receipts.c.customer_source == external_ids.c.source, receipts.c.customer_number == external_ids.c.value)
    ways = (
        (external_ids, same_number),
        (customer_emails, receipts.c.customer_email == customer_emails.c.match),
        (customer_phones, receipts.c.customer_phone == customer_phones.c.e164),
    )
    with staged(session, {"id": BigInt}, ((one,) for one in customer_ids)) as stage:
        for table, same in ways:
            query = (
                sa.select(receipts.c.id, *clues)
                .join_from(stage, table, table.c.customer_id == stage.c.id)
                .join(receipts, same)
                .where(receipts.c.customer_id.is_(None))
                .with_for_update(of=receipts)
            )
            for receipt_id, *ref in session.execute(query):
                yield receipt_id, CustomerRef(*ref)
