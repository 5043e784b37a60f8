"""Words, numbers and dates in the language of whoever looks."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from math import inf
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, dates
from flask import Flask, request
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from regulars_core.users.service import LOCALES
from regulars_plugin_api import formats, i18n
from regulars_web import TRANSLATIONS

_Unit = Literal["day", "hour", "minute", "second"]
_UNITS: dict[_Unit, int] = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_NUMBERS = (int, float, Decimal)
RTL = ("fa", "ar", "he")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def install(app: Flask, chain: ZoneInfo) -> None:
    """Teach the templates of ``app`` to speak: ``{% trans %}``, ``_()`` and the filters below. ``chain`` is the zone of instants."""
    i18n.add_catalogue(i18n.PLATFORM, TRANSLATIONS)
    _plain.cache_clear()
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.newstyle_gettext = True  # type: ignore[attr-defined]
    app.jinja_env.globals.update({"_": _gettext, "gettext": _gettext, "ngettext": _ngettext})
    app.jinja_env.globals.update(locale=i18n.current_locale, text_direction=text_direction)
    app.jinja_env.filters.update(
        day=day,
        weekday=weekday,
        moment=lambda value: moment(value, chain),
        clock=lambda value: _clock(value, chain, i18n.current_locale()),
        number=number,
        duration=duration,
        listed=listed,
        noted=lambda value: noted(value, chain),
        shown=lambda value: shown(value, chain),
        money=money,
        initials=initials,
        hue=hue,
        country=country,
        language=language,
    )


def choose(saved: str | None) -> None:
    """Set the language of the running request: the user's, else the browser's best."""
    i18n.set_locale(saved or _best_of(request.headers.get("Accept-Language", "")))


@lru_cache(maxsize=256)
def _best_of(accepted: str) -> str:
    return parse_accept_header(accepted, LanguageAccept).best_match(list(LOCALES)) or "en"


def text_direction() -> str:
    """``rtl`` or ``ltr``, for the ``dir`` of the page."""
    return "rtl" if i18n.current_locale().split("_")[0] in RTL else "ltr"


def day(value: dt.date | None) -> str:
    """A date, such as 4 Mar 2019."""
    return _day(value, i18n.current_locale()) if value else ""


def weekday(value: dt.date) -> str:
    """A date with its day of the week, such as Monday 4 March 2019."""
    return _weekday(value, i18n.current_locale())


def moment(value: dt.datetime | None, zone: ZoneInfo) -> str:
    """An instant in the chain's time zone, such as 4 Mar 2019, 14:32."""
    return _moment(value, zone, i18n.current_locale()) if value else ""


def number(value: float | Decimal | None) -> str:
    """A number with the separators and digits of the language."""
    return "" if value is None else _number(value, i18n.current_locale())


def duration(value: dt.timedelta) -> str:
    """A length of time in the largest unit that measures it without a rest, such as 6 hours or 90 minutes."""
    unit = next(name for name, seconds in _UNITS.items() if int(value.total_seconds()) % seconds == 0)
    return i18n.digits(dates.format_timedelta(value, granularity=unit, threshold=inf, locale=_parsed(i18n.current_locale())))


def listed(words: Iterable[object]) -> str:
    """Words one after the other, with the comma of the language."""
    return _comma(i18n.current_locale()).join(map(str, words))


def noted(value: object, chain: ZoneInfo) -> object:
    """A value as the journal keeps it, where instants and days are text."""
    try:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            return moment(dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC), chain)
        if isinstance(value, str) and _DAY.fullmatch(value):
            return day(dt.date.fromisoformat(value))
    except ValueError:
        # Somebody typed what only looks like one.
        return value
    return shown(value, chain)


def shown(value: object, chain: ZoneInfo) -> object:
    """A value of a plugin's column or of the history, whatever its type."""
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, dt.datetime):
        return moment(value, chain)
    if isinstance(value, dt.date):
        return day(value)
    return "" if value is None else value


def money(value: Decimal | None, currency: str) -> str:
    """An amount with its currency code after it, such as 1,249.00 SEK."""
    return "" if value is None else formats.money(value, currency)


def country(code: str | None) -> str:
    """The name of a country."""
    return str(_parsed(i18n.current_locale()).territories.get(code or "", code or ""))


def language(code: str | None) -> str:
    """The name of a language."""
    return str(_parsed(i18n.current_locale()).languages.get(code or "", code or ""))


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """One or two letters for an avatar; one for scripts that write a name without spaces."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    first = words[0][0]
    if unicodedata.name(first, "").startswith(("CJK", "HANGUL", "HIRAGANA", "KATAKANA")) or len(words) == 1:
        return first.upper()
    return (first + words[-1][0]).upper()


def hue(key: int) -> int:
    """One of six tints for a record; it means nothing."""
    return key % 6 + 1


_parsed = lru_cache(maxsize=64)(Locale.parse)


# A list says the same days and numbers again and again, and Babel takes its time over each.
@lru_cache(maxsize=4096)
def _day(value: dt.date, locale: str) -> str:
    return i18n.digits(dates.format_date(value, "d MMM y", locale=_parsed(locale)))


@lru_cache(maxsize=4096)
def _weekday(value: dt.date, locale: str) -> str:
    return i18n.digits(dates.format_date(value, "EEEE d MMMM y", locale=_parsed(locale)))


@lru_cache(maxsize=4096)
def _clock(value: dt.datetime, zone: ZoneInfo, _locale: str) -> str:
    there = value.astimezone(zone)
    return i18n.digits(f"{there.hour:02}:{there.minute:02}")


@lru_cache(maxsize=4096)
def _moment(value: dt.datetime, zone: ZoneInfo, locale: str) -> str:
    return i18n.digits(dates.format_datetime(value, f"d MMM y{_comma(locale)}HH:mm", tzinfo=zone, locale=_parsed(locale)))


@lru_cache(maxsize=4096)
def _number(value: int | float | Decimal, _locale: str) -> str:
    return formats.number(value)


def _comma(locale: str) -> str:
    return "، " if locale in RTL else ", "


@pass_context
def _gettext(context: Context, message: str, /, **values: object) -> str:
    is_markup = context.eval_ctx.autoescape
    if values:
        return _filled(i18n.gettext(_domain(context.name), message), values, is_markup)
    return _plain(i18n.current_locale(), context.name, message, is_markup)


def said(template: str | None, message: str) -> str:
    """What ``_()`` answers in a template whose output is escaped."""
    return _plain(i18n.current_locale(), template, message, True)


# A page says some sixty things that are the same each time.
@lru_cache(maxsize=8192)
def _plain(_locale: str, template: str | None, message: str, is_markup: bool) -> str:
    return _filled(i18n.gettext(_domain(template), message), {}, is_markup)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, num: int, /, **values: object) -> str:
    translated: str = i18n.catalogue(_domain(context.name)).ngettext(singular, plural, num)
    is_missing = translated in (singular, plural)
    shown = str(i18n.catalogue(i18n.PLATFORM).ngettext(singular, plural, num)) if is_missing else translated
    return _filled(shown, {"num": num, **values}, context.eval_ctx.autoescape)


def _filled(message: str, values: dict[str, object], is_markup: bool) -> str:
    return i18n.filled(Markup(message) if is_markup else message, values)  # noqa: S704 - a template's own text


def _domain(template: str | None) -> str:
    # A plugin's templates lie in a folder of its name and speak from its own catalogue first.
    folder, slash, _file = (template or "").partition("/")
    return f"regulars_{folder}" if slash else i18n.PLATFORM
