"""What the plugin says to people: everything can be translated, and is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_type_hints

from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

import regulars_web
from regulars_plugin_api import errors
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.manifest import Tier
from regulars_testkit.conformance.asking import contributed
from regulars_testkit.conformance.checks import Place, check
from regulars_testkit.conformance.findings import Flaw
from regulars_testkit.conformance.house import House
from regulars_testkit.conformance.subject import Subject

FIVE = ("fa", "ru", "sv", "zh")
"""Beside English, which stands in the code."""
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "_n": (1, 2)}
SPOKEN = ("alt", "aria-label", "placeholder", "title")
"""Attributes of HTML that are read to people."""
_ATTRIBUTE = re.compile(r"""[\w:-]+=("[^"]*"|'[^']*')""")
Message = str | tuple[str, ...]


@check(Tier.SILVER, Place.HOUSE)
def titles(house: House) -> Iterator[Flaw]:
    """Titles, labels and summaries of contributions and of the manifest are translatable."""
    for where, one in (("the manifest", house.subject.manifest), *contributed(house)):
        for name, text in _texts(one):
            if type(text) is str and _has_letters(text):
                yield Flaw(f"{where}: {name}={text!r} is the same in every language.", f"Write {name}=_({text!r}), with _ of the plugin.")


def _texts(one: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(one):
        hints = get_type_hints(type(one), localns={"Crm": object})
        yield from ((field.name, getattr(one, field.name)) for field in fields(one) if hints[field.name] == Text)
    elif hasattr(one, "title"):
        yield "title", one.title


@check(Tier.SILVER)
def refusals(subject: Subject) -> Iterator[Flaw]:
    """Errors that are told to people are translatable."""
    kinds = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.RegularsError)}
    for path in subject.sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in kinds:
                for text in (*node.args, *(one.value for one in node.keywords)):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str) and _has_letters(text.value):
                        yield Flaw(f"{subject.place_of(path)}:{text.lineno} refuses with {text.value!r}.", f"Write _({text.value!r}).")


@check(Tier.SILVER)
def templates(subject: Subject) -> Iterator[Flaw]:
    """Templates have no words outside of ``_()`` and ``{% trans %}``."""
    for path in sorted((subject.folder / "templates").rglob("*.html")):
        for text in words_of(path.read_text(encoding="utf-8")):
            yield Flaw(f"{subject.place_of(path)} says {text!r}.", f'Write {{{{ _("{text}") }}}} or {{% trans %}}.')


def words_of(template: str) -> list[str]:
    """The words of a template that are not translated."""
    reader = _Reader()
    tree = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).parse(template)  # noqa: S701 - nothing is rendered
    for output in tree.find_all(nodes.Output):
        # What is worked out stands for itself, so that an attribute around it stays whole.
        reader.feed("".join(one.data if isinstance(one, nodes.TemplateData) else "\x00" for one in output.nodes))
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self.found += [value.strip("\x00 ") for name, value in attrs if name in SPOKEN and value and _has_letters(value)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A macro may give the attributes of a tag whose beginning stands elsewhere.
            plain = _ATTRIBUTE.sub("\x00", data)
            self.found += [" ".join(part.split()) for part in plain.split("\x00") if _has_letters(part)]


@check(Tier.SILVER)
def swedish(subject: Subject) -> Iterator[Flaw]:
    """Every message is there in Swedish."""
    yield from _lacking(subject, "sv")


@check(Tier.GOLD)
def five_languages(subject: Subject) -> Iterator[Flaw]:
    """Every message is there in Persian, Russian, Swedish and Chinese."""
    for locale in FIVE:
        yield from _lacking(subject, locale)


def _lacking(subject: Subject, locale: str) -> Iterator[Flaw]:
    domain = f"regulars_{subject.name}"
    folder = subject.folder / "translations" / locale / "LC_MESSAGES"
    known = _catalogue(folder / f"{domain}.mo") | _platform(locale)
    lacking = [message for message in _messages(subject) if not known.get(message)]
    if lacking:
        some = ", ".join(repr(one if isinstance(one, str) else one[0]) for one in lacking[:3])
        words = f"{len(lacking)} messages are not translated to {locale}, such as {some}."
        yield Flaw(words, f"Put them into translations/{locale}/LC_MESSAGES/{domain}.po and compile it with pybabel compile.")
    if (folder / f"{domain}.po").exists() and _written(folder / f"{domain}.po") != _catalogue(folder / f"{domain}.mo"):
        yield Flaw(f"The {locale} catalogue was changed and not compiled.", "Compile it: pybabel compile, and ship the .mo file.")


def _messages(subject: Subject) -> list[Message]:
    found: dict[Message, None] = {}
    for method, paths in (("python", subject.sources), ("jinja2.ext:babel_extract", sorted(subject.folder.rglob("*.html")))):
        options = {"silent": "false", "newstyle_gettext": "true", "extensions": "jinja2.ext.do"} if method != "python" else {}
        for path in paths:
            for _line, message, _comments, _context in extract_from_file(method, str(path), KEYWORDS, (), options):
                found[_key(message)] = None
    return [one for one in found if one]


def _catalogue(path: Path) -> dict[Message, Message]:
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return _plain(read_mo(file))


def _written(path: Path) -> dict[Message, Message]:
    with path.open("rb") as file:
        return {message: text for message, text in _plain(one for one in read_po(file) if not one.fuzzy).items() if any(text)}


def _plain(catalogue: Iterable[Any]) -> dict[Message, Message]:
    return {_key(one.id): _key(one.string) for one in catalogue if one.id}


def _key(message: Any) -> Message:
    return message if isinstance(message, str) else tuple(str(one) for one in message)


@cache
def _platform(locale: str) -> dict[Message, Message]:
    """The platform's own words, which stand in for those of a plugin."""
    return _catalogue(Path(regulars_web.__file__).parent / "translations" / locale / "LC_MESSAGES" / "regulars.mo")


def _has_letters(text: str) -> bool:
    return any(letter.isalpha() for letter in text.replace("\x00", ""))
