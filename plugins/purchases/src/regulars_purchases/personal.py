"""What a customer is handed of their purchases beyond the map: the lines of their receipts."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import DataSection
from regulars_plugin_api.db import from_minor
from regulars_purchases.i18n import _
from regulars_purchases.models import Product, Receipt, ReceiptLine


def bought(session: Session, customer_id: int) -> DataSection:
    """Each line of each receipt, oldest first."""
    query = (
        sa.select(ReceiptLine, Receipt.receipt_no, Receipt.business_date, Receipt.currency, Product.name)
        .join(Receipt, Receipt.id == ReceiptLine.receipt_id)
        .outerjoin(Product, Product.id == ReceiptLine.product_id)
        .where(Receipt.customer_id == customer_id)
        .order_by(Receipt.sold_at, Receipt.id, ReceiptLine.line_no)
    )
    rows = [
        {
            "Receipt": receipt_no,
            "Day": day,
            "Line": line.line_no,
            "Article": line.sku,
            "Name": name,
            "Quantity": line.quantity,
            "Amount": from_minor(line.amount_minor, currency),
            "Currency": currency,
        }
        for line, receipt_no, day, currency, name in session.execute(query)
    ]
    return DataSection(title=_("What was bought"), rows=rows)
