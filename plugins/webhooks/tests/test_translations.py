"""The plugin's words reach people in their language."""

from __future__ import annotations

from pathlib import Path

import regulars_webhooks
from regulars_plugin_api.i18n import add_catalogue, in_locale
from regulars_webhooks.i18n import _
from regulars_webhooks.models import State
from regulars_webhooks.words import STATES

PACKAGE = Path(regulars_webhooks.__file__).parent


def test_staff_read_swedish() -> None:
    add_catalogue("regulars_webhooks", PACKAGE / "translations")
    with in_locale("sv"):
        assert [str(STATES[State.PARKED][2]), str(_("Send again"))] == ["Parkerad", "Skicka igen"]
