"""What was typed, read into values; what can't be taken is told beside its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import Channel, DetailKind, Direction, Every
from regulars_contact_tracking.records import Draft, NextStep
from regulars_plugin_api import values
from regulars_plugin_api.forms import Reader as Reader
from regulars_plugin_api.i18n import Text

T = TypeVar("T")
LONGEST_LINE, LONGEST_TEXT = 200, 4000
_SLACK = dt.timedelta(minutes=5)
IN_FUTURE = _("This lies in the future. What is still to be done is a next step.")
NOTHING_SAID = _("Write down what was said, or what came of it.")


def line(raw: str) -> str:
    """A line of free text."""
    return values.text(raw.strip(), max_length=LONGEST_LINE)


def text(raw: str) -> str:
    """Free text of several lines."""
    return values.text(raw.strip(), max_length=LONGEST_TEXT)


def one_of(kind: Any) -> Callable[[str], Any]:
    """A parser of the members of an enumeration by their values."""
    return lambda raw: values.choice(raw, {member.value: member for member in kind})


def number(raw: str) -> int:
    """A row's id."""
    return values.whole_number(raw, minimum=1, maximum=2**62)


def lies_ahead(at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a contact is said to be still to come, by more than clocks differ."""
    return at > now + _SLACK


def draft(
    given: Mapping[str, str],
    people: tuple[int, ...],
    *,
    zone: ZoneInfo,
    now: dt.datetime,
    step_alone: bool = False,
    step_needed: bool = False,
    wrong: Mapping[str, Text] | None = None,
) -> Draft:
    """A contact as the form has it; a time without an offset is read in ``zone``. With ``step_alone`` a next step will do.

    ``wrong`` is what is known to be wrong beforehand: all of it is told at once. Raises ``InvalidInput``.
    """
    form = Reader(given)
    form.wrong.update(wrong or {})
    channel = form.needed("channel", one_of(Channel), _("Say how it came about."))
    at = form.read("at", lambda raw: values.instant(raw, None, zone).at)
    if at is not None and lies_ahead(at, now):
        form.wrong["at"] = IN_FUTURE
    said = {"subject": form.read("subject", line), "text": form.read("text", text), "outcome": form.read("outcome", line)}
    step = next_step(form, channel, needed=step_needed)
    is_enough = any(said.values()) or (step_alone and form.given.get("next_step", "").strip())
    if not is_enough and not form.wrong.keys() & said.keys():
        form.wrong["text"] = NOTHING_SAID
    direction = form.read("direction", one_of(Direction)) or Direction.OUT
    store_id = form.read("store", number)
    form.done()
    assert channel is not None
    return Draft(channel=channel, direction=direction, at=at, store_id=store_id, people=people, next_step=step, **said)


def next_step(form: Reader, channel: Channel | None = None, *, needed: bool = False) -> NextStep | None:
    """The next step of a form, if it has one: a day alone is none."""
    what = form.read("next_step", line)
    if what is None:
        if needed:
            form.wrong.setdefault("next_step", _("Say what is to be done."))
        return None
    due_on = form.needed("due_on", values.date, _("Say by which day."))
    return NextStep(what, due_on, channel, form.read("assignee", number)) if due_on else None


def detail(given: Mapping[str, str]) -> dict[str, Any]:
    """A size, wish or key date. Raises ``InvalidInput``."""
    form = Reader(given)
    kind = form.needed("kind", one_of(DetailKind), _("Say what it is."))
    title = form.needed("title", line, _("Say what it is of."))
    value, day = form.read("value", line), form.read("day", values.date)
    if kind is DetailKind.DAY and day is None:
        form.wrong.setdefault("day", _("Give the day."))
    form.done()
    return {"kind": kind, "title": title, "value": value, "day": day}


def plan(given: Mapping[str, str]) -> dict[str, Any]:
    """A plan of recurring contacts. Raises ``InvalidInput``."""
    form = Reader(given)
    found = {
        "what": form.needed("what", line, _("Say what is to be done.")),
        "channel": form.read("channel", one_of(Channel)),
        "every": form.needed("every", lambda raw: values.whole_number(raw, minimum=1, maximum=99), _("Say how often.")),
        "unit": form.needed("unit", one_of(Every), _("Say how often.")),
        "starts_on": form.needed("starts_on", values.date, _("Give the day of the first one.")),
    }
    form.done()
    return found
