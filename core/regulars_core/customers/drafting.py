"""What was typed about one customer, checked field by field, and put into its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers import aggregate, naming
from regulars_core.customers.aggregate import Aggregate, CustomerRow
from regulars_core.customers.models import (
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
from regulars_core.stores.models import Store
from regulars_plugin_api import values
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.i18n import _
from regulars_plugin_api.values import BadValue, fold

LONGEST_NOTE, LONGEST_LINE = 100_000, 400
# Numbers that staff typed count as the files' own: a later file finds the customer by them.
SOURCE = "import"


def _line(raw: str) -> str:
    return values.text(raw.strip(), max_length=LONGEST_LINE)


def _member(kind: Any) -> Callable[[str], Any]:
    return lambda raw: values.choice(raw, {member.value: member for member in kind})


SINGLE: dict[str, Callable[[str], Any]] = {
    "kind": _member(Kind),
    "status": _member(Status),
    "first_name": _line,
    "last_name": _line,
    "display_name": _line,
    "birthday": values.date,
    "gender": values.gender,
    "language": values.language,
    "notes": partial(values.text, max_length=LONGEST_NOTE),
}
ADDRESS: dict[str, Callable[[str], Any]] = {
    "street": _line,
    "city": _line,
    "postal_code": _line,
    "region": _line,
    "country": values.country,
}
LISTS = ("emails", "phones", "tags")
FIELDS = (*SINGLE, "store_id", *LISTS, "addresses", "external_ids")
ACCEPTED = frozenset((*SINGLE, *ADDRESS, *LISTS, "store", "store_id", "external_id"))


@dataclass
class Draft:
    """Checked values. A field that is absent stays as it is; None empties it."""

    fields: dict[str, Any] = field(default_factory=dict)
    address: dict[str, Any] = field(default_factory=dict)
    emails: list[values.EmailValue] | None = None
    phones: list[values.PhoneValue] | None = None
    tags: list[str] | None = None
    external_id: str | None = None


def read(given: Mapping[str, Any], session: Session, chain_country: str | None, known: Customer | None = None) -> Draft:
    """Check what was typed. Raises ``InvalidInput`` with a sentence for each field that is wrong."""
    wrong: dict[str, Any] = {name: _("This field is not known here.") for name in given.keys() - ACCEPTED}
    draft = Draft()
    for target, parsers in ((draft.fields, SINGLE), (draft.address, ADDRESS)):
        for name in given.keys() & parsers.keys():
            _try(wrong, name, partial(_take_value, target, name, given[name], parsers[name]))
    store = _store(given, session, wrong)
    if store is not None or "store" in given or "store_id" in given:
        draft.fields["store_id"] = store.id if store else None
    country = draft.address.get("country") or (store.country if store else None) or chain_country
    lists: dict[str, Callable[[str], Any]] = {"emails": values.email, "phones": partial(values.phone, country=country), "tags": _line}
    for name in given.keys() & lists.keys():
        _try(wrong, name, partial(_take_list, draft, name, given[name], lists[name]))
    if given.get("external_id"):
        _try(wrong, "external_id", lambda: setattr(draft, "external_id", values.code(given["external_id"])))
    if draft.fields.get("kind", Kind) is None or draft.fields.get("status", Status) is None:
        wrong["kind" if draft.fields.get("kind", Kind) is None else "status"] = _("A value is needed here.")
    _name(draft, known, wrong)
    if wrong:
        raise InvalidInput(**wrong)
    return draft


def made(draft: Draft, session: Session, uid: str) -> Aggregate:
    """The new customer that a checked draft is. Raises ``InvalidInput`` for a number that another has."""
    if draft.external_id:
        _refuse_taken(draft.external_id, session)
    address = tuple(map(draft.address.get, ADDRESS)) if any(draft.address.values()) else None
    emails, phones, tags = tuple(draft.emails or ()), tuple(draft.phones or ()), tuple(draft.tags or ())
    row = CustomerRow(draft.external_id, draft.fields, emails, phones, address, tags, consents=())
    return aggregate.of_new(row, SOURCE, uid)


def put(customer: Customer, draft: Draft, session: Session) -> None:
    """Write a checked draft into a customer's rows."""
    for name, value in draft.fields.items():
        setattr(customer, name, value)
    customer.fold_name, customer.fold_first, customer.fold_last = naming.folded(
        customer.display_name, customer.first_name, customer.last_name
    )
    if draft.address:
        _put_address(customer, draft.address)
    if draft.emails is not None:
        _put_contacts(customer.emails, {email.match: email.as_typed for email in draft.emails}, CustomerEmail, "match", "address")
    if draft.phones is not None:
        _put_contacts(customer.phones, {phone.e164: phone.as_typed for phone in draft.phones}, CustomerPhone, "e164", "number")
    if draft.tags is not None:
        _put_tags(customer, draft.tags, session)
    if draft.external_id and not any(one.value == draft.external_id for one in customer.external_ids):
        _refuse_taken(draft.external_id, session)
        customer.external_ids.append(ExternalId(source=SOURCE, value=draft.external_id))


def _refuse_taken(external_id: str, session: Session) -> None:
    if session.scalar(sa.select(ExternalId.id).where(ExternalId.source == SOURCE, ExternalId.value == external_id)):
        raise InvalidInput(external_id=_("Another customer has this number."))


def _try(wrong: dict[str, Any], name: str, step: Callable[[], Any]) -> None:
    try:
        step()
    except BadValue as bad:
        wrong[name] = bad.message


def _take_value(target: dict[str, Any], name: str, raw: Any, parse: Callable[[str], Any]) -> None:
    target[name] = _value(raw, parse)


def _take_list(draft: Draft, name: str, raw: Any, parse: Callable[[str], Any]) -> None:
    setattr(draft, name, _unique(parse(one) for one in _list(raw)))


def _value(raw: Any, parse: Callable[[str], Any]) -> Any:
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if not isinstance(raw, str):
        raise BadValue("not_text", _("A text is needed here."))
    return parse(raw)


def _list(raw: Any) -> list[str]:
    if isinstance(raw, str):
        return [part.strip() for part in raw.replace("\n", ";").split(";") if part.strip()]
    if not isinstance(raw, list | tuple) or not all(isinstance(part, str) for part in raw):
        raise BadValue("not_texts", _("A list of texts is needed here."))
    if any(";" in part for part in raw):
        raise BadValue("semicolon", _("A semicolon parts the values of a list; it can't be in one."))
    return [part.strip() for part in raw if part.strip()]


def _unique(found: Iterable[Any]) -> list[Any]:
    return list({getattr(one, "match", None) or getattr(one, "e164", None) or one: one for one in found}.values())


def _store(given: Mapping[str, Any], session: Session, wrong: dict[str, Any]) -> Store | None:
    name = "store_id" if given.get("store_id") else "store"
    wanted = given.get(name)
    if not wanted:
        return None
    condition = Store.id == int(wanted) if name == "store_id" and str(wanted).isdecimal() else Store.code == str(wanted)
    store = session.scalar(sa.select(Store).where(condition))
    if store is None:
        wrong[name] = _("There is no such store.")
    return store


def _name(draft: Draft, known: Customer | None, wrong: dict[str, Any]) -> None:
    """Keep the full name in step with its parts unless somebody typed one."""
    parts = {name: draft.fields.get(name, getattr(known, name, None)) for name in ("first_name", "last_name")}
    typed = draft.fields.get("display_name")
    if typed:
        return
    if (
        known is not None
        and "display_name" not in draft.fields
        and known.display_name != naming.full_name(known.first_name, known.last_name)
    ):
        return
    name = naming.display_name(parts, draft.emails or (), draft.phones or (), draft.external_id) or getattr(known, "display_name", None)
    if name is None:
        wrong.setdefault("display_name", _("Give at least a name, an e-mail address, a phone number or a customer number."))
        return
    draft.fields["display_name"] = name


def _put_address(customer: Customer, given: Mapping[str, Any]) -> None:
    if not customer.addresses:
        if not any(given.values()):
            return
        customer.addresses.append(CustomerAddress(position=0))
    address = customer.addresses[0]
    for name, value in given.items():
        setattr(address, name, value)
    address.fold_city = fold(address.city) if address.city else None


def _put_contacts(rows: list[Any], wanted: dict[str, str], model: Any, key: str, shown: str) -> None:
    kept = {getattr(row, key): row for row in rows}
    for gone in [row for row in rows if getattr(row, key) not in wanted]:
        rows.remove(gone)
    for place, (match, typed) in enumerate(wanted.items()):
        if match in kept:
            setattr(kept[match], shown, typed)
            kept[match].position = place
        else:
            rows.append(model(**{key: match, shown: typed, "position": place}))
    rows.sort(key=lambda row: row.position)


def _put_tags(customer: Customer, wanted: list[str], session: Session) -> None:
    known = {tag.name: tag for tag in session.scalars(sa.select(Tag).where(Tag.name.in_(wanted)))}
    for gone in [one for one in customer.tags if one.tag.name not in wanted]:
        customer.tags.remove(gone)
    have = {one.tag.name for one in customer.tags}
    customer.tags.extend(CustomerTag(tag=known.get(name) or Tag(name=name)) for name in wanted if name not in have)
