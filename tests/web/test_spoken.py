"""Templates are compiled once a language: what is always the same is in them, what a template means itself is left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader
from markupsafe import Markup, escape

from regulars_core.crm import Crm
from regulars_plugin_api.i18n import _, in_locale
from regulars_web.app import create_app
from regulars_web.spoken import SpokenEnvironment

TEMPLATES = {
    "plain.html": "<b>{{ _('Save') }}</b>{{ icon('plus', 'rg-icon-sm') }}",
    "own.html": "{% macro icon(name) %}[{{ name }}]{% endmacro %}{{ icon('plus') }}",
    "loop.html": "{% for icon in icons %}{{ icon('plus') }}{% endfor %}",
    "values.html": "{{ _('Notices') }} {{ _('%(name)s, profile', name='<i>') }} {{ _('50 %% off') }}",
    "unknown.html": "{{ _('<b>Nobody translated this</b>') }}",
    "escaped.html": "{{ value }}|{% macro said() %}{{ value }}{% endmacro %}{{ said() }}|{% set kept %}{{ value }}{% endset %}{{ kept }}",
    "unescaped.html": "{% autoescape false %}{{ value }}{% endautoescape %}",
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


class Drawn(str):
    """Text that knows its own markup."""

    def __html__(self) -> str:
        return f"<b>{escape(str.__str__(self))}</b>"


@pytest.mark.parametrize("kind", [str, Markup, Drawn, lambda text: [text], _, lambda text: _("%(name)s, profile", name=text)])
@given(text=st.text("<>&'\"%abå王", max_size=12).map(lambda text: text.replace("%", "%%")))
def test_a_value_is_escaped_as_jinja_escapes_it(kind: Callable[[str], object], text: str) -> None:
    environment = SpokenEnvironment(Flask(__name__), autoescape=True, loader=DictLoader(TEMPLATES))
    value = kind(text)
    assert environment.get_template("escaped.html").render(value=value) == "|".join([str(escape(value))] * 3)
    assert environment.get_template("unescaped.html").render(value=value) == str(value)
