"""The importer of products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api import values
from regulars_plugin_api.bulk import insert_rows, reserve_ids, staged, update_rows
from regulars_plugin_api.exchange import ImportContext, Importer, Outcome, Record, Rejected, parsed
from regulars_plugin_api.values import DecimalMark
from regulars_purchases.exchange import cells
from regulars_purchases.exchange.columns import PRODUCT_COLUMNS
from regulars_purchases.i18n import _
from regulars_purchases.models import products

TEXTS = ("name", "brand", "department", "category", "subcategory")
PRICES = ("price", "cost")
FIELDS = (*TEXTS, *PRICES, "currency", "barcode", "is_stub")


@dataclass(slots=True)
class ProductRow:
    """One product as a file has it; ``fields`` holds what the file says."""

    sku: str
    fields: dict[str, Any]


@dataclass(slots=True, eq=False)
class ProductWork:
    """A product a batch works on; ``id`` is None for a new one."""

    id: int | None
    fields: dict[str, Any]
    was: dict[str, Any] = field(default_factory=dict)


class ProductImporter(Importer):
    """Products, matched by their article number."""

    kind = "product"
    title = _("Products")
    permission = "purchases.import"
    columns = PRODUCT_COLUMNS
    root = products.name
    tables = (products.name,)

    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> ProductRow:
        """Read one row. Raises ``Rejected``."""
        return product_row(row, context.chain_currency, context.decimal or ".")

    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """Create products and change those that differ."""
        known = _known(session, {record.value.sku for record in batch})
        outcomes: list[Outcome | Rejected] = []
        for record in batch:
            try:
                outcomes.append(_take(record, known, context))
            except Rejected as refusal:
                outcomes.append(refusal)
        _write(session, known, context)
        return outcomes


def product_row(row: Mapping[str, str], currency: str, mark: DecimalMark) -> ProductRow:
    """Read a product; prices are in ``currency`` unless it says another. Raises ``Rejected``."""
    sku = parsed(row, "sku", cells.code)
    if sku is None:
        raise Rejected("sku", "blank", _("A product needs its article number."))
    currency = parsed(row, "currency", values.currency) or currency
    fields: dict[str, Any] = {name: parsed(row, name, values.text) for name in TEXTS}
    fields |= {name: parsed(row, name, cells.unit_price, currency, mark) for name in PRICES}
    if any(fields[name] is not None for name in PRICES) or row.get("currency"):
        fields["currency"] = currency
    fields["barcode"] = parsed(row, "barcode", cells.code)
    said = {name: value for name, value in fields.items() if value is not None}
    # A number alone tells nobody what the article is.
    return ProductRow(sku, said | {"is_stub": False} if said else said)


def _known(session: Session, skus: set[str]) -> dict[str, ProductWork]:
    with staged(session, {"sku": products.c.sku.type}, ((sku,) for sku in sorted(skus))) as stage:
        columns = [products.c[name] for name in FIELDS]
        query = sa.select(products.c.sku, products.c.id, *columns).join_from(stage, products, products.c.sku == stage.c.sku)
        return {
            sku: ProductWork(product_id, dict(zip(FIELDS, cells_, strict=True)))
            for sku, product_id, *cells_ in session.execute(query.with_for_update(of=products))
        }


def _take(record: Record, known: dict[str, ProductWork], context: ImportContext) -> Outcome:
    row: ProductRow = record.value
    product = known.get(row.sku)
    if product is None:
        if context.mode == "update":
            raise Rejected("sku", "not_found", _("There is no such product to update."))
        known[row.sku] = ProductWork(None, dict.fromkeys(FIELDS) | {"is_stub": True} | row.fields)
        return Outcome.CREATED
    again = product.id is None or not context.seen.first_time(products.name, product.id)
    if context.mode == "create" and not again:
        raise Rejected("sku", "already_exists", _("This product is already here."))
    differing = {name: value for name, value in row.fields.items() if product.fields[name] != value}
    if again:
        # Folded into the earlier record: it adds what that one lacked, so that the same file changes nothing the next time.
        if any(product.fields[name] is not None for name in differing):
            context.notes.add("product_repeated", _("The same product stands in the file twice; the first was taken."), record.number)
        differing = {name: value for name, value in differing.items() if product.fields[name] is None or name == "is_stub"}
    for name, value in differing.items():
        product.was.setdefault(name, product.fields[name])
        product.fields[name] = value
    return Outcome.MERGED if again else Outcome.UPDATED if differing else Outcome.UNCHANGED


def _write(session: Session, batch: Mapping[str, ProductWork], context: ImportContext) -> None:
    new = {sku: product for sku, product in batch.items() if product.id is None}
    ids = reserve_ids(session, products, len(new))
    rows = [(one, sku, *(product.fields[name] for name in FIELDS)) for one, (sku, product) in zip(ids, new.items(), strict=True)]
    insert_rows(session, products, ("id", "sku", *FIELDS), rows)
    context.journal.created(products.name, ids)
    for product_id in ids:
        context.seen.first_time(products.name, product_id)
    changed = [(product.id, product) for product in batch.values() if product.id is not None and product.was]
    update_rows(session, products, FIELDS, [(one, *(product.fields[name] for name in FIELDS)) for one, product in changed])
    changes = ((one, name, old, product.fields[name]) for one, product in changed for name, old in product.was.items())
    context.journal.updated(products.name, changes)
