"""What a customer looks like to programs, coming and going."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from regulars_core.customers.models import ConsentState, Kind, Status
from regulars_core.stores import service as stores
from regulars_plugin_api.contributions import CustomerColumn
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.rest import RestSchema
from regulars_plugin_api.views import CustomerView
from regulars_plugin_api.web import current_viewer
from regulars_web.running import crm_here

KINDS = [kind.value for kind in Kind]
STATUSES = [status.value for status in Status]
TEXTS = ("first_name", "last_name", "display_name", "gender", "language", "notes", "street", "city", "postal_code", "region", "country")
PREFERRED = {"email": "emails", "phone": "phones"}
ADDRESS = ("street", "city", "postal_code", "region", "country")


def _text(longest: int = 1000, **options: Any) -> Any:
    return fields.String(allow_none=True, validate=validate.Length(max=longest), **options)


class ExternalIdSchema(RestSchema):
    """What another system calls the customer."""

    source = fields.String(required=True)
    value = fields.String(required=True)


class ConsentSchema(RestSchema):
    """What the customer said about one channel. No entry for a channel means: not permitted."""

    channel = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in ConsentState]))
    given_on = fields.Date(allow_none=True, attribute="given_at")
    source = fields.String(allow_none=True)


class CustomerSchema(RestSchema):
    """A customer. `email` and `phone` are the first of `emails` and `phones`: give one or the other."""

    kind = fields.String(validate=validate.OneOf(KINDS))
    status = fields.String(validate=validate.OneOf(STATUSES))
    first_name = _text()
    last_name = _text()
    display_name = _text(metadata={"description": "The full name; made of its parts if you leave it out."})
    birthday = fields.Date(allow_none=True)
    gender = _text()
    language = _text()
    notes = _text(100_000)
    street = _text()
    city = _text()
    postal_code = _text()
    region = _text()
    country = _text(metadata={"description": "ISO 3166, such as SE."})
    store = _text(metadata={"description": "Code of the home store."})
    email = _text()
    emails = fields.List(fields.String(), validate=validate.Length(max=50))
    phone = _text()
    phones = fields.List(fields.String(), validate=validate.Length(max=50))
    tags = fields.List(fields.String(), validate=validate.Length(max=200))
    external_id = fields.String(load_only=True, metadata={"description": "A number to know the customer by; added to those there are."})
    id = fields.Integer(required=True, dump_only=True)
    uid = fields.String(required=True, dump_only=True)
    external_ids = fields.List(fields.Nested(ExternalIdSchema), dump_only=True)
    consents = fields.List(fields.Nested(ConsentSchema), dump_only=True)
    version = fields.Integer(required=True, dump_only=True)
    deleted = fields.Boolean(required=True, dump_only=True)
    created_at = fields.DateTime(dump_only=True)
    included = fields.Dict(dump_only=True, metadata={"description": "What `include` asked for, by name."})


def typed(given: Mapping[str, Any], known: CustomerView | None = None) -> dict[str, Any]:
    """What was sent, as the service of customers takes it."""
    values = {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in given.items()}
    wrong = {
        one: _("Give %(one)s or %(many)s, not both.", one=one, many=many) for one, many in PREFERRED.items() if {one, many} <= values.keys()
    }
    if wrong:
        raise InvalidInput(None, **wrong)
    for one, many in PREFERRED.items():
        if one in values:
            first = values.pop(one)
            values[many] = [*([first] if first else []), *_others(known, many)]
    return values


def _others(known: CustomerView | None, many: str) -> list[str]:
    if known is None:
        return []
    everything = [email.address for email in known.emails] if many == "emails" else [phone.number for phone in known.phones]
    return everything[1:]


def of_one(session: Session, customer: CustomerView, include: Sequence[str] = ()) -> dict[str, Any]:
    """A customer as JSON."""
    return of_many(session, [customer], include)[0]


def of_many(session: Session, customers: Sequence[CustomerView], include: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Customers as JSON, with the columns of plugins that ``include`` names; a fixed number of statements."""
    columns = _columns(include)
    codes = stores.codes(session, (one.store_id for one in customers))
    found = [_plain(one, codes) for one in customers]
    ids = [one.id for one in customers]
    for customer in found if columns else ():
        customer["included"] = {}
    for plugin, column in columns:
        values = _loaded(session, plugin, column, ids)
        for customer in found:
            customer["included"][column.name] = _as_json(values.get(customer["id"]))
    return found


def _plain(customer: CustomerView, codes: Mapping[int, str]) -> dict[str, Any]:
    address = customer.addresses[0] if customer.addresses else None
    return {
        "id": customer.id,
        "uid": customer.uid,
        "kind": customer.kind,
        "status": customer.status,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "display_name": customer.display_name,
        "birthday": customer.birthday.isoformat() if customer.birthday else None,
        "gender": customer.gender,
        "language": customer.language,
        "notes": customer.notes,
        **{name: getattr(address, name, None) for name in ADDRESS},
        "store": codes.get(customer.store_id or 0),
        "email": customer.email,
        "emails": [one.address for one in customer.emails],
        "phone": customer.phone,
        "phones": [one.number for one in customer.phones],
        "tags": list(customer.tags),
        "external_ids": [{"source": source, "value": value} for source, value in customer.external_ids],
        "consents": [consent(one) for one in customer.consents],
        "version": customer.version,
        "deleted": customer.deleted,
        "created_at": customer.created_at.isoformat() if customer.created_at else None,
    }


def consent(one: Any) -> dict[str, Any]:
    """A consent as JSON."""
    given_on = one.given_at.isoformat() if one.given_at else None
    return {"channel": one.channel, "state": one.state, "given_on": given_on, "source": one.source}


def _columns(include: Sequence[str]) -> list[tuple[str, CustomerColumn]]:
    if not include:
        return []
    viewer = current_viewer()
    offered = {column.name: (plugin, column) for plugin, columns in crm_here().bus.each(hooks.customer_columns) for column in columns}
    known = {name: one for name, one in offered.items() if viewer.may(one[1].permission)}
    unknown = [name for name in include if name not in known]
    if unknown:
        raise InvalidInput(
            include=_("Nobody offers %(names)s. Known are: %(known)s.", names=", ".join(unknown), known=", ".join(sorted(known)) or "-")
        )
    return [known[name] for name in dict.fromkeys(include)]


def _loaded(session: Session, plugin: str, column: CustomerColumn, ids: Sequence[int]) -> Mapping[int, Any]:
    answer = crm_here().bus.guarded(plugin, f"column {column.name}", lambda: column.load(session, ids, current_viewer()))
    return answer.value or {}


def _as_json(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float) else f"{value:f}" if isinstance(value, Decimal) else str(value)
