"""Each customer's figures, kept exact in the transaction that changes a receipt, and totals of receipts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import BigInt, customers, upsert
from regulars_purchases.models import figures, lines, receipts

FIGURES = ("customer_id", "currency", "first_on", "last_on", "receipts", "value_minor", "units")


@dataclass(slots=True)
class Sums:
    """What some receipts of one customer in one currency come to."""

    first_on: dt.date
    last_on: dt.date
    receipts: int = 0
    value_minor: int = 0
    units: int = 0


def add(session: Session, sums: dict[tuple[int, str], Sums]) -> None:
    """Add new receipts' sums, by (customer, currency), to the figures."""
    if not sums:
        return
    rows = [(*key, one.first_on, one.last_on, one.receipts, one.value_minor, one.units) for key, one in sorted(sums.items())]
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    least, most = (sa.func.least, sa.func.greatest) if on_postgresql else (sa.func.min, sa.func.max)
    with staged(session, {name: figures.c[name].type for name in FIGURES}, rows) as stage:
        # SQLite takes the ON of a conflict for a join's unless something stands between.
        more = sa.select(*(stage.c[name] for name in FIGURES)).where(sa.true())
        added = upsert(session, figures)
        new = added.excluded
        added = added.from_select(FIGURES, more).on_conflict_do_update(
            index_elements=["customer_id", "currency"],
            set_={
                "first_on": least(figures.c.first_on, new.first_on),
                "last_on": most(figures.c.last_on, new.last_on),
                **{name: figures.c[name] + new[name] for name in ("receipts", "value_minor", "units")},
            },
        )
        session.execute(added)


def recompute(session: Session, customer_ids: Iterable[int]) -> None:
    """Work the figures of these customers out anew from their receipts."""
    wanted = sorted(set(customer_ids))
    if not wanted:
        return
    with staged(session, {"id": BigInt}, ((one,) for one in wanted)) as stage:
        chosen = sa.select(stage.c.id)
        # Whoever adds a receipt to one of these customers meanwhile waits for this, or this for them.
        session.execute(sa.select(customers.c.id).where(customers.c.id.in_(chosen)).order_by(customers.c.id).with_for_update())
        session.execute(sa.delete(figures).where(figures.c.customer_id.in_(chosen)))
        summed = (
            sa.select(
                receipts.c.customer_id,
                receipts.c.currency,
                sa.func.min(receipts.c.business_date),
                sa.func.max(receipts.c.business_date),
                sa.func.count(),
                sa.func.sum(receipts.c.total_minor),
                sa.func.sum(receipts.c.units),
            )
            .where(receipts.c.customer_id.in_(chosen))
            .group_by(receipts.c.customer_id, receipts.c.currency)
        )
        session.execute(sa.insert(figures).from_select(FIGURES, summed))


def total_up(session: Session, receipt_ids: Iterable[int]) -> None:
    """Work the totals of these receipts out anew from their lines."""
    wanted = sorted(set(receipt_ids))
    if not wanted:
        return
    with staged(session, {"id": BigInt}, ((one,) for one in wanted)) as stage:
        mine = sa.select(sa.func.coalesce(sa.func.sum(lines.c.amount_minor), 0)).where(lines.c.receipt_id == receipts.c.id)
        units = sa.select(sa.func.coalesce(sa.func.sum(lines.c.quantity), 0)).where(lines.c.receipt_id == receipts.c.id)
        count = sa.select(sa.func.count()).select_from(lines).where(lines.c.receipt_id == receipts.c.id)
        session.execute(
            sa.update(receipts)
            .where(receipts.c.id.in_(sa.select(stage.c.id)))
            .values(total_minor=mine.scalar_subquery(), units=units.scalar_subquery(), line_count=count.scalar_subquery())
        )


def unite(session: Session, keep_id: int, drop_id: int) -> None:
    """Add one customer's figures to another's, whose receipts they are about to become."""
    theirs = session.execute(sa.select(*(figures.c[name] for name in FIGURES)).where(figures.c.customer_id == drop_id)).all()
    session.execute(sa.delete(figures).where(figures.c.customer_id == drop_id))
    sums = {(keep_id, row.currency): Sums(row.first_on, row.last_on, row.receipts, row.value_minor, row.units) for row in theirs}
    add(session, sums)
