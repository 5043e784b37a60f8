"""The plugin's words reach people in their language."""

from __future__ import annotations

from pathlib import Path

import pytest

import regulars_webhooks
from regulars_plugin_api.i18n import add_catalogue, in_locale
from regulars_webhooks.i18n import _
from regulars_webhooks.models import State
from regulars_webhooks.words import STATES

PACKAGE = Path(regulars_webhooks.__file__).parent


@pytest.mark.parametrize(("locale", "words"), [("sv", ["Parkerad", "Skicka igen"]), ("fa", ["کنار گذاشته شد", "فرستادن دوباره"])])
def test_staff_read_their_language(locale: str, words: list[str]) -> None:
    add_catalogue("regulars_webhooks", PACKAGE / "translations")
    with in_locale(locale):
        assert [str(STATES[State.PARKED][2]), str(_("Send again"))] == words
