"""Fields of the filter language: how much, how often and when a customer bought.

``within`` narrows to the last days (``{"last": "90d"}``) or to days (``{"from": "2025-01-01", "to": "2025-03-31"}``); ``where`` to
articles and stores, itself a filter of ``all``, ``any`` and ``not``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from babel.numbers import list_currencies
from sqlalchemy.orm import Session

from regulars_plugin_api import values
from regulars_plugin_api.contributions import FieldType, FilterField
from regulars_plugin_api.db import minor_digits, stores
from regulars_plugin_api.values import BadValue
from regulars_purchases import service
from regulars_purchases.i18n import _
from regulars_purchases.models import Figures, Product, Receipt, ReceiptLine

Condition = sa.ColumnElement[bool]
COMPARISONS = ("eq", "gt", "lt")
_ARTICLE: dict[str, Any] = {
    **{name: getattr(Product, name) for name in ("name", "brand", "department", "category", "subcategory")},
    "sku": ReceiptLine.sku,
    "store": stores.c.code,
    "currency": Receipt.currency,
}
_MOST_DAYS = 36_500


def fields() -> Iterable[FilterField]:
    """The plugin's fields."""
    yield FilterField("purchases.amount", _("Amount bought for"), FieldType.MONEY, COMPARISONS, _amount, _amount_of)
    yield FilterField("purchases.count", _("Number of receipts"), FieldType.NUMBER, COMPARISONS, _count, _count_of)
    yield FilterField("purchases.last_on", _("Last purchase"), FieldType.DATE, ("eq", "gt", "lt", "empty"), _last_on, _last_on_of)


def _amount(customer_id: sa.ColumnElement[int], op: str, value: Any) -> Condition:
    """In some currency the sum is as asked; "less than" holds where it is not that much in any."""
    wanted, within, where = _narrowed(value)
    amount = _number(wanted)
    if where is not None:
        total: sa.ColumnElement[Any] = sa.func.sum(ReceiptLine.amount_minor)
    else:
        total = sa.func.sum(Receipt.total_minor)
    query = _receipts(customer_id, within, where).group_by(Receipt.currency)
    return _compared(query, total, op, _in_minor(amount))


def _count(customer_id: sa.ColumnElement[int], op: str, value: Any) -> Condition:
    wanted, within, where = _narrowed(value)
    count = _number(wanted)
    if count != int(count):
        raise BadValue("bad_number", _("A whole number is needed here."))
    query = _receipts(customer_id, within, where).group_by(Receipt.customer_id)
    return _compared(query, sa.func.count(Receipt.id.distinct()), op, sa.literal(int(count)))


def _last_on(customer_id: sa.ColumnElement[int], op: str, value: Any) -> Condition:
    last = sa.select(sa.func.max(Figures.last_on)).where(Figures.customer_id == customer_id).scalar_subquery()
    if op == "empty":
        return last.is_not(None) if value is False else last.is_(None)
    day = values.date(value, None) if isinstance(value, str) else None
    if day is None:
        raise BadValue("bad_date", _("Give a day such as 2025-03-31."))
    return sa.and_(last.is_not(None), {"eq": last == day, "gt": last > day, "lt": last < day}[op])


def _compared(query: sa.Select[Any], total: sa.ColumnElement[Any], op: str, limit: sa.ColumnElement[Any]) -> Condition:
    if op == "lt":
        return sa.not_(query.having(total >= limit).exists())
    return query.having(total == limit if op == "eq" else total > limit).exists()


def _receipts(customer_id: sa.ColumnElement[int], within: Condition, where: Condition | None) -> sa.Select[Any]:
    query = sa.select(sa.literal(1)).select_from(Receipt).where(Receipt.customer_id == customer_id, within)
    if where is not None:
        query = query.join(ReceiptLine, ReceiptLine.receipt_id == Receipt.id).outerjoin(Product, Product.id == ReceiptLine.product_id)
        query = query.outerjoin(stores, stores.c.id == Receipt.store_id).where(where)
    return query


def _narrowed(value: Any) -> tuple[Any, Condition, Condition | None]:
    """The value to compare with, the days and the articles that count."""
    if not isinstance(value, Mapping):
        return value, sa.true(), None
    for extra in value.keys() - {"value", "within", "where"}:
        raise BadValue("unknown_word", _("“%(word)s” is not known here.", word=extra))
    where = value.get("where")
    return value.get("value"), _within(value.get("within")), None if where is None else _articles(where, 0)


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
        conditions.append(Receipt.business_date > dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days))
    for word in given.keys() & {"from", "to"}:
        if not isinstance(given[word], str):
            raise BadValue("bad_date", _("Give a day such as 2025-03-31."))
        day = values.date(given[word], None)
        conditions.append(Receipt.business_date >= day if word == "from" else Receipt.business_date <= day)
    return sa.and_(*conditions)


def _articles(node: Any, depth: int) -> Condition:
    if not isinstance(node, Mapping) or depth > 10:
        raise BadValue("bad_filter", _("An object is needed here."))
    if "field" in node:
        column = _ARTICLE.get(str(node["field"]))
        if column is None:
            raise BadValue(
                "unknown_field", _("There is no field “%(field)s”. Known: %(known)s.", field=node["field"], known=", ".join(_ARTICLE))
            )
        given = node.get("value")
        wanted = given if node.get("op") == "in" else [given]
        if node.get("op") not in ("eq", "in") or not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
            raise BadValue("bad_filter", _("Compare by eq with a text, or by in with a list of texts."))
        return sa.func.coalesce(column.in_(wanted), sa.false())
    if len(node) == 1:
        ((word, inner),) = node.items()
        if word == "not":
            return sa.not_(_articles(inner, depth + 1))
        if word in ("all", "any") and isinstance(inner, list):
            parts = [_articles(part, depth + 1) for part in inner]
            return sa.and_(sa.true(), *parts) if word == "all" else sa.or_(sa.false(), *parts)
    raise BadValue("bad_filter", _("Give one of: all, any, not, field."))


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BadValue("bad_number", _("A number is needed here."))
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > 10**12:
        raise BadValue("bad_number", _("A number is needed here."))
    return number


def _in_minor(amount: Decimal) -> sa.ColumnElement[Any]:
    """``amount`` in minor units of the receipt's currency."""
    cases = [(Receipt.currency.in_(currencies), sa.literal(_minor(amount, digits))) for digits, currencies in _unusual_currencies().items()]
    return sa.case(*cases, else_=sa.literal(_minor(amount, 2)))


def _minor(amount: Decimal, digits: int) -> int:
    return int(amount.scaleb(digits).to_integral_value())


@lru_cache(maxsize=1)
def _unusual_currencies() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for currency in sorted(list_currencies()):
        if minor_digits(currency) != 2:
            found.setdefault(minor_digits(currency), []).append(currency)
    return found


def _amount_of(session: Session, customer_id: int) -> Any:
    return [f"{one.value} {one.currency}" for one in service.figures_of(session, [customer_id]).get(customer_id, ())]


def _count_of(session: Session, customer_id: int) -> int:
    return sum(one.receipts for one in service.figures_of(session, [customer_id]).get(customer_id, ()))


def _last_on_of(session: Session, customer_id: int) -> dt.date | None:
    return max((one.last_on for one in service.figures_of(session, [customer_id]).get(customer_id, ())), default=None)
