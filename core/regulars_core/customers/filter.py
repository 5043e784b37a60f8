"""The filter language: JSON in, one SQL condition with bound values out, or the path to what is wrong.

``{"all": [{"field": "city", "op": "eq", "value": "Malmö"}, {"not": {"field": "tags", "op": "in", "value": ["vip"]}}]}``
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel.speaklater import LazyString

from regulars_core.customers.models import (
    Consent,
    ConsentState,
    Customer,
    CustomerAddress,
    CustomerEmail,
    CustomerPhone,
    CustomerTag,
    ExternalId,
    Kind,
    Status,
    Tag,
)
from regulars_core.stores.models import Region, Store
from regulars_plugin_api import values
from regulars_plugin_api.contributions import FilterField
from regulars_plugin_api.errors import RegularsError
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import BadValue, fold

MOST_LEAVES, DEEPEST = 200, 20
OPERATORS = ("eq", "in", "contains", "gt", "lt", "empty")

Condition = sa.ColumnElement[bool]


class BadFilter(RegularsError):
    """A filter that can't be understood; ``path`` leads to the wrong part, such as ``all[1].value``."""

    status = 422

    def __init__(self, path: str, message: LazyString | str) -> None:
        super().__init__(_("%(path)s: %(message)s", path=path or _("filter"), message=message))
        self.path, self.reason = path, message


@dataclass(frozen=True)
class CoreField:
    """A field of the customer itself. ``build`` gets a comparison and says where it must hold."""

    title: LazyString
    build: Callable[[Callable[[Any], Condition]], Condition]
    parse: Callable[[Any], Any]
    operators: tuple[str, ...] = OPERATORS


def _own(column: Any) -> Callable[[Callable[[Any], Condition]], Condition]:
    return lambda compare: compare(column)


def _one_of(model: Any, column: Any, *joins: Any) -> Callable[[Callable[[Any], Condition]], Condition]:
    def build(compare: Callable[[Any], Condition]) -> Condition:
        query = sa.select(sa.literal(1)).select_from(model)
        for join in joins:
            query = query.join(join)
        return query.where(model.customer_id == Customer.id, compare(column)).correlate(Customer).exists()

    return build


def _through_store(column: Any) -> Callable[[Callable[[Any], Condition]], Condition]:
    def build(compare: Callable[[Any], Condition]) -> Condition:
        return (
            sa.select(sa.literal(1))
            .select_from(Store)
            .outerjoin(Region)
            .where(Store.id == Customer.store_id, compare(column))
            .correlate(Customer)
            .exists()
        )

    return build


def _consented(channel: str) -> Callable[[Callable[[Any], Condition]], Condition]:
    def build(compare: Callable[[Any], Condition]) -> Condition:
        query = sa.select(Consent.state).where(Consent.customer_id == Customer.id, Consent.channel == channel).correlate(Customer)
        return compare(query.scalar_subquery())

    return build


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue("not_text", _("A text is needed here."))
    return value


def _parsed(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: parse(_text(value))


def _day(value: Any) -> dt.date:
    return values.date(_text(value), None)


def _member(kind: Any) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        return values.choice(_text(value), {member.value: member for member in kind})

    return parse


_CHOICE, _DATE = ("eq", "in", "empty"), ("eq", "in", "gt", "lt", "empty")

CORE_FIELDS: dict[str, CoreField] = {
    "kind": CoreField(_("Kind"), _own(Customer.kind), _member(Kind), ("eq", "in")),
    "status": CoreField(_("Status"), _own(Customer.status), _member(Status), ("eq", "in")),
    "name": CoreField(_("Full name"), _own(Customer.fold_name), _parsed(fold)),
    "first_name": CoreField(_("First name"), _own(Customer.fold_first), _parsed(fold)),
    "last_name": CoreField(_("Last name"), _own(Customer.fold_last), _parsed(fold)),
    "birthday": CoreField(_("Birthday"), _own(Customer.birthday), _day, _DATE),
    "gender": CoreField(_("Gender"), _own(Customer.gender), _parsed(values.gender), _CHOICE),
    "language": CoreField(_("Language"), _own(Customer.language), _parsed(values.language), _CHOICE),
    "notes": CoreField(_("Notes"), _own(Customer.notes), _text, ("contains", "empty")),
    "store": CoreField(_("Home store"), _through_store(Store.code), _parsed(values.code), _CHOICE),
    "region": CoreField(_("Region of the home store"), _through_store(Region.name), _text, _CHOICE),
    "email": CoreField(
        _("E-mail"),
        _one_of(CustomerEmail, CustomerEmail.match),
        lambda value: _text(value).strip().lower(),
        ("eq", "in", "contains", "empty"),
    ),
    "phone": CoreField(
        _("Phone"), _one_of(CustomerPhone, CustomerPhone.e164), lambda value: _text(value).strip(), ("eq", "in", "contains", "empty")
    ),
    "external_id": CoreField(
        _("Customer number"), _one_of(ExternalId, ExternalId.value), _parsed(values.code), ("eq", "in", "contains", "empty")
    ),
    "city": CoreField(_("Town"), _one_of(CustomerAddress, CustomerAddress.fold_city), _parsed(fold)),
    "postal_code": CoreField(_("Postal code"), _one_of(CustomerAddress, CustomerAddress.postal_code), _text),
    "country": CoreField(_("Country"), _one_of(CustomerAddress, CustomerAddress.country), _parsed(values.country), _CHOICE),
    "tags": CoreField(_("Tags"), _one_of(CustomerTag, Tag.name, Tag), _text, ("eq", "in", "contains", "empty")),
    "consent_email": CoreField(_("Consent to e-mail"), _consented("email"), _member(ConsentState), _CHOICE),
    "consent_sms": CoreField(_("Consent to SMS"), _consented("sms"), _member(ConsentState), _CHOICE),
    "created_on": CoreField(
        _("Added on"),
        _own(Customer.created_at),
        lambda value: dt.datetime.combine(_day(value), dt.time(), dt.UTC),
        ("gt", "lt"),
    ),
}


class FilterCompiler:
    """Compiles filters over core's fields and those that plugins contribute."""

    def __init__(self, plugin_fields: Sequence[FilterField] = ()) -> None:
        self._plugin_fields = {field.name: field for field in plugin_fields}
        self.unknown: list[str] = []
        """Fields nobody offers (their plugin is off): such a condition selects nobody."""

    def compile(self, filter_: Any) -> Condition:
        """A condition on ``Customer``. Raises ``BadFilter``."""
        self._leaves = 0
        condition, known = self._node(filter_, "", 0)
        # "Not a member of a segment nobody knows" must not become everybody.
        return condition if known else sa.false()

    def _node(self, node: Any, path: str, depth: int) -> tuple[Condition, bool]:
        if not isinstance(node, Mapping):
            raise BadFilter(path, _("An object is needed here."))
        if depth > DEEPEST:
            raise BadFilter(path, _("The filter is nested too deep."))
        if "field" in node:
            return self._leaf(node, path)
        if len(node) != 1:
            raise BadFilter(path, _("Give one of: all, any, not, field."))
        ((word, inner),) = node.items()
        if word == "not":
            condition, known = self._node(inner, _join(path, "not"), depth + 1)
            return sa.not_(sa.func.coalesce(condition, sa.false())), known
        if word not in ("all", "any"):
            raise BadFilter(_join(path, str(word)), _("Give one of: all, any, not, field."))
        if not isinstance(inner, list):
            raise BadFilter(_join(path, word), _("A list is needed here."))
        parts = [self._node(part, f"{_join(path, word)}[{place}]", depth + 1) for place, part in enumerate(inner)]
        if word == "all":
            return sa.and_(sa.true(), *(condition for condition, _known in parts)), all(known for _condition, known in parts)
        usable = [condition for condition, known in parts if known]
        return sa.or_(sa.false(), *usable), bool(usable) or not parts

    def _leaf(self, leaf: Mapping[str, Any], path: str) -> tuple[Condition, bool]:
        self._leaves += 1
        if self._leaves > MOST_LEAVES:
            raise BadFilter(path, _("The filter has too many conditions."))
        name, op = leaf["field"], leaf.get("op")
        if not isinstance(name, str):
            raise BadFilter(_join(path, "field"), _("A text is needed here."))
        if name in self._plugin_fields:
            return self._plugin_leaf(self._plugin_fields[name], leaf, path), True
        for extra in leaf.keys() - {"field", "op", "value"}:
            raise BadFilter(_join(path, str(extra)), _("This word is not known here."))
        field = CORE_FIELDS.get(name)
        if field is None:
            if "." in name:
                self.unknown.append(name)
                return sa.false(), False
            raise BadFilter(_join(path, "field"), _("There is no field “%(field)s”.", field=name))
        if op not in field.operators:
            raise BadFilter(_join(path, "op"), _("This field can be compared by: %(ops)s.", ops=", ".join(field.operators)))
        try:
            return _compare(field, op, leaf.get("value")), True
        except BadValue as bad:
            raise BadFilter(_join(path, "value"), bad.message) from bad

    def _plugin_leaf(self, field: FilterField, leaf: Mapping[str, Any], path: str) -> Condition:
        if leaf.get("op") not in field.operators:
            raise BadFilter(_join(path, "op"), _("This field can be compared by: %(ops)s.", ops=", ".join(field.operators)))
        value: Any = (
            {key: part for key, part in leaf.items() if key not in ("field", "op")}
            if leaf.keys() & {"within", "where"}
            else leaf.get("value")
        )
        try:
            return field.clause(Customer.__table__.c.id, str(leaf["op"]), value)
        except BadValue as bad:
            raise BadFilter(_join(path, "value"), bad.message) from bad


def _compare(field: CoreField, op: str, value: Any) -> Condition:
    if op == "empty":
        if not isinstance(value, bool | None):
            raise BadValue("not_yes_no", _("Give true or false."))
        filled = field.build(lambda column: sa.and_(column.is_not(None), sa.cast(column, sa.Text) != ""))
        return filled if value is False else sa.not_(sa.func.coalesce(filled, sa.false()))
    if op == "in":
        if not isinstance(value, list) or len(value) > 1000:
            raise BadValue("not_a_list", _("A list of at most 1,000 values is needed here."))
        wanted = [field.parse(one) for one in value]
        return field.build(lambda column: column.in_(wanted))
    wanted_one = field.parse(value)
    if op == "eq":
        return field.build(lambda column: column == wanted_one)
    if op == "contains":
        if not wanted_one:
            raise BadValue("blank", _("Give at least one character."))
        return field.build(lambda column: column.contains(wanted_one, autoescape=True))
    return field.build(lambda column: column > wanted_one if op == "gt" else column < wanted_one)


def _join(path: str, word: str) -> str:
    return f"{path}.{word}" if path else word
