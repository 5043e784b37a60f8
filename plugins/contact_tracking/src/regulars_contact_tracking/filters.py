"""Fields of the filter language: how often, when last and whether more is to come.

``within`` narrows contacts to the last days (``{"last": "90d"}``) or to days (``{"from": "2025-01-01", "to": "2025-03-31"}``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_contact_tracking.i18n import _
from regulars_contact_tracking.models import FollowUp, Interaction
from regulars_plugin_api import values
from regulars_plugin_api.contributions import FieldType, FilterField
from regulars_plugin_api.values import BadValue

Condition = sa.ColumnElement[bool]
_MOST_DAYS = 36_500


def fields() -> Iterable[FilterField]:
    """The plugin's fields."""
    yield FilterField("contact_tracking.count", _("Number of contacts"), FieldType.NUMBER, ("eq", "gt", "lt"), _count, _count_of)
    yield FilterField("contact_tracking.last_on", _("Last contact"), FieldType.DATE, ("eq", "gt", "lt", "empty"), _last, _last_of)
    yield FilterField("contact_tracking.open_follow_up", _("Has a next step"), FieldType.YES_NO, ("eq",), _open, _open_of)


def _count(customer_id: sa.ColumnElement[int], op: str, value: Any) -> Condition:
    wanted, within = _narrowed(value)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 <= wanted <= 10**9:
        raise BadValue("bad_number", _("A whole number is needed here."))
    query = sa.select(sa.func.count()).select_from(Interaction).where(Interaction.customer_id == customer_id, within)
    count = query.scalar_subquery()
    return {"eq": count == wanted, "gt": count > wanted, "lt": count < wanted}[op]


def _last(customer_id: sa.ColumnElement[int], op: str, value: Any) -> Condition:
    last = sa.select(sa.func.max(Interaction.business_date)).where(Interaction.customer_id == customer_id).scalar_subquery()
    if op == "empty":
        if not isinstance(value, bool | None):
            raise BadValue("not_yes_no", _("Give true or false."))
        return last.is_not(None) if value is False else last.is_(None)
    day = _day(value)
    return sa.and_(last.is_not(None), {"eq": last == day, "gt": last > day, "lt": last < day}[op])


def _open(customer_id: sa.ColumnElement[int], op: str, value: Any) -> Condition:
    if not isinstance(value, bool):
        raise BadValue("not_yes_no", _("Give true or false."))
    has_one = sa.exists().where(FollowUp.customer_id == customer_id, FollowUp.done_at.is_(None))
    return has_one if value else sa.not_(has_one)


def _narrowed(value: Any) -> tuple[Any, Condition]:
    if not isinstance(value, Mapping):
        return value, sa.true()
    for extra in value.keys() - {"value", "within"}:
        raise BadValue("unknown_word", _("“%(word)s” is not known here.", word=extra))
    return value.get("value"), _within(value.get("within"))


def _within(given: Any) -> Condition:
    if given is None:
        return sa.true()
    if not isinstance(given, Mapping) or not given.keys() <= {"last", "from", "to"}:
        raise BadValue("bad_period", _('Give a period such as {"last": "90d"}.'))
    conditions: list[Condition] = [sa.true()]
    if "last" in given:
        text = given["last"]
        if not isinstance(text, str) or not text.endswith("d"):
            raise BadValue("bad_period", _('Give a period such as {"last": "90d"}.'))
        days = values.whole_number(text[:-1], minimum=1, maximum=_MOST_DAYS)
        conditions.append(Interaction.business_date > dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days))
    if "from" in given:
        conditions.append(Interaction.business_date >= _day(given["from"]))
    if "to" in given:
        conditions.append(Interaction.business_date <= _day(given["to"]))
    return sa.and_(*conditions)


def _day(value: Any) -> dt.date:
    if not isinstance(value, str):
        raise BadValue("bad_date", _("Give a day such as 2025-03-31."))
    return values.date(value, None)


def _count_of(session: Session, customer_id: int) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Interaction).where(Interaction.customer_id == customer_id)) or 0


def _last_of(session: Session, customer_id: int) -> dt.date | None:
    return session.scalar(sa.select(sa.func.max(Interaction.business_date)).where(Interaction.customer_id == customer_id))


def _open_of(session: Session, customer_id: int) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(FollowUp.customer_id == customer_id, FollowUp.done_at.is_(None)))))
