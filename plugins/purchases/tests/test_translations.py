"""The plugin's words reach people in their language."""

from __future__ import annotations

from pathlib import Path

import pytest

import regulars_purchases
from regulars_plugin_api.i18n import add_catalogue, in_locale
from regulars_purchases.i18n import _n

PACKAGE = Path(regulars_purchases.__file__).parent


@pytest.mark.parametrize(("locale", "words"), [("sv", ["Köpte en vara", "Köpte 2 varor"]), ("fa", ["یک کالا خرید", "۲ کالا خرید"])])
def test_staff_read_their_language(locale: str, words: list[str]) -> None:
    add_catalogue("regulars_purchases", PACKAGE / "translations")
    with in_locale(locale):
        assert [str(_n("Bought one article", "Bought %(num)s articles", count)) for count in (1, 2)] == words
