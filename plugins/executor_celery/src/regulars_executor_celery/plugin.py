"""Deliveries run on a Celery cluster. `regulars worker` leases and passes on; `regulars celery worker` does the work."""

from __future__ import annotations

from collections.abc import Iterable

import click
import marshmallow
from sqlalchemy.orm import Session

from regulars_executor_celery import commands
from regulars_executor_celery.i18n import _
from regulars_executor_celery.schemas import SettingsSchema
from regulars_plugin_api.contributions import Executor, HealthCheck
from regulars_plugin_api.hookspecs import hookimpl
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.manifest import Category, Manifest, Tier

MANIFEST = Manifest(
    name="executor_celery",
    title=_("Celery"),
    summary=_("Runs event handlers on a Celery cluster, over Redis or RabbitMQ."),
    category=Category.OPERATIONS,
    api="1.0",
    tier=Tier.SILVER,
)


@hookimpl
def settings_schema() -> type[marshmallow.Schema] | None:
    return SettingsSchema


@hookimpl
def executors() -> Iterable[Executor]:
    # Celery takes a fifth of a second to import; only the worker needs it.
    from regulars_executor_celery.broker import Sender

    sender = Sender()
    yield Executor("celery", _("Celery"), sender.submit, sender.has_room)


@hookimpl
def cli_commands() -> Iterable[click.Command]:
    yield commands.celery


@hookimpl
def health_checks() -> Iterable[HealthCheck]:
    yield HealthCheck("executor_celery.broker", _("The broker answers"), _broker)


def _broker(session: Session) -> Text | None:
    from regulars_executor_celery.broker import problem

    reason = problem(session.info["crm"])
    return None if reason is None else _("The broker is not to be reached: %(why)s. Events wait in the database until it is.", why=reason)
