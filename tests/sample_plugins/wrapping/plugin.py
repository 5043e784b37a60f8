"""What the plugin is and what it adds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import marshmallow
from marshmallow import fields
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import (
    CustomerColumn,
    EventHandler,
    FieldType,
    FilterField,
    HealthCheck,
    Job,
    JobRun,
    NavItem,
    Panel,
    Permission,
    Place,
    Report,
    ReportColumn,
    SearchSource,
    Table,
    TimelineSource,
)
from regulars_plugin_api.events import CustomerCreated, Delivered
from regulars_plugin_api.exchange import Exporter
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest, Merge, PersonalTable, Tier
from regulars_plugin_api.services import Crm
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import PluginBlueprint
from sample_plugins.wrapping import service, views
from sample_plugins.wrapping.i18n import _

MANIFEST = Manifest(
    name="wrapping",
    title=_("Presents"),
    summary=_("How customers want presents wrapped."),
    category=Category.CUSTOMERS,
    api="1.0",
    personal_data=(PersonalTable("wrapping_wish", export=("words", "occasion", "made_at"), merge=Merge.MOVE),),
    tier=Tier.GOLD,
    docs="https://docs.example.com/wrapping",
)


class SettingsSchema(marshmallow.Schema):
    """What can be set."""

    most = fields.Integer(load_default=5, metadata={"title": _("Most wishes"), "description": _("More than these are refused.")})


class WishExporter(Exporter):
    """Wishes as rows."""

    kind, title, permission = "wish", _("Wishes"), "wrapping.view"

    def columns(self, session: Session) -> Sequence[str]:
        """The words."""
        return ["words"]

    def rows(self, session: Session, viewer: Any, where: Any | None) -> Iterator[Sequence[Any]]:
        """One row for each wish."""
        return iter([(one.words,) for one in service.listed(session, viewer)])


def greet(session: Session, event: Delivered[CustomerCreated]) -> None:
    """Take note of a new customer."""


def tidy(crm: Crm, job_run: JobRun) -> None:
    """Look after old wishes."""


def summed(session: Session, values: Any, viewer: Viewer) -> Table:
    """The number of wishes."""
    return Table([ReportColumn("wishes", _("Wishes"), FieldType.NUMBER)], [[len(service.listed(session, viewer))]])


@hookimpl
def plugin_enabled(crm: Crm, session: Session, first_time: bool) -> None:
    if first_time:
        service.seed(session)


@hookimpl
def permissions() -> Iterable[Permission]:
    yield Permission("wrapping.view", _("Read wishes"), roles={"manager", "clerk"})
    yield Permission("wrapping.edit", _("Write wishes"), roles={"manager", "clerk"})


@hookimpl
def settings_schema() -> type[marshmallow.Schema] | None:
    return SettingsSchema


@hookimpl
def blueprints() -> Iterable[PluginBlueprint]:
    from sample_plugins.wrapping import rest

    return [views.pages, rest.resource]


@hookimpl
def nav_items(viewer: Viewer) -> Iterable[NavItem]:
    yield NavItem(_("Wishes"), "wrapping.listed", "wrapping.view")


@hookimpl
def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]:
    if viewer.may("wrapping.view"):
        yield Panel(_("Wishes"), Place.SIDE, "wrapping/panel.html", service.of_customer)


@hookimpl
def customer_columns() -> Iterable[CustomerColumn]:
    yield CustomerColumn("wrapping.count", _("Wishes"), "wrapping.view", service.numbers)


@hookimpl
def timeline_sources() -> Iterable[TimelineSource]:
    yield TimelineSource("wrapping.wishes", _("Wishes"), "wrapping.view", service.happenings, service.told)


@hookimpl
def search_sources() -> Iterable[SearchSource]:
    yield SearchSource(_("Wishes"), "wrapping.view", service.search)


@hookimpl
def find_customer(session: Session, identifier: str) -> int | None:
    return None


@hookimpl
def filter_fields() -> Iterable[FilterField]:
    yield FilterField("wrapping.count", _("Wishes"), FieldType.NUMBER, ("eq", "gt", "lt"), service.has_many, service.number)


@hookimpl
def reports() -> Iterable[Report]:
    yield Report("wrapping.count", _("Wishes"), _("How many wishes there are."), "wrapping.view", marshmallow.Schema, summed)


@hookimpl
def exporters() -> Iterable[Exporter]:
    yield WishExporter()


@hookimpl
def event_handlers() -> Iterable[EventHandler]:
    yield EventHandler("wrapping.greet", (CustomerCreated,), apply=greet)


@hookimpl
def jobs() -> Iterable[Job]:
    yield Job("wrapping.tidy", tidy, every=dt.timedelta(hours=1))


@hookimpl
def health_checks() -> Iterable[HealthCheck]:
    yield HealthCheck("wrapping.paper", _("There is paper"), lambda session: None)
