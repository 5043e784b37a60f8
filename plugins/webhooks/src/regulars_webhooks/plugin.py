"""Webhooks: what happens, told to other systems: signed, each object's events in order, until they have it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from marshmallow import Schema

from regulars_plugin_api.contributions import EventHandler, Job, Permission
from regulars_plugin_api.events import known_events
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest, PersonalTable
from regulars_webhooks import handlers
from regulars_webhooks import jobs as periodic
from regulars_webhooks.i18n import _
from regulars_webhooks.schemas import SettingsSchema
from regulars_webhooks.sending import asking
from regulars_webhooks.sending.run import run

MANIFEST = Manifest(
    name="webhooks",
    title=_("Webhooks"),
    summary=_("Tells other systems what happens: signed, in order, and again until they have it."),
    category=Category.CONNECTORS,
    api="1.0",
    personal_data=(PersonalTable("webhooks_delivery", export=("type", "at", "endpoint_id", "state")),),
)


@hookimpl
def permissions() -> Iterable[Permission]:
    yield Permission("webhooks.view", _("See webhooks and what was sent"))
    yield Permission("webhooks.manage", _("Add and change webhooks, and send again"))


@hookimpl
def settings_schema() -> type[Schema] | None:
    return SettingsSchema


@hookimpl
def event_handlers() -> Iterable[EventHandler]:
    yield EventHandler("webhooks.note", tuple(known_events().values()), apply=handlers.note, in_order=True)


@hookimpl(specname="jobs")
def periodic_jobs() -> Iterable[Job]:
    yield Job(asking.JOB, run)
    yield Job("webhooks.tidy", periodic.tidy, every=dt.timedelta(minutes=10))
