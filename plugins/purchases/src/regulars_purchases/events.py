"""What the plugin tells others."""

from __future__ import annotations

from dataclasses import dataclass

from regulars_plugin_api.events import DomainEvent


@dataclass(frozen=True, kw_only=True)
class ReceiptsImported(DomainEvent):
    """One batch of an import of sales, or what a till or a shop sent at once; then there is no run.

    ``created`` holds inclusive ranges of new receipt ids, ``updated`` single ids of receipts that changed or got lines;
    ``customers`` are those whose figures moved. None of the three is longer than the batch.
    """

    type = "purchases.receipts_imported"
    run_id: int | None
    created: tuple[tuple[int, int], ...] = ()
    updated: tuple[int, ...] = ()
    customers: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReceiptsClaimed(DomainEvent):
    """Guest receipts turned out to be those of customers who are known now; ``customers`` are theirs."""

    type = "purchases.receipts_claimed"
    customers: tuple[int, ...] = ()
