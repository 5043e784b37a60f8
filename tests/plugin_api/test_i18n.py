"""Translatable text."""

from __future__ import annotations

from regulars_plugin_api.i18n import _, _n


def test_placeholders_may_be_called_like_the_parameters_of_the_translator() -> None:
    assert str(_("%(path)s: %(message)s", path="all[0]", message="no", domain="x")) == "all[0]: no"
    assert str(_n("%(num)s %(singular)s", "%(num)s %(plural)s", 2, singular="row", plural="rows", count="x")) == "2 rows"
