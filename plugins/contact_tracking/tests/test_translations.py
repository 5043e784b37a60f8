"""The plugin's words reach people in their language."""

from __future__ import annotations

from pathlib import Path

import pytest

import regulars_contact_tracking
from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel
from regulars_contact_tracking.words import CHANNELS
from regulars_plugin_api.i18n import add_catalogue, in_locale

PACKAGE = Path(regulars_contact_tracking.__file__).parent


@pytest.mark.parametrize(("locale", "words"), [("sv", ["Samtal", "I morgon"]), ("fa", ["تماس تلفنی", "فردا"])])
def test_staff_read_their_language(locale: str, words: list[str]) -> None:
    add_catalogue("regulars_contact_tracking", PACKAGE / "translations")
    with in_locale(locale):
        assert [str(CHANNELS[Channel.PHONE]), str(_("Tomorrow"))] == words
