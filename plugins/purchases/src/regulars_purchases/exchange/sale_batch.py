"""Takes in one batch of lines: each matched with what is there, compared, and remembered for writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from regulars_plugin_api.exchange import ImportContext, Outcome, Record, Rejected
from regulars_purchases.customers import resolve
from regulars_purchases.exchange.sale_rows import SaleHead, SaleLine
from regulars_purchases.exchange.sale_work import HEAD, KnownLine, ReceiptWork, known_receipts, load_lines
from regulars_purchases.exchange.sale_writing import ChangedLine, NewLine, SaleWriter
from regulars_purchases.i18n import _
from regulars_purchases.models import lines, receipts


class SaleBatch:
    """One batch of one run."""

    def __init__(self, session: Session, batch: Sequence[Record], context: ImportContext) -> None:
        self.batch, self.context = batch, context
        heads = {id(record.value.head): record.value.head for record in batch}.values()
        self.customers = resolve(session, {head.customer for head in heads if head.customer})
        self.receipts = known_receipts(session, {head.key for head in heads})
        if self.receipts:
            wanted = {(receipt.id, row.line_no) for _number, row in batch if (receipt := self.receipts.get(row.head.key))}
            load_lines(session, {receipt.id: receipt for receipt in self.receipts.values()}, sorted(wanted))
        self.writer = SaleWriter(session, context)
        self._last: ReceiptWork | None = None
        # Counted line numbers never repeat; only numbers of the file's own can name a line twice.
        self._lines_may_repeat = "line_no" in context.columns
        self._says_discount = "discount" in context.columns

    def apply(self) -> list[Outcome | Rejected]:
        """Take every line, then write; one outcome per record, in order."""
        outcomes: list[Outcome | Rejected] = []
        for record in self.batch:
            try:
                outcomes.append(self._take(record))
            except Rejected as refusal:
                outcomes.append(refusal)
        self.writer.write(self.receipts.values())
        return outcomes

    def _take(self, record: Record) -> Outcome:
        row: SaleLine = record.value
        head = row.head
        # Neighbouring lines share their head.
        receipt = self._last if self._last is not None and self._last.head is head else self.receipts.get(head.key)
        known = receipt.lines.get(row.line_no) if receipt else None
        if known is None and self.context.mode == "update":
            raise Rejected("line_no", "not_found", _("There is no such line to update."))
        changes_receipt = False
        if receipt is None:
            receipt = self._new_receipt(head, record.number)
        elif receipt.head is not head:
            changes_receipt = self._compare_heads(receipt, head, record.number)
        self._last = receipt
        if known is None:
            return self._new_line(receipt, record)
        return self._compare_lines(receipt, known, record, changes_receipt)

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
        if head.currency != receipt.currency:
            message = _("The receipt is in %(theirs)s, this line in %(ours)s.", theirs=receipt.currency, ours=head.currency)
            raise Rejected("currency", "currency_differs", message)
        first = not receipt.is_new and receipt.head is None and self.context.seen.first_time(receipts.name, receipt.id)
        receipt.head = head
        if first:
            self._note_customer(head, number)
        differing = self._differing(receipt, head)
        if not differing:
            return False
        if not first or self.context.mode == "create":
            message = _("Lines of one receipt differ in time, cashier or customer; the first was taken.")
            self.context.notes.add("receipt_disagrees", message, number)
            return False
        receipt.was = {name: receipt.values[name] for name in differing}
        receipt.values |= differing
        return True

    def _differing(self, receipt: ReceiptWork, head: SaleHead) -> dict[str, Any]:
        """What ``head`` says otherwise than the receipt. Clues to a customer count only where they lead to another one, or to nobody."""
        given, owner = self._values(head), receipt.values["customer_id"]
        if owner is not None and given["customer_id"] in (owner, None):
            given = {name: given[name] for name in ("sold_at", "cashier")}
        return {name: value for name, value in given.items() if value is not None and value != receipt.values[name]}

    def _new_line(self, receipt: ReceiptWork, record: Record) -> Outcome:
        row: SaleLine = record.value
        amounts = row.amounts
        receipt.total_minor += amounts.amount_minor
        receipt.units += amounts.quantity
        receipt.line_count += 1
        receipt.has_moved = True
        if self._lines_may_repeat:
            receipt.lines[row.line_no] = KnownLine(None, None, row.sku, amounts)
        self.writer.new_lines.append(NewLine(receipt, record))
        return Outcome.CREATED

    def _compare_lines(self, receipt: ReceiptWork, known: KnownLine, record: Record, changes_receipt: bool) -> Outcome:
        after = self._filled(known, record.value)
        if known.id is None or (self._lines_may_repeat and not self.context.seen.first_time(lines.name, known.id)):
            if after != known:
                message = _("The same line stands in the file twice, with other values; the first was taken.")
                self.context.notes.add("line_repeated", message, record.number)
            return Outcome.MERGED
        if self.context.mode == "create":
            raise Rejected("line_no", "already_exists", _("This line is already here."))
        if after == known:
            return Outcome.UPDATED if changes_receipt else Outcome.UNCHANGED
        receipt.total_minor += after.amounts.amount_minor - known.amounts.amount_minor
        receipt.units += after.amounts.quantity - known.amounts.quantity
        receipt.has_moved = True
        receipt.lines[record.value.line_no] = after
        self.writer.changed_lines.append(ChangedLine(receipt, record, known, after))
        return Outcome.UPDATED

    def _filled(self, known: KnownLine, row: SaleLine) -> KnownLine:
        """The line as the file wants it; what the file does not say stays as it is."""
        before, given = known.amounts, row.amounts
        if given.unit_price is None or given.cost is None or not self._says_discount:
            given = given._replace(
                unit_price=before.unit_price if given.unit_price is None else given.unit_price,
                cost=before.cost if given.cost is None else given.cost,
                discount_minor=given.discount_minor if self._says_discount else before.discount_minor,
            )
        return known._replace(sku=known.sku if row.sku is None else row.sku, amounts=given)
