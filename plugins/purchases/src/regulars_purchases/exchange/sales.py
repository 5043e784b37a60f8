"""The importer of sales: one record is one line of a receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import BigInt
from regulars_plugin_api.exchange import ImportContext, Importer, Outcome, Record, Rejected
from regulars_purchases import figures
from regulars_purchases.exchange.columns import SALE_COLUMNS
from regulars_purchases.exchange.sale_batch import SaleBatch
from regulars_purchases.exchange.sale_rows import SaleLine, SaleReader
from regulars_purchases.i18n import _
from regulars_purchases.models import lines, products, receipts


class SaleImporter(Importer):
    """Lines of receipts, matched by receipt and line number."""

    kind = "sale"
    title = _("Sales")
    permission = "purchases.import"
    columns = SALE_COLUMNS
    root = receipts.name
    tables = (lines.name, receipts.name, products.name)

    def __init__(self) -> None:
        self._reader: SaleReader | None = None

    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> SaleLine:
        """Read one row. Raises ``Rejected``."""
        if self._reader is None:
            self._reader = SaleReader(context)
        return self._reader.read(row, number)

    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """Match each line with what is there, or add it."""
        return SaleBatch(session, batch, context).apply()

    @contextmanager
    def undoing(self, session: Session, deleted: Mapping[str, Sequence[int]], restored: Mapping[str, Sequence[int]]) -> Iterator[None]:
        """Keep totals of receipts and figures of customers in step."""
        touched = {table: (*deleted.get(table, ()), *restored.get(table, ())) for table in self.tables}
        changed = _column(session, lines, lines.c.receipt_id, touched[lines.name])
        owners = _column(session, receipts, receipts.c.customer_id, {*changed, *touched[receipts.name]})
        yield
        figures.total_up(session, changed)
        owners |= _column(session, receipts, receipts.c.customer_id, restored.get(receipts.name, ()))
        figures.recompute(session, owners)


def _column(session: Session, table: sa.Table, column: sa.Column[int], ids: Sequence[int] | set[int]) -> set[int]:
    """The different values of a column in the rows with these ids."""
    if not ids:
        return set()
    with staged(session, {"id": BigInt}, ((one,) for one in ids)) as stage:
        query = sa.select(column).where(table.c.id.in_(sa.select(stage.c.id)), column.is_not(None)).distinct()
        return set(session.scalars(query))
