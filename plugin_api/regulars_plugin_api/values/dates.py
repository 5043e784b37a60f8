"""Days and instants out of what people and programs write. ISO 8601 is always read; other orders must be told."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from regulars_plugin_api.i18n import _
from regulars_plugin_api.values.folding import western_digits
from regulars_plugin_api.values.problem import BadValue, required, shown

DateOrder = Literal["dmy", "mdy", "ymd"]
Flag = Literal["no_time", "repeated_hour", "skipped_hour"]

_YEARS = range(1800, 2201)
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY = r"(?:([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{1,2})([-/.])([0-9]{1,2})\9([0-9]{4}))"
_DAY_ONLY = re.compile(_DAY + r"(?:[T ]+00:00(?::00(?:\.0+)?)?)?")
_CLOCK = r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:[.,]([0-9]{1,9}))?)? ?([AaPp]\.?[Mm]\.?)?"
_STAMP = re.compile(_DAY + rf"(?:(?:T|,? +){_CLOCK} ?(Z|UTC|GMT|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?)?")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:[T ,].*)?")
_SAME = str.maketrans({"／": "/", "－": "-", "．": ".", "：": ":", "\u00a0": " ", "\u202f": " ", "\u200e": None, "\u200f": None, "−": "-"})


class Instant(NamedTuple):
    """A point in time (aware, UTC), the local day it fell on, and how it had to be read (``None``: as written).

    ``no_time``: only a day was given, midnight was taken. ``repeated_hour``: the local hour came twice, the first was taken.
    ``skipped_hour``: the local hour never was, the clock was put forward.
    """

    at: dt.datetime
    day: dt.date
    flag: Flag | None = None


@lru_cache(maxsize=1 << 15)
def date(raw: str, order: DateOrder | None = None) -> dt.date:
    """A day. Year first is always read; ``03/04/2025`` by ``order``. A time beside it must be midnight.

    Raises ``bad_date``, ``two_digit_year``, ``year_out_of_range``, ``date_order_unknown``.
    """
    if _ISO_DAY.fullmatch(raw):
        return _day(int(raw[:4]), int(raw[5:7]), int(raw[8:]), raw)
    written = western_digits(required(raw)).translate(_SAME)
    match = _DAY_ONLY.fullmatch(written)
    if not match:
        raise _bad_date(raw, written)
    return _ordered_day(match, order, raw)


@lru_cache(maxsize=1 << 16)
def instant(raw: str, order: DateOrder | None, zone: ZoneInfo) -> Instant:
    """A point in time: exactly, if an offset is written beside it, else as a clock in ``zone`` shows it.

    Raises what ``date`` raises, ``bad_time``, ``hour_24`` and ``leap_second``.
    """
    if raw[4:5] == "-" == raw[7:8] and raw[10:11] in ("T", " "):
        try:
            return _placed(dt.datetime.fromisoformat(raw), zone, raw)
        except ValueError:
            pass  # Said in words below.
    written = western_digits(required(raw)).translate(_SAME)
    match = _STAMP.fullmatch(written)
    if not match:
        raise _bad_date(raw, written)
    day = _ordered_day(match, order, raw)
    if match[12] is None:
        placed = _placed(dt.datetime.combine(day, dt.time()), zone, raw)
        return placed._replace(flag="no_time")
    return _placed(dt.datetime.combine(day, _time(match, raw)), zone, raw)


def _ordered_day(match: re.Match[str], order: DateOrder | None, raw: str) -> dt.date:
    if match[1] is not None:
        return _day(int(match[1]), int(match[3]), int(match[4]), raw)
    if match[5] is not None:
        return _day(int(match[5]), int(match[6]), int(match[7]), raw)
    first, second, year = int(match[8]), int(match[10]), int(match[11])
    if order == "dmy":
        return _day(year, second, first, raw)
    if order == "mdy":
        return _day(year, first, second, raw)
    if order == "ymd":
        raise BadValue("bad_date", _("“%(value)s” does not begin with the year.", value=shown(raw)))
    if first == second:
        return _day(year, first, second, raw)
    raise BadValue(
        "date_order_unknown", _("“%(value)s” can be read in two ways: say whether the day or the month comes first.", value=shown(raw))
    )


def _day(year: int, month: int, day: int, raw: str) -> dt.date:
    if year not in _YEARS:
        raise BadValue(
            "year_out_of_range",
            _("“%(value)s”: the year must lie between %(low)d and %(high)d.", value=shown(raw), low=_YEARS[0], high=_YEARS[-1]),
        )
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise BadValue("bad_date", _("“%(value)s” is no day of the calendar.", value=shown(raw))) from None


def _time(match: re.Match[str], raw: str) -> dt.time:
    hour, minute, second = int(match[12]), int(match[13]), int(match[14] or 0)
    microsecond = int((match[15] or "0").ljust(6, "0")[:6])
    half, offset = (match[16] or "")[:1].lower(), match[17]
    if half:
        hour = -1 if not 1 <= hour <= 12 else hour % 12 + (12 if half == "p" else 0)
    if hour == 24:
        raise BadValue("hour_24", _("“%(value)s”: a day ends at 23:59; write 00:00 of the next day.", value=shown(raw)))
    if second == 60:
        raise BadValue("leap_second", _("“%(value)s”: leap seconds are not kept; write second 59.", value=shown(raw)))
    try:
        return dt.time(hour, minute, second, microsecond, tzinfo=_offset(offset) if offset else None)
    except ValueError:
        raise BadValue("bad_time", _("“%(value)s” holds no time of day.", value=shown(raw))) from None


def _offset(written: str) -> dt.tzinfo:
    if written[0] not in "+-":
        return dt.UTC
    ahead = dt.timedelta(hours=int(written[1:3]), minutes=int(written[3:].lstrip(":") or 0))
    return dt.timezone(-ahead if written[0] == "-" else ahead)


def _placed(stamp: dt.datetime, zone: ZoneInfo, raw: str) -> Instant:
    if stamp.year not in _YEARS:
        _day(stamp.year, stamp.month, stamp.day, raw)
    if stamp.tzinfo is not None:
        at = stamp.astimezone(dt.UTC)
        return Instant(at, at.astimezone(zone).date())
    steady = _steady_offset(stamp.date(), zone)
    if steady is not None:
        return Instant((stamp - steady).replace(tzinfo=dt.UTC), stamp.date())
    first, second = (stamp.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    at = first.astimezone(dt.UTC)
    if first.utcoffset() == second.utcoffset():
        return Instant(at, stamp.date())
    if at.astimezone(zone).replace(tzinfo=None) == stamp:
        return Instant(at, stamp.date(), "repeated_hour")
    # Read with the offset before the gap, the clock lands as far behind the gap as it stood in it.
    return Instant(at, at.astimezone(zone).date(), "skipped_hour")


@lru_cache(maxsize=1 << 14)
def _steady_offset(day: dt.date, zone: ZoneInfo) -> dt.timedelta | None:
    """The offset from UTC all through a local day; None for a day on which the clock is changed."""
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=zone)
    offsets = {(midnight + dt.timedelta(hours=hours)).replace(fold=fold).utcoffset() for hours in range(0, 27, 3) for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else None


def _bad_date(raw: str, written: str) -> BadValue:
    if _SHORT_YEAR.fullmatch(written):
        return BadValue("two_digit_year", _("“%(value)s”: write the year with four digits.", value=shown(raw)))
    return BadValue("bad_date", _("“%(value)s” is not a date such as 2025-03-31.", value=shown(raw)))
