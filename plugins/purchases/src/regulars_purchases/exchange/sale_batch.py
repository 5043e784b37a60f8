"""Takes in one batch of lines: each matched with what is there, compared, and remembered for writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from regulars_plugin_api.exchange import ImportContext, Outcome, Record, Rejected
from regulars_purchases.customers import resolve
from regulars_purchases.exchange.sale_rows import ReceiptKey, SaleHead, SaleLine
from regulars_purchases.exchange.sale_work import HEAD, KnownLine, LineValues, ReceiptWork, known_receipts, load_lines
from regulars_purchases.exchange.sale_writing import SaleWriter
from regulars_purchases.i18n import _
from regulars_purchases.models import lines, receipts


class SaleBatch:
    """One batch of one run."""

    def __init__(self, session: Session, batch: Sequence[Record], context: ImportContext) -> None:
        self.batch, self.context = batch, context
        heads: dict[ReceiptKey, SaleHead] = {}
        for record in batch:
            heads.setdefault(record.value.head.key, record.value.head)
        self.customers = resolve(session, {ref for record in batch if (ref := record.value.head.customer)})
        self.receipts = known_receipts(session, heads)
        if self.receipts:
            known = ((self.receipts.get(row.head.key), row.line_no) for row in (record.value for record in batch))
            wanted = dict.fromkeys((receipt.id, line_no) for receipt, line_no in known if receipt)
            load_lines(session, {receipt.id: receipt for receipt in self.receipts.values()}, wanted)
        self.writer = SaleWriter(session, context)
        # Counted line numbers never repeat; only numbers of the file's own can name a line twice.
        self._lines_may_repeat = "line_no" in context.columns

    def apply(self) -> list[Outcome | Rejected]:
        """Take every line, then write; one outcome per record, in order."""
        outcomes: list[Outcome | Rejected] = []
        for record in self.batch:
            try:
                outcomes.append(self._take(record.value, record.number))
            except Rejected as refusal:
                outcomes.append(refusal)
        self.writer.write(self.receipts.values())
        return outcomes

    def _take(self, row: SaleLine, number: int) -> Outcome:
        head, receipt = row.head, self.receipts.get(row.head.key)
        known = receipt.lines.get(row.line_no) if receipt else None
        if known is None and self.context.mode == "update":
            raise Rejected("line_no", "not_found", _("There is no such line to update."))
        if receipt is None:
            receipt = self._new_receipt(head, number)
        elif head.currency != receipt.currency:
            message = _("The receipt is in %(theirs)s, this line in %(ours)s.", theirs=receipt.currency, ours=head.currency)
            raise Rejected("currency", "currency_differs", message)
        changes_receipt = receipt.head is not head and self._compare_heads(receipt, head, number)
        if known is None:
            return self._new_line(receipt, row, number)
        return self._compare_lines(receipt, known, row, number, changes_receipt)

    def _new_receipt(self, head: SaleHead, number: int) -> ReceiptWork:
        receipt = ReceiptWork(head.key, head.currency, self._values(head), is_new=True, head=head)
        self.receipts[head.key] = receipt
        self._note_customer(head, number)
        return receipt

    def _values(self, head: SaleHead) -> dict[str, Any]:
        ref = head.customer
        if ref is None:
            return dict.fromkeys(HEAD) | {"sold_at": head.sold_at, "cashier": head.cashier}
        return dict(zip(HEAD, (head.sold_at, head.cashier, self.customers[ref].customer_id, *ref), strict=True))

    def _note_customer(self, head: SaleHead, number: int) -> None:
        found = self.customers[head.customer] if head.customer else None
        if found and found.ambiguous:
            message = _("More than one customer could be meant; the receipt was kept without one.")
            self.context.notes.add("ambiguous_customer", message, number)
        elif found and found.customer_id is None:
            message = _("There is no such customer yet; the receipt waits without one until there is.")
            self.context.notes.add("unknown_customer", message, number)

    def _compare_heads(self, receipt: ReceiptWork, head: SaleHead, number: int) -> bool:
        """Whether ``head`` changes a receipt that was here before. The first head of a file wins; others are only noted."""
        first = not receipt.is_new and receipt.head is None and self.context.seen.first_time(receipts.name, receipt.id)
        receipt.head = head
        if first:
            self._note_customer(head, number)
        differing = {name: value for name, value in self._values(head).items() if value is not None and value != receipt.values[name]}
        if not differing:
            return False
        if not first or self.context.mode == "create":
            message = _("Lines of one receipt differ in time, cashier or customer; the first was taken.")
            self.context.notes.add("receipt_disagrees", message, number)
            return False
        receipt.was = {name: receipt.values[name] for name in differing}
        receipt.values |= differing
        return True

    def _new_line(self, receipt: ReceiptWork, row: SaleLine, number: int) -> Outcome:
        values = _line_values(row)
        if values.discount_minor is None:
            values = values._replace(discount_minor=0)
        receipt.total_minor += values.amount_minor
        receipt.units += values.quantity
        receipt.line_count += 1
        receipt.has_other_lines = True
        receipt.lines[row.line_no] = KnownLine(None, values)
        self.writer.new_lines.append((receipt, row.line_no, values))
        self.writer.sold(values.sku, number)
        return Outcome.CREATED

    def _compare_lines(self, receipt: ReceiptWork, known: KnownLine, row: SaleLine, number: int, changes_receipt: bool) -> Outcome:
        before = known.values
        after = _line_values(row).filled(before)
        if known.id is None or (self._lines_may_repeat and not self.context.seen.first_time(lines.name, known.id)):
            if after != before:
                message = _("The same line stands in the file twice, with other values; the first was taken.")
                self.context.notes.add("line_repeated", message, number)
            return Outcome.MERGED
        if self.context.mode == "create":
            raise Rejected("line_no", "already_exists", _("This line is already here."))
        if after == before:
            return Outcome.UPDATED if changes_receipt else Outcome.UNCHANGED
        receipt.total_minor += after.amount_minor - before.amount_minor
        receipt.units += after.quantity - before.quantity
        receipt.has_other_lines = True
        receipt.lines[row.line_no] = KnownLine(known.id, after)
        self.writer.changed_lines.append((known.id, before, after))
        self.writer.sold(after.sku, number)
        return Outcome.UPDATED


def _line_values(row: SaleLine) -> LineValues:
    amounts = row.amounts
    return LineValues(row.sku, amounts.kind, amounts.quantity, amounts.unit_price, amounts.amount, amounts.discount, amounts.cost)
