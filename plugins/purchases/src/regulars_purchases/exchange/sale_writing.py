"""Puts the receipts and lines of a batch into their tables, keeps the figures in step, and tells the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import PreparedWrites, insert_rows, reserve_ids, staged
from regulars_plugin_api.events import emit
from regulars_plugin_api.exchange import ImportContext, Record
from regulars_plugin_api.ids import uuid7
from regulars_purchases import figures
from regulars_purchases.events import ReceiptsImported
from regulars_purchases.exchange.sale_rows import Amounts
from regulars_purchases.exchange.sale_work import HEAD, KEY, TOTALS, KnownLine, ReceiptWork
from regulars_purchases.figures import Sums
from regulars_purchases.i18n import _
from regulars_purchases.models import lines, products, receipts

LINE_COLUMNS = ("product_id", "sku", *Amounts._fields)


class NewLine(NamedTuple):
    """A line to be added to ``receipt``."""

    receipt: ReceiptWork
    record: Record


class ChangedLine(NamedTuple):
    """A line of ``receipt`` that gets other values."""

    receipt: ReceiptWork
    record: Record
    before: KnownLine
    after: KnownLine


class SaleWriter:
    """Collects what a batch adds and changes, then writes it in a constant number of statements."""

    def __init__(self, session: Session, context: ImportContext) -> None:
        self.session, self.context = session, context
        self.new_lines: list[NewLine] = []
        self.changed_lines: list[ChangedLine] = []

    def write(self, batch: Collection[ReceiptWork]) -> None:
        """Write the lines collected so far and their receipts."""
        new = [receipt for receipt in batch if receipt.is_new]
        changed = [receipt for receipt in batch if not receipt.is_new and (receipt.was or receipt.has_moved)]
        owners = {owner for receipt in changed for owner in (receipt.values["customer_id"], receipt.was.get("customer_id")) if owner}
        sums = _sums(receipt for receipt in new if receipt.values["customer_id"] not in owners)
        product_ids = self._product_ids()
        writes = PreparedWrites(self.session)
        self._insert_receipts(writes, new)
        self._update_receipts(writes, changed)
        self._insert_lines(writes, product_ids)
        self._update_lines(writes, product_ids)
        writes.write()
        figures.add(self.session, sums)
        figures.recompute(self.session, owners)
        self._tell(new, changed, owners)

    def _product_ids(self) -> dict[str | None, int | None]:
        """Every article of the batch; what nobody has told of yet becomes a stub."""
        named = {line.record.value.sku for line in self.new_lines} | {line.after.sku for line in self.changed_lines}
        skus: set[str] = {sku for sku in named if sku is not None}
        found: dict[str | None, int | None] = {None: None}
        if not skus:
            return found
        with staged(self.session, {"sku": products.c.sku.type}, ((sku,) for sku in sorted(skus))) as stage:
            query = sa.select(products.c.sku, products.c.id).join_from(stage, products, products.c.sku == stage.c.sku)
            found.update(self.session.execute(query).all())
        if missing := skus - found.keys():
            found.update(self._stubs(self._first_sold(missing)))
        return found

    def _first_sold(self, skus: set[str]) -> dict[str, int]:
        """The record each of these articles was first met in, in that order."""
        met = [(line.record.number, line.after.sku) for line in self.changed_lines]
        met += [(line.record.number, line.record.value.sku) for line in self.new_lines]
        first = {sku: number for number, sku in sorted(met, reverse=True) if sku in skus}
        return dict(sorted(first.items(), key=itemgetter(1)))

    def _stubs(self, first_sold: dict[str, int]) -> dict[str, int]:
        """Products known by their number alone. ``first_sold`` names the record each was first met in."""
        made = dict(zip(first_sold, reserve_ids(self.session, products, len(first_sold)), strict=True))
        insert_rows(self.session, products, ("id", "sku", "is_stub"), [(one, sku, True) for sku, one in made.items()])
        self.context.journal.created(products.name, made.values())
        for number in first_sold.values():
            message = _("An unknown article was sold; it was taken in by its number alone.")
            self.context.notes.add("unknown_product", message, number)
        return made

    def _insert_receipts(self, writes: PreparedWrites, new: Sequence[ReceiptWork]) -> None:
        first_time = self.context.seen.first_time
        for receipt, receipt_id in zip(new, reserve_ids(self.session, receipts, len(new)), strict=True):
            receipt.id = receipt_id
            first_time(receipts.name, receipt_id)
        rows = ((one.id, uuid7(), *one.key, one.currency, one.total_minor, one.units, one.line_count, *one.values.values()) for one in new)
        writes.insert(receipts, ("id", "uid", *KEY, "currency", *TOTALS, *HEAD), rows)
        self.context.journal.created(receipts.name, (receipt.id for receipt in new))

    def _update_receipts(self, writes: PreparedWrites, changed: Sequence[ReceiptWork]) -> None:
        rows = ((one.id, one.total_minor, one.units, one.line_count, *one.values.values()) for one in changed)
        writes.update(receipts, (*TOTALS, *HEAD), rows)
        changes = ((receipt.id, name, old, receipt.values[name]) for receipt in changed for name, old in receipt.was.items())
        self.context.journal.updated(receipts.name, changes)

    def _insert_lines(self, writes: PreparedWrites, product_ids: dict[str | None, int | None]) -> None:
        ids = reserve_ids(self.session, lines, len(self.new_lines))
        rows = (
            (line_id, receipt.id, line_no, product_ids[sku], sku, *amounts)
            for line_id, (receipt, (_number, (_head, line_no, sku, amounts))) in zip(ids, self.new_lines, strict=True)
        )
        writes.insert(lines, ("id", "receipt_id", "line_no", *LINE_COLUMNS), rows)
        # Lines of a new receipt go with it; those that join an older one, undo has to find.
        added = [line_id for line_id, (receipt, _record) in zip(ids, self.new_lines, strict=True) if not receipt.is_new]
        self.context.journal.created(lines.name, added)
        if "line_no" in self.context.columns:
            for line_id in ids:
                self.context.seen.first_time(lines.name, line_id)

    def _update_lines(self, writes: PreparedWrites, product_ids: dict[str | None, int | None]) -> None:
        changed = [
            (
                line.before.id or 0,
                (line.before.product_id, line.before.sku, *line.before.amounts),
                (product_ids[line.after.sku], line.after.sku, *line.after.amounts),
            )
            for line in self.changed_lines
        ]
        writes.update(lines, LINE_COLUMNS, [(line_id, *after) for line_id, _before, after in changed])
        changes = (
            (line_id, name, old, new)
            for line_id, before, after in changed
            for name, old, new in zip(LINE_COLUMNS, before, after, strict=True)
            if old != new
        )
        self.context.journal.updated(lines.name, changes)

    def _tell(self, new: Sequence[ReceiptWork], changed: Sequence[ReceiptWork], owners: set[int]) -> None:
        if not new and not changed:
            return
        buyers = owners | {receipt.values["customer_id"] for receipt in new if receipt.values["customer_id"]}
        event = ReceiptsImported(
            run_id=self.context.run_id or None,
            created=_ranges([receipt.id for receipt in new]),
            updated=tuple(sorted(receipt.id for receipt in changed)),
            customers=tuple(sorted(buyers)),
        )
        emit(self.session, event)


def _sums(new: Iterable[ReceiptWork]) -> dict[tuple[int, str], Sums]:
    sums: dict[tuple[int, str], Sums] = {}
    for receipt in new:
        customer_id, day = receipt.values["customer_id"], receipt.key[2]
        if customer_id is None:
            continue
        one = sums.get((customer_id, receipt.currency))
        if one is None:
            one = sums[customer_id, receipt.currency] = Sums(day, day)
        one.first_on, one.last_on = min(one.first_on, day), max(one.last_on, day)
        one.receipts += 1
        one.value_minor += receipt.total_minor
        one.units += receipt.units
    return sums


def _ranges(ascending: Sequence[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for one in ascending:
        if found and found[-1][1] == one - 1:
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    return tuple(found)
