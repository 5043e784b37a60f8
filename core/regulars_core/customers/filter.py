"""The filter language: JSON in, one SQL condition with bound values out, or the path to what is wrong.

``{"all": [{"field": "city", "op": "eq", "value": "Malmö"}, {"not": {"field": "tags", "op": "in", "value": ["vip"]}}]}``
"""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel.speaklater import LazyString
from sqlalchemy.ext.compiler import compiles

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
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.hookspecs import data as data_hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import BadValue, fold

if TYPE_CHECKING:
    from regulars_core.crm import Crm

MOST_CONDITIONS, MOST_VALUES, DEEPEST = 300, 10_000, 20
OPERATORS = ("eq", "in", "contains", "gt", "lt", "empty")

Condition = sa.ColumnElement[bool]
# Neither true nor false, so that "not" does not turn nobody into everybody.
NOBODY_KNOWS: Condition = sa.cast(sa.null(), sa.Boolean)


class BadFilter(InvalidInput):
    """A filter that can't be understood; ``path`` leads to the wrong part, such as ``all[1].value``."""

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
    is_instant: bool = False
    """Compared by the day it was in the chain's zone."""


def _own(column: Any) -> Callable[[Callable[[Any], Condition]], Condition]:
    return lambda compare: compare(column)


# Sets of ids instead of a look for each customer: an index leads to the few who have the value, and the rest is not gone through.
def _one_of(model: Any, column: Any, *joins: Any) -> Callable[[Callable[[Any], Condition]], Condition]:
    def build(compare: Callable[[Any], Condition]) -> Condition:
        query = sa.select(model.customer_id)
        for join in joins:
            query = query.join(join)
        return Customer.id.in_(query.where(compare(column)))

    return build


def _through_store(column: Any) -> Callable[[Callable[[Any], Condition]], Condition]:
    return lambda compare: Customer.store_id.in_(sa.select(Store.id).outerjoin(Region).where(compare(column)))


def _consented(channel: str) -> Callable[[Callable[[Any], Condition]], Condition]:
    return lambda compare: Customer.id.in_(sa.select(Consent.customer_id).where(Consent.channel == channel, compare(Consent.state)))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue("not_text", _("A text is needed here."))
    return values.text(value)


def _address(value: Any) -> str:
    text = _text(value)
    try:
        return values.email(text).match
    except BadValue:
        return text.strip().lower()


def _number(value: Any) -> str:
    text = _text(value)
    try:
        return values.phone(text).e164
    except BadValue:
        return "".join(character for character in values.western_digits(text) if character in "+0123456789")


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
    "email": CoreField(_("E-mail"), _one_of(CustomerEmail, CustomerEmail.match), _address, ("eq", "in", "contains", "empty")),
    "phone": CoreField(_("Phone"), _one_of(CustomerPhone, CustomerPhone.e164), _number, ("eq", "in", "contains", "empty")),
    "external_id": CoreField(
        _("Customer number"), _one_of(ExternalId, ExternalId.value), _parsed(values.code), ("eq", "in", "contains", "empty")
    ),
    "city": CoreField(_("City"), _one_of(CustomerAddress, CustomerAddress.fold_city), _parsed(fold)),
    "postal_code": CoreField(
        _("Postal code"), _one_of(CustomerAddress, CustomerAddress.postal_code), _text, ("eq", "in", "contains", "empty")
    ),
    "country": CoreField(_("Country"), _one_of(CustomerAddress, CustomerAddress.country), _parsed(values.country), _CHOICE),
    "tags": CoreField(_("Tags"), _one_of(CustomerTag, Tag.name, Tag), _text, ("eq", "in", "contains", "empty")),
    "consent_email": CoreField(_("Consent to e-mail"), _consented("email"), _member(ConsentState), _CHOICE),
    "consent_sms": CoreField(_("Consent to SMS"), _consented("sms"), _member(ConsentState), _CHOICE),
    "created_on": CoreField(_("Added on"), _own(Customer.created_at), _day, ("eq", "gt", "lt"), is_instant=True),
}


class FilterCompiler:
    """Compiles filters over core's fields and those that plugins contribute. Days are days in ``zone``."""

    def __init__(self, plugin_fields: Sequence[FilterField] = (), zone: dt.tzinfo = dt.UTC) -> None:
        self._plugin_fields = {field.name: field for field in plugin_fields}
        self._zone = zone
        self.unknown: list[str] = []
        """Fields nobody offers (their plugin is off): such a condition selects nobody."""
        self.of_plugins: list[tuple[str, FilterField, Condition]] = []
        """(path, field, condition) of each condition that a plugin made."""

    def compile(self, filter_: Any) -> Condition:
        """A condition on ``Customer``. Raises ``BadFilter``."""
        self._conditions = self._values = 0
        return self._node(filter_, "", 0, False)

    def _node(self, node: Any, path: str, depth: int, negated: bool) -> Condition:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise BadFilter(path, _("The filter has too many conditions."))
        if not isinstance(node, Mapping):
            raise BadFilter(path, _("An object is needed here."))
        if depth > DEEPEST:
            raise BadFilter(path, _("The filter is nested too deep."))
        if "field" in node:
            condition = self._leaf(node, path)
            # Of two values only, so that "not" is the opposite; where nothing is negated an index can serve it as it is.
            return sa.func.coalesce(condition, sa.false()) if negated and condition is not NOBODY_KNOWS else condition
        if len(node) != 1:
            raise BadFilter(path, _("Give one of: all, any, not, field."))
        ((word, inner),) = node.items()
        if word == "not":
            return sa.not_(self._node(inner, _join(path, "not"), depth + 1, not negated))
        if word not in ("all", "any"):
            raise BadFilter(_join(path, str(word)), _("Give one of: all, any, not, field."))
        if not isinstance(inner, list):
            raise BadFilter(_join(path, word), _("A list is needed here."))
        parts = [self._node(part, f"{_join(path, word)}[{place}]", depth + 1, negated) for place, part in enumerate(inner)]
        return sa.and_(sa.true(), *parts) if word == "all" else sa.or_(sa.false(), *parts)

    def _leaf(self, leaf: Mapping[str, Any], path: str) -> Condition:
        name, op = leaf["field"], leaf.get("op")
        if not isinstance(name, str):
            raise BadFilter(_join(path, "field"), _("A text is needed here."))
        of_plugin = "." in name
        for extra in sorted(leaf.keys() - {"field", "op", "value", *(("within", "where") if of_plugin else ())}):
            raise BadFilter(_join(path, str(extra)), _("This word is not known here."))
        if name in self._plugin_fields:
            return self._plugin_leaf(self._plugin_fields[name], leaf, path)
        field = CORE_FIELDS.get(name)
        if field is None:
            if of_plugin:
                self.unknown.append(name)
                return NOBODY_KNOWS
            raise BadFilter(_join(path, "field"), _("There is no field “%(field)s”.", field=name))
        if op not in field.operators:
            raise BadFilter(_join(path, "op"), _("This field can be compared by: %(ops)s.", ops=", ".join(field.operators)))
        value = leaf.get("value")
        self._values += len(value) if isinstance(value, list) else 1
        try:
            if self._values > MOST_VALUES:
                raise BadValue("too_many_values", _("The filter has too many values."))
            return _on_day(field, op, value, self._zone) if field.is_instant else _compare(field, op, value)
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
            condition = field.clause(Customer.__table__.c.id, str(leaf["op"]), value)
        except BadValue as bad:
            raise BadFilter(_join(path, "value"), bad.message) from bad
        self.of_plugins.append((path, field, condition))
        return condition


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
        return field.build(lambda column: _PlainLower(column).contains(wanted_one.translate(_CAPITALS), autoescape=True))
    return field.build(lambda column: column > wanted_one if op == "gt" else column < wanted_one)


def _on_day(field: CoreField, op: str, value: Any, zone: dt.tzinfo) -> Condition:
    day = field.parse(value)
    try:
        begins, ends = (dt.datetime.combine(day + dt.timedelta(days), dt.time(), zone).astimezone(dt.UTC) for days in (0, 1))
    except OverflowError:
        raise BadValue("year_out_of_range", _("This year is out of range.")) from None
    if op == "eq":
        return field.build(lambda column: sa.and_(column >= begins, column < ends))
    return field.build(lambda column: column >= ends if op == "gt" else column < begins)


class _PlainLower(sa.sql.functions.FunctionElement[str]):
    """Small letters for A to Z and nothing else: what SQLite means by ``lower``, whatever the collation of PostgreSQL."""

    type = sa.Text()
    inherit_cache = True


@compiles(_PlainLower)
def _lower(function: _PlainLower, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(function.clauses, **options)})"


@compiles(_PlainLower, "postgresql")
def _plain_lower(function: _PlainLower, compiler: Any, **options: Any) -> str:
    return f'lower({compiler.process(function.clauses, **options)} COLLATE "C")'


_CAPITALS = {ord(capital): capital.lower() for capital in string.ascii_uppercase}


def compiler(crm: Crm) -> FilterCompiler:
    """For the fields of core and of the plugins that are on."""
    offered = [_guarded(crm, plugin, one) for plugin, found in crm.bus.each(data_hooks.filter_fields) for one in found]
    return FilterCompiler(offered, crm.config.timezone)


def _guarded(crm: Crm, plugin: str, field: FilterField) -> FilterField:
    """A field that selects nobody where its plugin fails."""

    def clause(column: sa.ColumnElement[int], op: str, value: Any) -> Condition:
        def asked() -> Condition | BadValue:
            try:
                return sa.and_(field.clause(column, op, value))
            except BadValue as bad:
                return bad

        answer = crm.bus.guarded(plugin, f"filter field {field.name}", asked).value
        if isinstance(answer, BadValue):
            raise answer
        return NOBODY_KNOWS if answer is None else answer

    return replace(field, clause=clause)


@contextmanager
def blaming(crm: Crm, where: Any) -> Iterator[None]:
    """Where a statement fails inside the block: ``BadFilter`` for the part of ``where`` whose plugin made SQL that can't be run."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        of_crm = compiler(crm)
        of_crm.compile(where or {"all": []})
        for path, field, condition in of_crm.of_plugins:
            plugin = field.name.partition(".")[0]
            if crm.bus.guarded(plugin, f"SQL of filter field {field.name}", partial(_try, crm, condition)).failure:
                said = _("The plugin %(plugin)s failed to look up “%(field)s”. Leave this condition out.", plugin=plugin, field=field.title)
                raise BadFilter(path, said) from error
        raise


def _try(crm: Crm, condition: Condition) -> None:
    with crm.database.read() as session:
        session.scalar(sa.select(sa.func.count()).select_from(Customer).where(condition))


def fields_nobody_offers(crm: Crm, where: Any) -> list[str]:
    """The fields of a filter whose plugin is off: they select nobody, which somebody has to be told. Raises ``BadFilter``."""
    of_crm = compiler(crm)
    of_crm.compile(where)
    return of_crm.unknown


def _join(path: str, word: str) -> str:
    return f"{path}.{word}" if path else word
