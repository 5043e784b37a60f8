"""The plugin's words reach people in their language."""

from __future__ import annotations

from pathlib import Path

import regulars_purchases
from regulars_plugin_api.i18n import add_catalogue, in_locale
from regulars_purchases.i18n import _n

PACKAGE = Path(regulars_purchases.__file__).parent


def test_staff_read_swedish() -> None:
    add_catalogue("regulars_purchases", PACKAGE / "translations")
    with in_locale("sv"):
        assert [str(_n("Bought one article", "Bought %(num)s articles", count)) for count in (1, 2)] == ["Köpte en vara", "Köpte 2 varor"]
