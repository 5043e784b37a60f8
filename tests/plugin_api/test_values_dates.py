"""Days and instants."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars_plugin_api import values
from regulars_plugin_api.values import DateOrder, Instant

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NEW_YORK = ZoneInfo("America/New_York")
DAYS = st.dates(dt.date(1800, 1, 1), dt.date(2200, 12, 31))


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("raw", "order"),
    [
        ("2025-03-04", None),
        ("2025-03-04", "mdy"),
        ("2025/3/4", "dmy"),
        ("2025.03.04", None),
        ("20250304", None),
        ("4/3/2025", "dmy"),
        ("04.03.2025", "dmy"),
        ("3-4-2025", "mdy"),
        ("2025-03-04 00:00:00", None),
        ("2025-03-04T00:00", None),
        (" ۲۰۲۵/۰۳/۰۴ ", None),
        ("２０２５／０３／０４", None),
    ],
)
def test_days_as_people_write_them(raw: str, order: DateOrder | None) -> None:
    assert values.date(raw, order) == dt.date(2025, 3, 4)


@pytest.mark.parametrize(
    ("raw", "order", "code"),
    [
        ("03/04/2025", None, "date_order_unknown"),
        ("03/04/2025", "ymd", "bad_date"),
        ("31/12/2025", "mdy", "bad_date"),
        ("30.02.2025", "dmy", "bad_date"),
        ("2025-02-29", None, "bad_date"),
        ("2025-13-01", None, "bad_date"),
        ("03/04/25", "dmy", "two_digit_year"),
        ("25-03-04", "ymd", "two_digit_year"),
        ("45720", None, "bad_date"),
        ("4 March 2025", "dmy", "bad_date"),
        ("2025-03-04 10:00", None, "bad_date"),
        ("2025-03/04", None, "bad_date"),
        ("1403/01/15", None, "year_out_of_range"),
        ("9999-12-31", None, "year_out_of_range"),
        ("0000-00-00", None, "year_out_of_range"),
    ],
)
def test_what_is_no_certain_day_is_refused(raw: str, order: DateOrder | None, code: str) -> None:
    with pytest.raises(values.BadValue) as caught:
        values.date(raw, order)
    assert caught.value.code == code


def test_day_and_month_of_the_same_number_need_no_order() -> None:
    assert values.date("05/05/2025") == dt.date(2025, 5, 5)


@pytest.mark.parametrize(
    ("raw", "order", "instant"),
    [
        ("2025-07-01 12:00", None, Instant(utc(2025, 7, 1, 10), dt.date(2025, 7, 1))),
        ("2025-01-01T00:30:15.250", None, Instant(utc(2024, 12, 31, 23, 30, 15, 250_000), dt.date(2025, 1, 1))),
        ("2025-07-01T12:00:00Z", None, Instant(utc(2025, 7, 1, 12), dt.date(2025, 7, 1))),
        ("2025-07-01T23:30:00Z", None, Instant(utc(2025, 7, 1, 23, 30), dt.date(2025, 7, 2))),
        ("2025-07-01 12:00:00+0330", None, Instant(utc(2025, 7, 1, 8, 30), dt.date(2025, 7, 1))),
        ("2025-07-01 12:00:00 -05:00", None, Instant(utc(2025, 7, 1, 17), dt.date(2025, 7, 1))),
        ("1/7/2025 2:05 PM", "dmy", Instant(utc(2025, 7, 1, 12, 5), dt.date(2025, 7, 1))),
        ("7/1/2025, 12:05:06 am", "mdy", Instant(utc(2025, 6, 30, 22, 5, 6), dt.date(2025, 7, 1))),
        ("1.7.2025 14.05", "dmy", Instant(utc(2025, 7, 1, 12, 5), dt.date(2025, 7, 1))),
        ("۲۰۲۵-۰۷-۰۱ ۱۲:۰۰", None, Instant(utc(2025, 7, 1, 10), dt.date(2025, 7, 1))),
        ("2025-07-01", None, Instant(utc(2025, 6, 30, 22), dt.date(2025, 7, 1), "no_time")),
        ("2025-10-26 02:30", None, Instant(utc(2025, 10, 26, 0, 30), dt.date(2025, 10, 26), "repeated_hour")),
        ("2025-10-26 02:30+01:00", None, Instant(utc(2025, 10, 26, 1, 30), dt.date(2025, 10, 26))),
        ("2025-10-26 03:00", None, Instant(utc(2025, 10, 26, 2), dt.date(2025, 10, 26))),
        ("2025-03-30 02:30", None, Instant(utc(2025, 3, 30, 1, 30), dt.date(2025, 3, 30), "skipped_hour")),
        ("2025-03-30 03:30", None, Instant(utc(2025, 3, 30, 1, 30), dt.date(2025, 3, 30))),
    ],
)
def test_instants_read_in_stockholm(raw: str, order: DateOrder | None, instant: Instant) -> None:
    assert values.instant(raw, order, STOCKHOLM) == instant


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("2025-07-01 24:00", "hour_24"),
        ("2016-12-31T23:59:60Z", "leap_second"),
        ("2025-07-01 25:00", "bad_time"),
        ("2025-07-01 12:60", "bad_time"),
        ("2025-07-01 13:00 PM", "bad_time"),
        ("2025-07-01 0:00 AM", "bad_time"),
        ("2025-07-01x12:00", "bad_date"),
        ("2025-07-01 12:00 CEST", "bad_date"),
        ("2025-07-01 12:00+99:00", "bad_time"),
        ("2025-02-30 12:00", "bad_date"),
        ("0001-01-01 00:00", "year_out_of_range"),
        ("9999-12-31T23:59:59-12:00", "year_out_of_range"),
        ("1751362200", "bad_date"),
        ("1/7/25 12:00", "two_digit_year"),
    ],
)
def test_what_is_no_certain_instant_is_refused(raw: str, code: str) -> None:
    with pytest.raises(values.BadValue) as caught:
        values.instant(raw, "dmy", STOCKHOLM)
    assert caught.value.code == code


@given(DAYS)
def test_a_day_is_read_back_in_every_order(day: dt.date) -> None:
    assert values.date(day.isoformat()) == day
    assert values.date(f"{day.day}.{day.month}.{day.year}", "dmy") == day
    assert values.date(f"{day.month}/{day.day}/{day.year}", "mdy") == day


@given(
    st.datetimes(dt.datetime(1850, 1, 1), dt.datetime(2199, 1, 1)), st.sampled_from([STOCKHOLM, NEW_YORK, ZoneInfo("Australia/Lord_Howe")])
)
def test_a_naive_stamp_is_what_the_local_clock_showed(stamp: dt.datetime, zone: ZoneInfo) -> None:
    read = values.instant(stamp.isoformat(" "), None, zone)
    assert read.at == stamp.replace(tzinfo=zone).astimezone(dt.UTC)
    if read.flag != "skipped_hour":
        assert read.at.astimezone(zone).replace(tzinfo=None) == stamp


@given(st.datetimes(dt.datetime(1850, 1, 1), dt.datetime(2199, 1, 1), timezones=st.timezones()))
def test_a_stamp_with_an_offset_is_read_exactly(stamp: dt.datetime) -> None:
    exact = stamp.astimezone(dt.UTC)
    assert values.instant(exact.isoformat(), None, NEW_YORK) == Instant(exact, exact.astimezone(NEW_YORK).date())
