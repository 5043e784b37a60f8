"""The plugin's settings."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from regulars_webhooks.i18n import _


class SettingsSchema(Schema):
    """How long and how often is tried, and how long the log is kept."""

    tries = fields.Integer(
        load_default=15,
        validate=validate.Range(1, 50),
        metadata={"title": _("Tries"), "help": _("So often a delivery is tried before it is parked. Fifteen take about a day and a half.")},
    )
    seconds = fields.Integer(
        load_default=10,
        validate=validate.Range(1, 30),
        metadata={"title": _("Seconds to answer"), "help": _("What takes longer counts as not answered.")},
    )
    overlap_hours = fields.Integer(
        load_default=24,
        validate=validate.Range(0, 720),
        metadata={"title": _("Hours an old secret still signs"), "help": _("The receiver has this long to learn the new one.")},
    )
    kept_days = fields.Integer(
        load_default=30,
        validate=validate.Range(1, 3650),
        metadata={"title": _("Days the log is kept"), "help": _("What was not delivered by then is forgotten, too.")},
    )
