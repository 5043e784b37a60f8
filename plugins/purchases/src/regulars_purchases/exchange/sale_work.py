"""Receipts as a batch works on them: loaded in a few statements, changed in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import BigInt, CodeText
from regulars_purchases.exchange.sale_rows import Amounts, ReceiptKey, SaleHead
from regulars_purchases.models import lines, receipts

HEAD = ("sold_at", "cashier", "customer_id", "customer_source", "customer_number", "customer_email", "customer_phone")
TOTALS = ("total_minor", "units", "line_count")
KEY = ("store_id", "till", "business_date", "receipt_no")


class KnownLine(NamedTuple):
    """A line that is there; ``id`` is None if this very batch adds it."""

    id: int | None
    product_id: int | None
    sku: str | None
    amounts: Amounts


@dataclass(slots=True, eq=False)
class ReceiptWork:
    """A receipt a batch works on. ``values`` are those of ``HEAD``; ``head`` is the one its lines are known to agree with."""

    key: ReceiptKey
    currency: str
    values: dict[str, Any]
    id: int = 0
    is_new: bool = False
    head: SaleHead | None = None
    total_minor: int = 0
    units: int = 0
    line_count: int = 0
    lines: dict[int, KnownLine] = field(default_factory=dict)
    """by line number"""
    was: dict[str, Any] = field(default_factory=dict)
    """column of ``HEAD`` -> old value"""
    has_moved: bool = False
    """whether its lines do not add up to what they did"""


def known_receipts(session: Session, keys: Iterable[ReceiptKey]) -> dict[ReceiptKey, ReceiptWork]:
    """Those of the receipts that are there, locked until the end of the transaction."""
    kinds: dict[str, sa.types.TypeEngine[Any]] = {"store_id": BigInt, "till": CodeText, "business_date": sa.Date(), "receipt_no": CodeText}
    # In one order, whoever asks: two who lock the same receipts wait for each other, not both for ever.
    with staged(session, kinds, sorted(keys)) as stage:
        same = sa.and_(*(receipts.c[name] == stage.c[name] for name in KEY))
        columns = [receipts.c[name] for name in (*KEY, "id", "currency", *TOTALS, *HEAD)]
        query = sa.select(*columns).join_from(stage, receipts, same).with_for_update(of=receipts)
        found = [
            ReceiptWork(
                key=(row.store_id, row.till, row.business_date, row.receipt_no),
                currency=row.currency,
                values={name: getattr(row, name) for name in HEAD},
                id=row.id,
                total_minor=row.total_minor,
                units=row.units,
                line_count=row.line_count,
            )
            for row in session.execute(query)
        ]
        return {receipt.key: receipt for receipt in found}


def load_lines(session: Session, receipts_by_id: dict[int, ReceiptWork], wanted: Iterable[tuple[int, int]]) -> None:
    """Give receipts those of their lines that ``wanted`` names, as (receipt id, line number)."""
    with staged(session, {"receipt_id": BigInt, "line_no": BigInt}, wanted) as stage:
        same = sa.and_(lines.c.receipt_id == stage.c.receipt_id, lines.c.line_no == stage.c.line_no)
        columns = [lines.c[name] for name in ("receipt_id", "line_no", "id", "product_id", "sku", *Amounts._fields)]
        for receipt_id, line_no, line_id, product_id, sku, *amounts in session.execute(sa.select(*columns).join_from(stage, lines, same)):
            receipts_by_id[receipt_id].lines[line_no] = KnownLine(line_id, product_id, sku, Amounts._make(amounts))
