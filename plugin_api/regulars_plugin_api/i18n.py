"""Translatable text: written once in English, read in the language of whoever looks.

``_("Save")`` gives a lazy string; it is translated each time it is turned into ``str``. A plugin makes its own ``_`` with
``translator("regulars_loyalty")``; what its catalogue lacks is looked up in the platform's, then left in English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from babel.support import NullTranslations, Translations
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

Text = LazyString | str
PLATFORM = "regulars"

_Message = TypeVar("_Message", bound=str)

_DIGITS = {"fa": str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")}
_WHOLE_NUMBER = re.compile(r"(%\(\w+\))d")

_locale: ContextVar[str] = ContextVar("regulars_locale", default="en")
_directories: dict[str, Path] = {}


def current_locale() -> str:
    """The language (``en``, ``sv``, …) of the running request, command or job."""
    return _locale.get()


def set_locale(locale: str) -> None:
    """Set the language for the rest of this request, command or job."""
    _locale.set(locale)


@contextmanager
def in_locale(locale: str) -> Iterator[None]:
    """Speak ``locale`` inside the block."""
    token = _locale.set(locale)
    try:
        yield
    finally:
        _locale.reset(token)


def add_catalogue(domain: str, directory: Path) -> None:
    """Register ``directory/<locale>/LC_MESSAGES/<domain>.mo`` as the translations of ``domain``."""
    _directories[domain] = directory
    _load.cache_clear()
    _translated.cache_clear()


@lru_cache(maxsize=64)
def _load(domain: str, locale: str) -> NullTranslations:
    directory = _directories.get(domain)
    if directory is None:
        return NullTranslations()
    return Translations.load(directory, [locale], domain)


def catalogue(domain: str) -> NullTranslations:
    """The translations of ``domain`` into the current language; empty if there are none."""
    return _load(domain, current_locale())


def digits(written: str) -> str:
    """``written`` in the digits of the current language: ``14:32`` is ``۱۴:۳۲`` in Persian."""
    table = _DIGITS.get(current_locale())
    return written.translate(table) if table else written


def filled(message: _Message, values: Mapping[str, object]) -> _Message:
    """``message`` with ``values`` in its placeholders; whole numbers get the digits of the current language."""
    if current_locale() in _DIGITS:
        values = {name: digits(str(value)) if isinstance(value, int) else value for name, value in values.items()}
        message = type(message)(_WHOLE_NUMBER.sub(r"\1s", message))
    return type(message)(message % values)


def gettext(domain: str, message: str, /, **values: object) -> str:
    """Translate ``message`` now, from ``domain``'s catalogue, then the platform's."""
    translated = _translated(domain, message, current_locale())
    return filled(translated, values) if values else translated


@lru_cache(maxsize=2048)
def _translated(domain: str, message: str, locale: str) -> str:
    translated = _load(domain, locale).gettext(message)
    return _load(PLATFORM, locale).gettext(message) if translated == message and domain != PLATFORM else translated


def ngettext(domain: str, singular: str, plural: str, count: int, /, **values: object) -> str:
    """Translate the form of a message that fits ``count``; ``%(num)s`` stands for the count."""
    translated = _load(domain, current_locale()).ngettext(singular, plural, count)
    return filled(translated, {"num": count, **values})


class LazyText(LazyString):  # type: ignore[misc]
    """Words in the language of whoever reads them. Text, not markup: what stands in it may be what somebody typed."""

    def __html__(self) -> Markup:
        return escape(str(self))


def translator(domain: str) -> Callable[..., LazyString]:
    """A lazy ``_`` for one catalogue: ``_("Hello %(name)s", name=…)``."""

    def lazy(message: str, /, **values: object) -> LazyString:
        return LazyText(gettext, domain, message, **values)

    return lazy


def plural_translator(domain: str) -> Callable[..., LazyString]:
    """A lazy plural form for one catalogue: ``_n("%(num)s row", "%(num)s rows", count)``."""

    def lazy(singular: str, plural: str, count: int, /, **values: object) -> LazyString:
        return LazyText(ngettext, domain, singular, plural, count, **values)

    return lazy


_ = translator(PLATFORM)
_n = plural_translator(PLATFORM)
