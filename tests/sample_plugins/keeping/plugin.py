"""Things that customers keep, and what goes with them: a permission, a setting, a handler, a job, a column, a panel, an importer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import marshmallow
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import CustomerColumn, EventHandler, Job, Panel, Permission, Place, Role
from regulars_plugin_api.events import CustomerCreated, Delivered, DomainEvent
from regulars_plugin_api.exchange import Column, ImportContext, Importer, Outcome, Record, Rejected
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Erase, Manifest, PersonalTable
from regulars_plugin_api.services import Crm
from regulars_plugin_api.views import CustomerView, Viewer

MANIFEST = Manifest(
    name="keeping",
    title="Things kept",
    summary="Keeps things.",
    category=Category.CUSTOMERS,
    api="1.0",
    personal_data=(
        PersonalTable("keeping_thing", export=("what",)),
        PersonalTable("keeping_book", export=("what",), erase=Erase.CLEAR, clear=("what",)),
    ),
)

# Apart from the shared Base, so that tests of core's schema do not see them.
_tables = sa.MetaData()


def _table(name: str) -> sa.Table:
    return sa.Table(
        name, _tables, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("customer_id", sa.BigInteger), sa.Column("what", sa.Text)
    )


things, books = _table("keeping_thing"), _table("keeping_book")
seeded: list[bool] = []
"""What ``plugin_enabled`` was told, in this process."""


@dataclass(frozen=True)
class ThingKept(DomainEvent):
    """A customer keeps a thing."""

    type: ClassVar[str] = "keeping.thing_kept"
    customer_id: int

    @property
    def subject(self) -> str | None:
        return f"customer:{self.customer_id}"


class SettingsSchema(marshmallow.Schema):
    """What can be set."""

    colour = fields.String(load_default="red")


class ThingImporter(Importer):
    """Imports nothing in particular."""

    kind, title, permission = "thing", "Things", "keeping.see"
    columns, tables = (Column("name", "Name", required=True),), ()

    def parse(self, row: Mapping[str, str], context: ImportContext, number: int) -> Any:
        """The name."""
        return row["name"]

    def apply(self, session: Session, batch: Sequence[Record], context: ImportContext) -> list[Outcome | Rejected]:
        """All is as it was."""
        return [Outcome.UNCHANGED for _record in batch]


def greet(session: Session, event: Delivered[CustomerCreated]) -> None:
    """Keep a greeting."""
    session.execute(sa.insert(things).values(customer_id=event.body.customer_id, what="greeting"))


def sweep(crm: Crm, run: Any) -> None:
    """Nothing to sweep."""


@hookimpl
def plugin_enabled(session: Session, first_time: bool) -> None:
    seeded.append(first_time)


@hookimpl
def permissions() -> Iterable[Permission | Role]:
    yield Role("keeper", "Keeper")
    yield Role("porter", "Porter")
    yield Role("shared", "Shared")
    yield Permission("keeping.see", "See things", roles={"manager", "clerk", "keeper", "porter"})


@hookimpl
def settings_schema() -> type[marshmallow.Schema] | None:
    return SettingsSchema


@hookimpl
def event_handlers() -> Iterable[EventHandler]:
    yield EventHandler("keeping.greet", (CustomerCreated,), apply=greet)


@hookimpl
def jobs() -> Iterable[Job]:
    yield Job("keeping.sweep", sweep, every=dt.timedelta(days=1))


@hookimpl
def customer_columns() -> Iterable[CustomerColumn]:
    yield CustomerColumn("keeping.count", "Things", "customers.view", lambda session, ids, viewer: dict.fromkeys(ids, 1))


@hookimpl
def customer_panels(customer: CustomerView, viewer: Viewer) -> Iterable[Panel]:
    yield Panel("Things", Place.SIDE, "_slot_failed.html", lambda session, customer, viewer: {})


@hookimpl
def importers() -> Iterable[Importer]:
    yield ThingImporter()
