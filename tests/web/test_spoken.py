"""Templates are compiled once a language: what is always the same is in them, what a template means itself is left alone."""

from __future__ import annotations

import pytest
from flask import Flask
from jinja2 import DictLoader

from regulars_core.crm import Crm
from regulars_plugin_api.i18n import in_locale
from regulars_web.app import create_app

TEMPLATES = {
    "plain.html": "<b>{{ _('Save') }}</b>{{ icon('plus', 'rg-icon-sm') }}",
    "own.html": "{% macro icon(name) %}[{{ name }}]{% endmacro %}{{ icon('plus') }}",
    "loop.html": "{% for icon in icons %}{{ icon('plus') }}{% endfor %}",
    "values.html": "{{ _('Notices') }} {{ _('%(name)s, profile', name='<i>') }} {{ _('50 %% off') }}",
    "unknown.html": "{{ _('<b>Nobody translated this</b>') }}",
    "plain.txt": "{{ _('Save') }} & {{ what }}",
    "inside.html": "{% macro row() %}{{ _('Save') }}{% endmacro %}{% set x = 1 %}{{ row() }} {{ row()|length }} {{ _('Save')|upper }}",
}


@pytest.fixture
def app(crm: Crm) -> Flask:
    app = create_app(crm)
    app.jinja_env.loader = DictLoader(TEMPLATES)
    return app


def said(app: Flask, template: str, locale: str = "en", **values: object) -> str:
    with app.test_request_context("/"), in_locale(locale):
        return app.jinja_env.get_template(template).render(**values)


def test_each_language_has_its_own(app: Flask) -> None:
    english, swedish, again = (said(app, "plain.html", locale) for locale in ("en", "sv", "en"))
    assert (english[:11], swedish[:12], again) == ("<b>Save</b>", "<b>Spara</b>", english)
    assert '<svg class="rg-icon rg-icon-sm" aria-hidden="true"><use href="/' in swedish


def test_what_a_template_means_itself_is_its_own(app: Flask) -> None:
    assert said(app, "own.html") == "[plus]"
    assert said(app, "loop.html", icons=[lambda name: f"<{name}>"]) == "&lt;plus&gt;"


def test_values_are_filled_in_each_time(app: Flask) -> None:
    assert said(app, "values.html", "sv") == "Meddelanden &lt;i&gt;, profil 50 % off"


def test_a_text_of_a_template_is_markup_translated_or_not(app: Flask) -> None:
    assert said(app, "unknown.html") == "<b>Nobody translated this</b>"


def test_without_a_request_and_in_plain_text_nothing_is_said_beforehand(app: Flask) -> None:
    app.jinja_env.get_template("plain.html")
    assert said(app, "plain.html").startswith("<b>Save</b><svg ")
    assert said(app, "plain.txt", "sv", what="<b>") == "Spara & <b>"
    assert said(app, "inside.html", "sv") == "Spara 5 SPARA"
