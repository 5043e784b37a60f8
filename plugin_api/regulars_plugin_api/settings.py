"""Fields for a plugin's settings schema beyond those of marshmallow."""

from __future__ import annotations

from marshmallow import fields


class Secret(fields.String):
    """A password or token: stored encrypted, never shown again. An empty one in the form keeps what is stored."""
