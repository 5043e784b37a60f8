"""Every word of the plugin is there in Swedish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo

import regulars_webhooks
from regulars_plugin_api.i18n import add_catalogue, in_locale
from regulars_webhooks.i18n import _
from regulars_webhooks.models import State
from regulars_webhooks.words import STATES

PACKAGE = Path(regulars_webhooks.__file__).parent
SWEDISH = PACKAGE / "translations" / "sv" / "LC_MESSAGES"


def test_every_message_is_translated() -> None:
    keywords = {"_": None, "_n": (1, 2), "ngettext": (1, 2)}
    found = extract_from_dir(str(PACKAGE), [("**.py", "python"), ("**.html", "jinja2")], keywords=keywords)
    said = {message for _file, _line, message, _comments, _context in found}
    with (SWEDISH / "regulars_webhooks.mo").open("rb") as file:
        known = _texts(read_mo(file))
    assert {message if isinstance(message, str) else tuple(message) for message in said} == known.keys()
    assert all(text if isinstance(text, str) else all(text) for text in known.values())


def _texts(catalogue: Catalog) -> dict[Any, Any]:
    """Message -> text, those with a plural as pairs."""
    pairs = ((message.id, message.string) for message in catalogue if message.id)
    return {
        tuple(one) if isinstance(one, list | tuple) else one: tuple(text) if isinstance(text, list | tuple) else text for one, text in pairs
    }


def test_staff_read_swedish() -> None:
    add_catalogue("regulars_webhooks", PACKAGE / "translations")
    with in_locale("sv"):
        assert [str(STATES[State.PARKED][2]), str(_("Send again"))] == ["Parkerad", "Skicka igen"]
