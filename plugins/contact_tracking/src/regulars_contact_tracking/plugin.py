"""Contact tracking: what was said to customers, and what comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from regulars_contact_tracking import client_views, contributions, demo, filters, follow_up_views, plans, reminders, rest, views
from regulars_contact_tracking.exchange.exporting import InteractionExporter
from regulars_contact_tracking.exchange.importing import InteractionImporter
from regulars_contact_tracking.i18n import _
from regulars_plugin_api.contributions import (
    CustomerColumn,
    FilterField,
    Job,
    NavItem,
    Panel,
    Permission,
    SearchSource,
    TimelineSource,
    Widget,
)
from regulars_plugin_api.exchange import Exporter, Importer
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest, Merge, PersonalTable, Tier
from regulars_plugin_api.services import Crm
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import PluginBlueprint

VIEWS = (views, follow_up_views, client_views)
"""Modules that add views to the plugin's blueprint."""

MANIFEST = Manifest(
    name="contact_tracking",
    title=_("Contacts"),
    summary=_("Calls, visits and messages, follow-ups, client books and plans of recurring contacts."),
    category=Category.CUSTOMERS,
    api="1.0",
    tier=Tier.SILVER,
    after=("purchases",),
    personal_data=(
        PersonalTable(
            "contact_tracking_interaction",
            export=("at", "channel", "direction", "person", "subject", "text", "outcome", "source", "number"),
        ),
        PersonalTable("contact_tracking_follow_up", export=("what", "channel", "due_on", "done_at", "outcome"), merge=Merge.UNION),
        PersonalTable("contact_tracking_client", export=("rank", "star"), merge=Merge.UNION),
        PersonalTable("contact_tracking_detail", export=("kind", "title", "value", "day")),
        PersonalTable("contact_tracking_plan", export=("what", "channel", "every", "unit", "starts_on")),
    ),
)


@hookimpl
def permissions() -> Iterable[Permission]:
    yield Permission("contact_tracking.view", _("Read what was said to customers"), roles={"manager", "clerk", "marketer", "analyst"})
    yield Permission("contact_tracking.log", _("Write down contacts and do follow-ups"), roles={"manager", "clerk", "marketer"})
    yield Permission("contact_tracking.manage", _("Change other people's contacts and hand over their follow-ups"), roles={"manager"})
    yield Permission("contact_tracking.import", _("Import contacts"), roles={"manager"})
    yield Permission("contact_tracking.export", _("Export contacts"), roles={"manager", "analyst"})


@hookimpl
def importers() -> Iterable[Importer]:
    yield InteractionImporter()


@hookimpl
def exporters() -> Iterable[Exporter]:
    yield InteractionExporter()


@hookimpl
def blueprints() -> Iterable[PluginBlueprint]:
    yield views.pages
    yield rest.interactions


@hookimpl
def nav_items(viewer: Viewer) -> Iterable[NavItem]:
    return contributions.MENU


@hookimpl
def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]:
    if viewer.may("contact_tracking.view"):
        yield contributions.NEXT_STEP
        yield contributions.CLIENT_BOOK
    if viewer.may("contact_tracking.log") and not customer.deleted:
        yield contributions.COMPOSER


@hookimpl
def customer_columns() -> Iterable[CustomerColumn]:
    return contributions.COLUMNS


@hookimpl
def timeline_sources() -> Iterable[TimelineSource]:
    return contributions.TIMELINE


@hookimpl
def dashboard_widgets(viewer: Viewer) -> Iterable[Widget]:
    yield contributions.TILE


@hookimpl
def search_sources() -> Iterable[SearchSource]:
    yield contributions.SEARCH


@hookimpl
def filter_fields() -> Iterable[FilterField]:
    return filters.fields()


@hookimpl
def jobs() -> Iterable[Job]:
    yield Job("contact_tracking.make_planned_follow_ups", plans.run, every=dt.timedelta(hours=6))
    yield Job("contact_tracking.remind", reminders.run, every=dt.timedelta(hours=1))


@hookimpl
def demo_data(crm: Crm, size: str) -> None:
    demo.fill(crm, size)
