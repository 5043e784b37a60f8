"""What other plugins may use, after naming ``purchases`` in their manifest's ``requires``."""

from regulars_purchases.events import ReceiptsClaimed, ReceiptsImported
from regulars_purchases.models import LineKind
from regulars_purchases.records import FiguresView, LineView, ProductView, ReceiptView
from regulars_purchases.service import figures_of, lines_of, product_by_sku, receipt, receipts_by_id, receipts_by_number, receipts_of

__all__ = [
    "FiguresView",
    "LineKind",
    "LineView",
    "ProductView",
    "ReceiptView",
    "ReceiptsClaimed",
    "ReceiptsImported",
    "figures_of",
    "lines_of",
    "product_by_sku",
    "receipt",
    "receipts_by_id",
    "receipts_by_number",
    "receipts_of",
]
