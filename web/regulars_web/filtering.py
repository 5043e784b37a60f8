"""A filter as a form and in words: groups of conditions, each with a field, a comparison and a value."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from regulars_core.customers.filter import CORE_FIELDS
from regulars_core.stores import service as stores
from regulars_plugin_api.contributions import FieldType, FilterField
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.hookspecs import data as hooks
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.web import current_viewer
from regulars_web.running import crm_here

KINDS: Mapping[str, Text] = {"person": _("Person"), "company": _("Company"), "household": _("Household")}
STATUSES: Mapping[str, Text] = {"prospect": _("Prospect"), "active": _("Active"), "inactive": _("Inactive"), "blocked": _("Blocked")}
GENDERS: Mapping[str, Text] = {"female": _("Female"), "male": _("Male"), "other": _("Other")}
CONSENTS: Mapping[str, Text] = {"granted": _("Yes"), "withdrawn": _("Withdrawn"), "unproven": _("Yes, without proof")}
CHOICES: Mapping[str, Mapping[str, Text]] = {
    "kind": KINDS,
    "status": STATUSES,
    "gender": GENDERS,
    "consent_email": CONSENTS,
    "consent_sms": CONSENTS,
}
DAYS = ("birthday", "created_on")
JOINTS: Mapping[str, Text] = {"all": _("and"), "any": _("or")}
OPERATORS: Mapping[str, Text] = {
    "eq": _("is"),
    "not": _("is not"),
    "in": _("is one of"),
    "contains": _("contains"),
    "gt": _("is more than"),
    "lt": _("is less than"),
    "empty": _("is not known"),
    "filled": _("is known"),
}
OF_DAYS: Mapping[str, Text] = {"gt": _("is after"), "lt": _("is before")}
MOST_GROUPS, MOST_ROWS, LONGEST = 10, 20, 2000


@dataclass(frozen=True)
class Offer:
    """A field to choose: its name, title, kind (``text``, ``number``, ``date``, ``choice``), comparisons and choices."""

    name: str
    title: Text
    kind: str
    operators: tuple[str, ...]
    choices: Sequence[tuple[str, Text]] = ()

    def words(self, op: str) -> Text:
        """What a comparison is called for this field."""
        return OF_DAYS.get(op, OPERATORS[op]) if self.kind == "date" else OPERATORS[op]


@dataclass
class Row:
    """One condition as the form holds it; several values for a choice."""

    field: str
    op: str = "eq"
    values: list[str] = dataclasses.field(default_factory=list)


@dataclass
class Group:
    """Conditions of which ``all`` or ``any`` must hold."""

    match: str = "all"
    rows: list[Row] = dataclasses.field(default_factory=list)


@dataclass
class Form:
    """A whole filter as the form holds it."""

    match: str = "all"
    groups: list[Group] = dataclasses.field(default_factory=list)


class TooDeep(Exception):
    """A filter that has more to it than the form can show."""


def offers(session: Session) -> dict[str, Offer]:
    """Every field that can be chosen: core's, then the plugins'."""
    all_stores = [(one.code, one.name) for one in stores.listed(session, current_viewer())]
    choices: dict[str, Sequence[tuple[str, Text]]] = {name: tuple(found.items()) for name, found in CHOICES.items()}
    choices |= {"store": all_stores, "tags": [(tag, tag) for tag in crm_here().customers.tags(session)]}
    found = {}
    for name, core in CORE_FIELDS.items():
        kind = "date" if name in DAYS else "choice" if choices.get(name) else "text"
        found[name] = Offer(name, core.title, kind, _operators(core.operators), choices.get(name, ()))
    for plugin, fields in crm_here().bus.each(hooks.filter_fields):
        for one in fields:
            answer = crm_here().bus.guarded(plugin, f"filter field {one.name}", partial(_of_plugin, session, one))
            if answer.value is not None and answer.value.operators:
                found[one.name] = answer.value
    return found


def read(given: Mapping[str, list[str]], known: Mapping[str, Offer]) -> Form:
    """The form out of its fields ``m``, ``m0``, ``f0-1``, ``o0-1``, ``v0-1`` …"""
    form = Form(_match(given, "m"))
    for number in range(MOST_GROUPS):
        group = Group(_match(given, f"m{number}"))
        for place in range(MOST_ROWS):
            name = _one(given, f"f{number}-{place}")
            if name in known:
                op = _one(given, f"o{number}-{place}")
                values = [value.strip()[:LONGEST] for value in given.get(f"v{number}-{place}", []) if value.strip()]
                group.rows.append(Row(name, op if op in known[name].operators else known[name].operators[0], values))
        if group.rows or f"m{number}" in given:
            form.groups.append(group)
    return form


def to_filter(form: Form, known: Mapping[str, Offer]) -> dict[str, Any] | None:
    """The filter a form stands for; None for an empty one. Conditions without a value are left out."""
    groups = [
        {group.match: nodes} for group in form.groups if (nodes := [_node(row, known[row.field]) for row in group.rows if _is_whole(row)])
    ]
    if not groups:
        return None
    return groups[0] if len(groups) == 1 else {form.match: groups}


def from_filter(where: Any, known: Mapping[str, Offer]) -> Form:
    """The form of a filter. Raises ``TooDeep`` where it has more to it, such as a third level."""
    if where is None:
        return Form(groups=[Group()])
    match, children = _branch(where)
    if all(_is_leaf(child) for child in children):
        return Form(groups=[Group(match, [_row(child, known) for child in children])])
    form = Form(match)
    for child in children:
        inner, leaves = (match, [child]) if _is_leaf(child) else _branch(child)
        form.groups.append(Group(inner, [_row(leaf, known) for leaf in leaves]))
    return form


def parsed(text: str) -> Any | None:
    """The filter in an address. Raises ``InvalidInput`` for what is none."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as broken:
        raise InvalidInput(_("The filter in this address can't be read. Choose it again.")) from broken


def sentence(node: Any, known: Mapping[str, Offer]) -> str:
    """A filter in words."""
    if isinstance(node, Mapping) and len(node) == 1 and ("all" in node or "any" in node):
        ((match, children),) = node.items()
        joint = JOINTS[match]
        return f" {joint} ".join(f"({text})" if _is_branch(child) else text for child in children if (text := sentence(child, known)))
    try:
        row = _row(node, known)
    except TooDeep:
        return str(_("a condition the form can't show"))
    offer = known[row.field]
    titles = {key: str(title) for key, title in offer.choices}
    shown = ", ".join(titles.get(value, value) for value in row.values)
    return f"{offer.title} {offer.words(row.op)} {shown}".rstrip()


def without(where: Any, place: int) -> Any | None:
    """A filter less one of the parts it is made of at the top."""
    match, children = _branch(where)
    rest = [child for number, child in enumerate(children) if number != place]
    return {match: rest} if rest else None


def parts(where: Any) -> list[Any]:
    """What a filter is made of at the top, each to be shown and taken away by itself; the whole where parts make no sense alone."""
    if where is None:
        return []
    return list(where["all"]) if is_all(where) else [where]


def is_all(where: Any) -> bool:
    """Whether a filter is parts of which all must hold."""
    return _is_branch(where) and "all" in where


def _of_plugin(session: Session, one: FilterField) -> Offer:
    choices = tuple(one.choices(session)) if one.choices else ()
    kinds = {FieldType.DATE: "date", FieldType.NUMBER: "number", FieldType.MONEY: "number"}
    if one.type is FieldType.YES_NO:
        choices = (("true", _("Yes")), ("false", _("No")))
    return Offer(one.name, one.title, "choice" if choices else kinds.get(one.type, "text"), _operators(tuple(one.operators)), choices)


def _operators(offered: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = [op for op in ("eq", "in", "contains", "gt", "lt", "empty") if op in offered]
    if "eq" in found:
        found.insert(1, "not")
    return tuple([*found, "filled"] if "empty" in found else found)


def _match(given: Mapping[str, list[str]], name: str) -> str:
    return "any" if _one(given, name) == "any" else "all"


def _one(given: Mapping[str, list[str]], name: str) -> str:
    return (given.get(name) or [""])[0]


def _is_whole(row: Row) -> bool:
    return bool(row.values) or row.op in ("empty", "filled")


def _node(row: Row, offer: Offer) -> dict[str, Any]:
    if row.op in ("empty", "filled"):
        return {"field": row.field, "op": "empty", "value": row.op == "empty"}
    values = [_value(value, offer) for value in row.values]
    if row.op == "in" or len(values) > 1:
        if offer.kind == "text" and len(row.values) == 1:
            values = [part.strip() for part in row.values[0].replace(";", ",").split(",") if part.strip()]
        if "in" in offer.operators:
            several = {"field": row.field, "op": "in", "value": values}
            return {"not": several} if row.op == "not" else several
    leaf = {"field": row.field, "op": "eq" if row.op == "not" else row.op, "value": values[0]}
    return {"not": leaf} if row.op == "not" else leaf


def _value(text: str, offer: Offer) -> Any:
    if {"true", "false"} == {key for key, _title in offer.choices}:
        return text == "true"
    if offer.kind != "number":
        return text
    try:
        number = Decimal(text.replace(" ", "").replace("\u00a0", "").replace(",", "."))
    except InvalidOperation:
        return text
    return int(number) if number == number.to_integral_value() else str(number)


def _is_branch(node: Any) -> bool:
    return isinstance(node, Mapping) and len(node) == 1 and any(isinstance(node.get(word), list) for word in ("all", "any"))


def _is_leaf(node: Any) -> bool:
    inner = node.get("not") if isinstance(node, Mapping) and len(node) == 1 and "not" in node else node
    return isinstance(inner, Mapping) and "field" in inner


def _branch(node: Any) -> tuple[str, list[Any]]:
    if _is_leaf(node):
        return "all", [node]
    if not _is_branch(node):
        raise TooDeep
    ((match, children),) = node.items()
    return match, children


def _row(node: Any, known: Mapping[str, Offer]) -> Row:
    is_not = isinstance(node, Mapping) and "not" in node
    leaf = node["not"] if is_not else node
    if not isinstance(leaf, Mapping) or leaf.get("field") not in known or leaf.keys() - {"field", "op", "value"}:
        raise TooDeep
    op, value = leaf.get("op"), leaf.get("value")
    if op == "empty":
        is_empty = (value is not False) != is_not
        return Row(leaf["field"], "empty" if is_empty else "filled")
    if (is_not and op not in ("eq", "in")) or op not in OPERATORS:
        raise TooDeep
    values = [_text(one) for one in value] if isinstance(value, list) else [_text(value)]
    return Row(leaf["field"], "not" if is_not else str(op), values)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
