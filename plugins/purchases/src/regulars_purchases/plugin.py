"""Purchases: what customers bought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import (
    CustomerColumn,
    DataSection,
    ErasureNote,
    EventHandler,
    FilterField,
    Panel,
    Permission,
    SearchSource,
    TimelineSource,
)
from regulars_plugin_api.exchange import Exporter, Importer
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Erase, Manifest, Merge, PersonalTable, Tier
from regulars_plugin_api.services import Crm
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import PluginBlueprint
from regulars_purchases import claims, contributions, demo, figures, filters, personal, service, views
from regulars_purchases.claims import CLUES
from regulars_purchases.exchange.exporters import ProductExporter, SaleExporter
from regulars_purchases.exchange.products import ProductImporter
from regulars_purchases.exchange.sales import SaleImporter
from regulars_purchases.i18n import _

MANIFEST = Manifest(
    name="purchases",
    title=_("Purchases"),
    summary=_("What customers bought: products, receipts and returns."),
    category=Category.SALES,
    api="1.0",
    tier=Tier.SILVER,
    personal_data=(
        PersonalTable(
            "purchases_receipt",
            export=("business_date", "sold_at", "till", "receipt_no", "currency", "total_minor", "units", *CLUES),
            erase=Erase.CLEAR,
            clear=("customer_id", *CLUES),
        ),
        PersonalTable(
            "purchases_figures",
            export=("currency", "first_on", "last_on", "receipts", "value_minor", "units"),
            merge=Merge.HOOK,
        ),
    ),
)


@hookimpl
def permissions() -> Iterable[Permission]:
    yield Permission("purchases.view", _("See what customers bought"), roles={"manager", "clerk", "marketer", "analyst"})
    yield Permission("purchases.all_stores", _("See what was paid in other stores"), roles={"manager", "marketer", "analyst"})
    yield Permission("purchases.import", _("Import products and sales"), roles={"manager"})
    yield Permission("purchases.edit", _("Add and change products"), roles={"manager"})
    yield Permission("purchases.record", _("Send in receipts through the API"), roles={"manager"})
    yield Permission("purchases.export", _("Export products and sales"), roles={"manager", "analyst"})


@hookimpl
def blueprints() -> Iterable[PluginBlueprint]:
    # Only the web process needs what REST is made of.
    from regulars_purchases import rest

    yield from (views.pages, rest.products, rest.receipts)


@hookimpl
def importers() -> Iterable[Importer]:
    yield ProductImporter()
    yield SaleImporter()


@hookimpl
def exporters() -> Iterable[Exporter]:
    yield ProductExporter()
    yield SaleExporter()


@hookimpl
def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]:
    if viewer.may("purchases.view"):
        yield contributions.PANEL


@hookimpl
def customer_columns() -> Iterable[CustomerColumn]:
    return contributions.COLUMNS


@hookimpl
def timeline_sources() -> Iterable[TimelineSource]:
    yield contributions.TIMELINE


@hookimpl
def search_sources() -> Iterable[SearchSource]:
    yield contributions.SEARCH


@hookimpl
def find_customer(session: Session, identifier: str) -> int | None:
    return service.customer_of_number(session, identifier.strip())


@hookimpl
def filter_fields() -> Iterable[FilterField]:
    return filters.fields()


@hookimpl
def customers_merging(session: Session, keep_id: int, drop_id: int) -> None:
    figures.unite(session, keep_id, drop_id)


@hookimpl
def customers_unmerging(session: Session, merge: Mapping[str, Any]) -> None:
    figures.recompute(session, (merge["keep_id"], merge["drop_id"]))


@hookimpl
def export_personal_data(session: Session, customer_id: int) -> Iterable[DataSection]:
    yield personal.bought(session, customer_id)


@hookimpl
def erase_personal_data(session: Session, customer_id: int) -> Iterable[ErasureNote]:
    if claims.forget_clues(session, customer_id):
        yield ErasureNote(_("Receipts of guests no longer bear the customer's number, e-mail or phone."))


@hookimpl
def event_handlers() -> Iterable[EventHandler]:
    yield EventHandler("purchases.claim_guest_receipts", claims.CUES, apply=claims.claim)


@hookimpl
def demo_data(crm: Crm, size: str) -> None:
    demo.fill(crm, size)
