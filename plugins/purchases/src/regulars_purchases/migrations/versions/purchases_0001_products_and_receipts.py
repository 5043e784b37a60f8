"""Products, receipts, their lines, and each customer's figures."""

import sqlalchemy as sa
from alembic import op

from regulars_plugin_api.db import BigInt, CodeText, Quantity, UnitPrice, UtcDateTime

revision, down_revision = "purchases_0001", None


def upgrade() -> None:
    op.create_table(
        "purchases_product",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("sku", CodeText, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("subcategory", sa.Text(), nullable=True),
        sa.Column("price", UnitPrice(), nullable=True),
        sa.Column("cost", UnitPrice(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("barcode", CodeText, nullable=True),
        sa.Column("is_stub", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_purchases_product"),
        sa.UniqueConstraint("sku", name="uq_purchases_product_sku"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_purchases_product_barcode", "purchases_product", ["barcode"])
    op.create_table(
        "purchases_receipt",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("customer_id", BigInt, nullable=True),
        sa.Column("store_id", BigInt, nullable=True),
        sa.Column("till", CodeText, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("receipt_no", CodeText, nullable=False),
        sa.Column("sold_at", UtcDateTime(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", BigInt, nullable=False),
        sa.Column("units", Quantity(), nullable=False),
        sa.Column("line_count", BigInt, nullable=False),
        sa.Column("cashier", sa.Text(), nullable=True),
        sa.Column("customer_source", CodeText, nullable=True),
        sa.Column("customer_number", CodeText, nullable=True),
        sa.Column("customer_email", CodeText, nullable=True),
        sa.Column("customer_phone", CodeText, nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_purchases_receipt_customer_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name="fk_purchases_receipt_store_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_purchases_receipt"),
        sa.UniqueConstraint("uid", name="uq_purchases_receipt_uid"),
        sa.UniqueConstraint(
            "store_id", "till", "business_date", "receipt_no", name="uq_purchases_receipt_store_id_till_business_date_receipt_no"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_purchases_receipt_customer_id_sold_at_id", "purchases_receipt", ["customer_id", "sold_at", "id"])
    op.create_index("ix_purchases_receipt_receipt_no", "purchases_receipt", ["receipt_no"])
    _index_of_guests("number", "customer_source", "customer_number")
    _index_of_guests("email", "customer_email")
    _index_of_guests("phone", "customer_phone")
    op.create_table(
        "purchases_receipt_line",
        sa.Column("id", BigInt, nullable=False),
        sa.Column("receipt_id", BigInt, nullable=False),
        sa.Column("line_no", BigInt, nullable=False),
        sa.Column("product_id", BigInt, nullable=True),
        sa.Column("sku", CodeText, nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("quantity", Quantity(), nullable=False),
        sa.Column("unit_price", UnitPrice(), nullable=True),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("discount_minor", BigInt, nullable=False),
        sa.Column("cost", UnitPrice(), nullable=True),
        sa.ForeignKeyConstraint(["receipt_id"], ["purchases_receipt.id"], name="fk_purchases_receipt_line_receipt_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["purchases_product.id"], name="fk_purchases_receipt_line_product_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_purchases_receipt_line"),
        sa.UniqueConstraint("receipt_id", "line_no", name="uq_purchases_receipt_line_receipt_id_line_no"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_purchases_receipt_line_product_id", "purchases_receipt_line", ["product_id"])
    op.create_table(
        "purchases_figures",
        sa.Column("customer_id", BigInt, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("receipts", BigInt, nullable=False),
        sa.Column("value_minor", BigInt, nullable=False),
        sa.Column("units", Quantity(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_purchases_figures_customer_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("customer_id", "currency", name="pk_purchases_figures"),
    )


def _index_of_guests(what: str, *columns: str) -> None:
    where = sa.text(f"customer_id IS NULL AND {columns[-1]} IS NOT NULL")
    op.create_index(f"ix_purchases_receipt_guest_{what}", "purchases_receipt", list(columns), postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for table in ("purchases_figures", "purchases_receipt_line", "purchases_receipt", "purchases_product"):
        op.drop_table(table)
