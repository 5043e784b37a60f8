"""A plugin that implements every hook of the platform."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any

import click
import marshmallow
import sqlalchemy as sa
from flask import request
from marshmallow import fields
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import (
    Action,
    CustomerColumn,
    DataSection,
    ErasureNote,
    EventHandler,
    Executor,
    FieldType,
    FilterField,
    HealthCheck,
    Job,
    JobRun,
    LeasedBatch,
    Message,
    MessageChannel,
    NavItem,
    Panel,
    Permission,
    Place,
    Problem,
    Report,
    ReportColumn,
    Role,
    SearchHit,
    SearchSource,
    SignInProvider,
    Table,
    TimelineEntry,
    TimelineSource,
    Topic,
    Veto,
    Widget,
)
from regulars_plugin_api.db import customers
from regulars_plugin_api.events import Delivered, StoreCreated
from regulars_plugin_api.exchange import Column, Exporter, ImportContext, Importer, Outcome, Record, Rejected
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest
from regulars_plugin_api.services import Crm
from regulars_plugin_api.settings import Secret
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_plugin_api.web import PUBLIC, PluginBlueprint, access, sign_in
from sample_plugins import everything_hookspecs

MANIFEST = Manifest(name="everything", title="Everything", summary="Implements every hook.", category=Category.OPERATIONS, api="1.0")

told: list[Any] = []

pages = PluginBlueprint("everything", __name__, url_prefix="/everything", template_folder=None)


@pages.get("/enter")
@access(PUBLIC)
def enter() -> Any:
    """Whoever comes with the name of somebody the other side knows, is let in as that person."""
    return sign_in(request.args["email"], request.args.get("next", "/"))


@pages.get("/")
@access("everything.see")
def page() -> str:
    """A page."""
    return "everything"


class SettingsSchema(marshmallow.Schema):
    """What can be set."""

    url = fields.Url(load_default="https://example.com")
    token = Secret(load_default="")


class ThingImporter(Importer):
    """Imports nothing in particular."""

    kind, title, permission = "thing", "Things", "everything.see"
    columns, tables = (Column("name", "Name", required=True),), ()

    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> Any:
        """The name."""
        return row["name"]

    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """All is as it was."""
        return [Outcome.UNCHANGED for _record in batch]


class ThingExporter(Exporter):
    """Exports nothing in particular."""

    kind, title, permission = "thing", "Things", "everything.see"

    def columns(self, session: Session) -> Sequence[str]:
        """The name."""
        return ["name"]

    def rows(self, session: Session, viewer: Any, where: Any | None) -> Iterator[Sequence[Any]]:
        """Nothing."""
        return iter(())


class CountedSchema(marshmallow.Schema):
    """How far to count."""

    upto = fields.Integer(load_default=3, validate=marshmallow.validate.Range(0, 1000), metadata={"title": "Last number"})
    word = fields.String(load_default="=1+1")


def counted(session: Session, values: Mapping[str, Any], viewer: Viewer) -> Table:
    """A row per number, with its price and a word."""
    kinds = {"number": FieldType.NUMBER, "price": FieldType.MONEY, "word": FieldType.TEXT}
    columns = [ReportColumn(name, name.title(), kind) for name, kind in kinds.items()]
    rows = [[number, Decimal(number) / 4, values["word"]] for number in range(1, values["upto"] + 1)]
    return Table(columns, rows, ["Prices are invented."])


def handle(session: Session, event: Delivered[StoreCreated]) -> None:
    """Remember the event."""
    told.append(event.body)


def run(crm: Crm, job_run: JobRun) -> None:
    """Remember the run."""
    told.append(job_run)


def submit(crm: Crm, batch: LeasedBatch) -> None:
    """Remember the batch."""
    told.append(batch)


def send(crm: Crm, message: Message) -> None:
    """Remember the message."""
    told.append(message)


@hookimpl
def plugin_hookspecs() -> Iterable[ModuleType]:
    return [everything_hookspecs]


@hookimpl
def colours() -> Iterable[str]:
    return ["red"]


@hookimpl
def crm_started(crm: Crm) -> None:
    crm.signals.connect("everything", StoreCreated, lambda event: told.append(("signal", event.code)))


@hookimpl
def plugin_enabled(crm: Crm, session: Session, first_time: bool) -> None:
    told.append(("enabled", first_time))


@hookimpl
def permissions() -> Iterable[Permission | Role]:
    yield Permission("everything.see", "See everything", roles={"manager"})
    yield Role("watcher", "Watcher")


@hookimpl
def settings_schema() -> type[marshmallow.Schema] | None:
    return SettingsSchema


@hookimpl
def blueprints() -> Iterable[PluginBlueprint]:
    return [pages]


@hookimpl
def cli_commands() -> Iterable[click.Command]:
    return [click.Command("everything")]


@hookimpl
def nav_items(viewer: Viewer) -> Iterable[NavItem]:
    yield NavItem("Everything", "everything.page", "everything.see")


@hookimpl
def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]:
    yield Panel("Everything", Place.SIDE, "everything/panel.html", lambda session, customer, viewer: {"name": customer.display_name})


@hookimpl
def customer_actions(customer: CustomerView | None, viewer: Viewer) -> Iterable[Action]:
    yield Action("Touch", "everything.page", "everything.see", bulk=customer is None)


@hookimpl
def customer_columns() -> Iterable[CustomerColumn]:
    yield CustomerColumn("everything.one", "One", "everything.see", lambda session, ids, viewer: dict.fromkeys(ids, 1))


@hookimpl
def timeline_sources() -> Iterable[TimelineSource]:
    def happenings(viewer: Viewer) -> sa.Select[*tuple[Any, ...]]:
        nothing = (sa.null().label("at"), sa.literal("birth").label("kind"), sa.null().label("channel"), sa.null().label("store_id"))
        return sa.select(customers.c.id.label("customer_id"), *nothing, customers.c.id.label("ref")).where(sa.false())

    def render(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
        return {ref: TimelineEntry("Born") for ref in refs}

    yield TimelineSource("everything.births", "Births", "everything.see", happenings, render)


@hookimpl
def dashboard_widgets(viewer: Viewer) -> Iterable[Widget]:
    yield Widget("Everything", "everything/widget.html", lambda session, viewer: {}, "everything.see")


@hookimpl
def search_sources() -> Iterable[SearchSource]:
    yield SearchSource("Things", "everything.see", lambda session, text, limit, viewer: [SearchHit(text, "/everything/")])


@hookimpl
def find_customer(session: Session, identifier: str) -> int | None:
    return 42 if identifier == "answer" else None


@hookimpl
def validate_customer(session: Session, draft: Mapping[str, Any], existing: CustomerView | None) -> Iterable[Problem]:
    if draft.get("last_name") == "Nobody":
        yield Problem("Nobody is not a customer.", "last_name")


@hookimpl
def customers_merging(crm: Crm, session: Session, keep_id: int, drop_id: int) -> None:
    told.append(("merging", keep_id, drop_id))


@hookimpl
def customers_unmerging(crm: Crm, session: Session, merge: Mapping[str, Any]) -> None:
    told.append(("unmerging", merge["keep_id"], merge["drop_id"]))


@hookimpl
def export_personal_data(crm: Crm, session: Session, customer_id: int) -> Iterable[DataSection]:
    yield DataSection("Everything", [{"customer": customer_id}])


@hookimpl
def erase_personal_data(crm: Crm, session: Session, customer_id: int) -> Iterable[ErasureNote]:
    yield ErasureNote("Everything erased")


@hookimpl
def filter_fields() -> Iterable[FilterField]:
    yield FilterField("everything.id", "Id", FieldType.NUMBER, ["eq"], lambda column, op, value: column == value, lambda session, one: one)


@hookimpl
def reports() -> Iterable[Report]:
    yield Report("everything.counted", "Counted", "Numbers up to a last one.", "everything.see", CountedSchema, counted)


@hookimpl
def importers() -> Iterable[Importer]:
    yield ThingImporter()


@hookimpl
def exporters() -> Iterable[Exporter]:
    yield ThingExporter()


@hookimpl
def message_channels() -> Iterable[MessageChannel]:
    yield MessageChannel("email", "Pigeon post", lambda customer: customer.email, send)


@hookimpl
def preference_topics() -> Iterable[Topic]:
    yield Topic("news", "News")


@hookimpl
def contact_vetoes(session: Session, customer_ids: Sequence[int], channel: str, purpose: str) -> Iterable[Veto]:
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    return [Veto(one, "Odd ones rest.") if one % 2 else Veto(one, "Was at sea.", until=long_ago) for one in customer_ids]


@hookimpl
def event_handlers() -> Iterable[EventHandler]:
    yield EventHandler("everything.remember", (StoreCreated,), apply=handle, replay=True)


@hookimpl
def jobs() -> Iterable[Job]:
    yield Job("everything.hourly", run, every=dt.timedelta(hours=1))


@hookimpl
def executors() -> Iterable[Executor]:
    yield Executor("elsewhere", "Elsewhere", submit)


@hookimpl
def sign_in_providers() -> Iterable[SignInProvider]:
    yield SignInProvider("everything", "Sign in with Everything", "everything.enter")


@hookimpl
def health_checks() -> Iterable[HealthCheck]:
    yield HealthCheck("everything.well", "Everything", lambda session: None)


@hookimpl
def demo_data(crm: Crm, size: str) -> None:
    told.append(("demo", size))
