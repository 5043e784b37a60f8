"""Webhooks: what happens, told to other systems: signed, each object's events in order, until they have it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import click
from marshmallow import Schema

from regulars_plugin_api.contributions import EventHandler, Job, NavItem, Permission
from regulars_plugin_api.events import known_events
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.manifest import Category, Manifest, PersonalTable, Tier
from regulars_plugin_api.views import Viewer
from regulars_plugin_api.web import PluginBlueprint
from regulars_webhooks import commands, delivery_views, handlers, rest, views
from regulars_webhooks.i18n import _
from regulars_webhooks.jobs import tidy
from regulars_webhooks.schemas import SettingsSchema
from regulars_webhooks.sending import asking
from regulars_webhooks.sending.run import run

VIEWS = (views, delivery_views)
"""Modules that add views to the plugin's blueprint."""

MANIFEST = Manifest(
    name="webhooks",
    title=_("Webhooks"),
    summary=_("Tells other systems what happens: signed, in order, and again until they have it."),
    category=Category.CONNECTORS,
    api="1.0",
    tier=Tier.SILVER,
    personal_data=(PersonalTable("webhooks_delivery", export=("type", "at", "subject", "body", "endpoint_id", "state")),),
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


@hookimpl
def jobs() -> Iterable[Job]:
    yield Job(asking.JOB, run)
    yield Job("webhooks.tidy", tidy, every=dt.timedelta(minutes=10))


@hookimpl
def blueprints() -> Iterable[PluginBlueprint]:
    yield views.pages
    yield rest.webhooks


@hookimpl
def nav_items(viewer: Viewer) -> Iterable[NavItem]:
    if viewer.store_ids is None:
        yield NavItem(_("Webhooks"), "webhooks.listed", "webhooks.view", section="administration", weight=45, icon="plug-connected")


@hookimpl
def cli_commands() -> Iterable[click.Command]:
    yield commands.webhooks
