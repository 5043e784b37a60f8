"""Templates, compiled once for each language: what is the same on every page is said then, and not again for each page."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

from flask import has_request_context
from flask.templating import Environment
from jinja2 import Template
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.nodes import Expr
from markupsafe import Markup, escape

from regulars_plugin_api.i18n import LazyText, current_locale
from regulars_web import language

_unsafe = re.compile("[&<>'\"]").search
SAID = ("_", "icon", "asset")
"""Functions that answer the same in one language as long as the process runs, when nothing but texts are given to them."""


class Writing(CodeGenerator):
    """Jinja's compiler, whose pages don't make an object of each value only to join its text to the others."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class SpokenEnvironment(Environment):
    """The environment of an application whose templates are read in several languages."""

    code_generator_class = Writing

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._spoken: dict[str, SpokenEnvironment] = {}
        self._found: dict[tuple[str, str], Template] = {}

    def get_template(self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None) -> Template:
        """The template in the language that is spoken now."""
        locale = current_locale()
        if type(name) is str and globals is None and not self.auto_reload:
            # Jinja asks its loader, under a lock, for each of the two dozen pieces of a page.
            found = self._found.get((locale, name))
            if found is None:
                found = self._found[locale, name] = self._read(locale, name, parent, None)
            return found
        return self._read(locale, name, parent, globals)

    def _read(self, locale: str, name: str | Template, parent: str | None, globals: MutableMapping[str, Any] | None) -> Template:
        spoken = self._spoken.get(locale)
        if spoken is None:
            # An overlay shares everything but the templates it has compiled.
            spoken = self._spoken[locale] = self.overlay()
        return super(SpokenEnvironment, spoken).get_template(name, parent, globals)

    @staticmethod
    def escaped(value: object) -> str:
        """``value`` as it stands in a page: as it is where there is nothing to escape, which is nearly everywhere."""
        if type(value) is LazyText:
            value = str(value)
        is_safe = type(value) is Markup or (type(value) is str and not _unsafe(value))
        return value if is_safe else escape(value)  # type: ignore[return-value]

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What every template knows: one dictionary as long as none has names of its own, since each part of a page goes through it."""
        return self.globals if d is None else super().make_globals(d)


class SaidOnce(Extension):
    """Puts ``{{ _("Save") }}`` and ``{{ icon("plus") }}`` into a template as if they were written in it."""

    # After Jinja's own.
    priority = 200

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The tokens of a template, with what can be said now as its text."""
        tokens, autoescape = list(stream), self.environment.autoescape
        is_page = autoescape(stream.name) if callable(autoescape) else autoescape
        # Pictures have addresses, which are known while somebody asks for a page.
        said = [name for name in SAID if not _is_bound(name, tokens)] if is_page and has_request_context() else []
        place = 0
        while place < len(tokens):
            end = _end_of_call(tokens, place, said)
            if end:
                yield Token(tokens[place].lineno, "data", self._say(stream.name, tokens[place + 1].value, tokens[place + 3 : end - 2 : 2]))
            else:
                yield tokens[place]
            place = end or place + 1

    def _say(self, template: str | None, name: str, given: Sequence[Token]) -> str:
        texts = [token.value for token in given]
        answer = language.said(template, *texts) if name == "_" else self.environment.globals[name](*texts)  # type: ignore[operator]
        return str(escape(answer))


def _end_of_call(tokens: Sequence[Token], start: int, names: Sequence[str]) -> int | None:
    """Where ``{{ name("text", "text") }}`` that begins at ``start`` has ended; None if something else begins there."""
    if [token.type for token in tokens[start : start + 4]] != ["variable_begin", "name", "lparen", "string"]:
        return None
    if tokens[start + 1].value not in names:
        return None
    end = start + 4
    while [token.type for token in tokens[end : end + 2]] == ["comma", "string"]:
        end += 2
    return end + 2 if [token.type for token in tokens[end : end + 2]] == ["rparen", "variable_end"] else None


def _is_bound(name: str, tokens: Sequence[Token]) -> bool:
    """Whether a template means something of its own by ``name``."""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (token.type, token.value) == ("name", name) and before.type != "dot" and (after.type != "lparen" or before.value == "macro"):
            return True
    return False
