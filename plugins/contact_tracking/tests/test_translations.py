"""The plugin's words reach people in their language."""

from __future__ import annotations

from pathlib import Path

import regulars_contact_tracking
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel
from regulars_contact_tracking.words import CHANNELS
from regulars_plugin_api.i18n import add_catalogue, in_locale

PACKAGE = Path(regulars_contact_tracking.__file__).parent


def test_staff_read_swedish() -> None:
    add_catalogue("regulars_contact_tracking", PACKAGE / "translations")
    with in_locale("sv"):
        assert [str(CHANNELS[Channel.PHONE]), str(_("Tomorrow"))] == ["Samtal", "I morgon"]
