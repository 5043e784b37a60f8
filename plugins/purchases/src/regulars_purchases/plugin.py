"""Purchases: what customers bought."""

from __future__ import annotations

from collections.abc import Iterable

from regulars_plugin_api.contributions import Permission
from regulars_plugin_api.exchange import Importer
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Erase, Manifest, Merge, PersonalTable
from regulars_purchases.exchange.products import ProductImporter
from regulars_purchases.exchange.sales import SaleImporter
from regulars_purchases.i18n import _

CLUES = ("customer_source", "customer_number", "customer_email", "customer_phone")

MANIFEST = Manifest(
    name="purchases",
    title=_("Purchases"),
    summary=_("What customers bought: products, receipts and returns."),
    category=Category.SALES,
    api="1.0",
    personal_data=(
        PersonalTable(
            "purchases_receipt",
            export=("business_date", "sold_at", "till", "receipt_no", "currency", "total_minor", "units", *CLUES),
            erase=Erase.CLEAR,
            clear=("customer_id", *CLUES),
        ),
        PersonalTable(
            "purchases_figures", export=("currency", "first_on", "last_on", "receipts", "value_minor", "units"), merge=Merge.HOOK
        ),
    ),
)


@hookimpl
def permissions() -> Iterable[Permission]:
    everybody = {"manager", "clerk", "marketer", "analyst"}
    yield Permission("purchases.view", _("See what customers bought"), roles=everybody)
    yield Permission("purchases.all_stores", _("See amounts of other stores' receipts"), roles={"manager", "analyst"})
    yield Permission("purchases.import", _("Import products and sales"), roles={"manager"})
    yield Permission("purchases.export", _("Export products and sales"), roles={"manager", "analyst"})


@hookimpl
def importers() -> Iterable[Importer]:
    yield ProductImporter()
    yield SaleImporter()
