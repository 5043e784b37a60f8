"""The plugin's settings."""

from __future__ import annotations

import re

from marshmallow import Schema, ValidationError, fields, validate

from regulars_executor_celery.i18n import _
from regulars_plugin_api.settings import Secret


def _is_broker(url: str) -> None:
    if not re.match(r"(rediss?|amqps?)://", url):
        raise ValidationError([_("Give an address such as redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST//")])


def _is_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", name):
        raise ValidationError([_("Use letters, digits, dots, dashes and underscores.")])


class SettingsSchema(Schema):
    """Where the broker is, and how much may wait there."""

    broker_url = Secret(
        load_default="redis://127.0.0.1:6379/0",
        validate=_is_broker,
        metadata={"title": _("Broker"), "help": _("redis://, rediss://, amqp:// or amqps://, with user and password if it asks for them.")},
    )
    queue = fields.String(
        load_default="regulars",
        validate=_is_name,
        metadata={"title": _("Queue"), "help": _("One of its own for each installation that shares the broker.")},
    )
    waiting = fields.Integer(
        load_default=8,
        validate=validate.Range(1, 1000),
        metadata={"title": _("Batches that may wait"), "help": _("When so many wait at the broker, the rest waits in the database.")},
    )
