"""Pieces that stand on page after page, drawn once for the same values."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from flask import Flask, current_app, request
from markupsafe import Markup

from regulars_plugin_api.i18n import current_locale

MOST = 512


def install(app: Flask) -> None:
    """Keep what pages of ``app`` had drawn last, and give templates ``drawn``."""
    environment = app.jinja_env

    # Typed: 1 and True are the same key, and do not look the same.
    @lru_cache(maxsize=MOST, typed=True)
    def draw(template: str, macro: str, _locale: str, _root: str, *values: Any) -> Markup:
        found: Markup = getattr(environment.get_template(template).module, macro)(*values)
        return found

    app.extensions["regulars_drawn"] = draw
    environment.globals["drawn"] = drawn


def drawn(template: str, macro: str) -> Callable[..., Markup]:
    """What a macro makes of values that can be hashed, in this request; besides them it may ask only for words and addresses."""
    return partial(current_app.extensions["regulars_drawn"], template, macro, current_locale(), request.script_root)
