"""Tables of products, receipts, their lines, and each customer's figures."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from regulars_plugin_api.db import (
    Base,
    BigInt,
    CodeText,
    CustomerLinked,
    CustomerOwned,
    Money,
    Quantity,
    Uid,
    UnitPrice,
    dump_as,
    text_enum,
)
from regulars_purchases.i18n import _


class LineKind(enum.Enum):
    """What a line of a receipt is. A return has negative quantity and amount."""

    SALE = "sale"
    RETURN = "return"


class Product(Base):
    """An article the chain sells. A stub was met on a receipt before anybody told what it is."""

    __tablename__ = "purchases_product"
    __table_args__ = {"info": dump_as("sku", title=_("Product"))}

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(CodeText, unique=True)
    name: Mapped[str | None]
    brand: Mapped[str | None]
    department: Mapped[str | None]
    category: Mapped[str | None]
    subcategory: Mapped[str | None]
    price: Mapped[Decimal | None] = mapped_column(UnitPrice)
    cost: Mapped[Decimal | None] = mapped_column(UnitPrice)
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    barcode: Mapped[str | None] = mapped_column(CodeText, index=True)
    is_stub: Mapped[bool] = mapped_column(default=False)


def _of_guests(name: str, *columns: str) -> sa.Index:
    """An index of what guest receipts say of their customer; receipts of known customers stay out of it."""
    where = sa.text(f"customer_id IS NULL AND {columns[-1]} IS NOT NULL")
    return sa.Index(name, *columns, postgresql_where=where, sqlite_where=where)


class Receipt(CustomerLinked, Base):
    """One visit to a till. ``total``, ``units`` and ``line_count`` are sums over its lines, returns taken off.

    Without a customer it is a guest receipt: what the till knew of the customer is kept, and claimed when such a customer comes.
    """

    __tablename__ = "purchases_receipt"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "till", "business_date", "receipt_no"),
        sa.Index("ix_purchases_receipt_customer_id_sold_at_id", "customer_id", "sold_at", "id"),
        _of_guests("ix_purchases_receipt_guest_number", "customer_source", "customer_number"),
        _of_guests("ix_purchases_receipt_guest_email", "customer_email"),
        _of_guests("ix_purchases_receipt_guest_phone", "customer_phone"),
        {"info": dump_as("store_id", "till", "business_date", "receipt_no", omit=("uid",), title=_("Receipt"))},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    # The customer's page reads receipts in the order of time; the index for it serves as the foreign key's too.
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id", ondelete="SET NULL"))
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("store.id", ondelete="SET NULL"))
    till: Mapped[str] = mapped_column(CodeText, default="")
    business_date: Mapped[dt.date]
    receipt_no: Mapped[str] = mapped_column(CodeText, index=True)
    sold_at: Mapped[dt.datetime]
    currency: Mapped[str] = mapped_column(sa.String(3))
    total_minor: Mapped[int] = mapped_column(default=0)
    units: Mapped[Decimal] = mapped_column(Quantity, default=0)
    line_count: Mapped[int] = mapped_column(default=0)
    cashier: Mapped[str | None]
    customer_source: Mapped[str | None] = mapped_column(CodeText)
    customer_number: Mapped[str | None] = mapped_column(CodeText)
    customer_email: Mapped[str | None] = mapped_column(CodeText)
    customer_phone: Mapped[str | None] = mapped_column(CodeText)

    total = Money("total_minor")


class ReceiptLine(Base):
    """One line of a receipt, in the receipt's currency.

    ``amount_minor`` is the line's total after ``discount_minor``; ``unit_price`` and ``cost`` are of one piece. ``sku`` stays as the
    till wrote it when the product goes.
    """

    __tablename__ = "purchases_receipt_line"
    __table_args__ = (
        sa.UniqueConstraint("receipt_id", "line_no"),
        {"info": dump_as("receipt_id", "line_no", title=_("Line of a receipt"))},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int] = mapped_column(sa.ForeignKey("purchases_receipt.id", ondelete="CASCADE"))
    line_no: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("purchases_product.id", ondelete="SET NULL"), index=True)
    sku: Mapped[str | None] = mapped_column(CodeText)
    kind: Mapped[LineKind] = mapped_column(text_enum(LineKind), default=LineKind.SALE)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal | None] = mapped_column(UnitPrice)
    amount_minor: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    cost: Mapped[Decimal | None] = mapped_column(UnitPrice)


class Figures(CustomerOwned, Base):
    """What one customer's receipts in one currency come to, kept in the transaction that changes a receipt."""

    __tablename__ = "purchases_figures"
    __table_args__ = {"info": dump_as("customer_id", "currency", derived=True)}

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True)
    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True)
    first_on: Mapped[dt.date]
    last_on: Mapped[dt.date]
    receipts: Mapped[int]
    value_minor: Mapped[int]
    units: Mapped[Decimal] = mapped_column(Quantity)

    value = Money("value_minor")


def _stored(model: type[Base]) -> sa.Table:
    """A table as the database keeps it: prices and quantities as whole numbers, kinds as text.

    Bulk writers work in these; turning a million ``Decimal`` into numbers one by one would take longer than writing them.
    """
    return sa.Table(model.__tablename__, sa.MetaData(), *(_plain(column) for column in model.__table__.columns))


def _plain(column: sa.Column[Any]) -> sa.Column[Any]:
    plain: dict[type, sa.types.TypeEngine[Any]] = {UnitPrice: BigInt, Quantity: BigInt, sa.Enum: sa.Text()}
    # A foreign key learns its type from its target, which the platform may not have declared yet.
    kind = BigInt if column.foreign_keys else plain.get(type(column.type), column.type)
    return sa.Column(column.name, kind, primary_key=column.primary_key)


products, receipts, lines, figures = _stored(Product), _stored(Receipt), _stored(ReceiptLine), _stored(Figures)
