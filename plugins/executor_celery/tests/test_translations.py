"""The plugin's words reach people in their language."""

from __future__ import annotations

from pathlib import Path

import pytest

import regulars_executor_celery
from regulars_executor_celery.i18n import _
from regulars_plugin_api.i18n import add_catalogue, in_locale

PACKAGE = Path(regulars_executor_celery.__file__).parent


@pytest.mark.parametrize(("locale", "words"), [("sv", "Buntar som får vänta"), ("fa", "دسته‌هایی که می‌توانند منتظر بمانند")])
def test_staff_read_their_language(locale: str, words: str) -> None:
    add_catalogue("regulars_executor_celery", PACKAGE / "translations")
    with in_locale(locale):
        assert str(_("Batches that may wait")) == words
