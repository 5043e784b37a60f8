"""What an entry of the record of changes says, in words: the noun of its table, its field, and whom an id means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit.history import ChangeView
from regulars_core.customers.models import Customer
from regulars_core.exchange import kinds
from regulars_core.privacy import tables
from regulars_core.stores.models import Region, Store
from regulars_core.users.models import User
from regulars_plugin_api.db import Base, Quantity, UnitPrice, unscaled
from regulars_plugin_api.i18n import Text, _
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer
from regulars_web.filtering import CONSENTS, GENDERS, KINDS, STATUSES

if TYPE_CHECKING:
    from regulars_core.crm import Crm

NOUNS: Mapping[str, Text] = {
    "customer": _("Customer"), "customer_email": _("E-mail"), "customer_phone": _("Phone"), "customer_address": _("Address"),
    "external_id": _("Customer number"), "customer_tag": _("Tag"), "tag": _("Tag"), "consent": _("Consent"),
    "customer_link": _("Ties to others"), "customer_distinct": _("Said to be somebody else"), "notice": _("Notices to staff"),
    "erasure": _("Erasure"), "region": _("Region"), "role": _("Role"), "saved_view": _("Saved view"), "setting": _("Settings"),
    "store": _("Store"), "user_account": _("User"),
}  # fmt: skip
FIELDS: Mapping[str, Text] = {
    "kind": _("Kind"), "status": _("Status"), "first_name": _("First name"), "last_name": _("Last name"),
    "display_name": _("Full name"), "birthday": _("Birthday"), "gender": _("Gender"), "language": _("Language"), "notes": _("Notes"),
    "store_id": _("Home store"), "address": _("Address"), "number": _("Number"), "e164": _("Phone"), "street": _("Street"),
    "city": _("City"), "postal_code": _("Postal code"), "region": _("Region"), "country": _("Country"), "state": _("State"),
    "given_on": _("Given on"), "source": _("Source"), "channel": _("Channel"), "deleted_at": _("In the trash since"),
    "position": _("Order"), "value": _("Number"), "match": _("E-mail"), "email": _("E-mail"),
    "merged_into_id": _("Part of customer"), "customer_id": _("Customer"), "name": _("Name"), "version": _("Version"),
    "personal_data": _("Personal data"), "changes": _("Entries in the record of changes"), "locale": _("Language"),
}  # fmt: skip
VALUES: Mapping[tuple[str, str], Mapping[str, Text]] = {
    ("customer", "kind"): KINDS,
    ("customer", "status"): STATUSES,
    ("customer", "gender"): GENDERS,
    ("consent", "state"): CONSENTS,
}
_NAMES: Mapping[str, Any] = {"customer": Customer.display_name, "store": Store.name, "region": Region.name, "user_account": User.name}


@dataclass(frozen=True)
class Told:
    """An entry; ``field`` is blank where nobody has a word for it. ``old`` and ``new`` name what an id means."""

    entry: ChangeView
    noun: str
    field: str
    old: Value
    new: Value


@dataclass(frozen=True)
class Value:
    """What a field held; ``customer_id`` if that is a customer whom the reader may see."""

    text: object
    customer_id: int | None = None


def told(crm: Crm, session: Session, viewer: Viewer, entries: Sequence[ChangeView]) -> list[Told]:
    """Entries in the words of the running language, with the names of what the viewer may see."""
    names = _names(crm, session, viewer, entries)
    fields = _fields(crm)

    def value(entry: ChangeView, held: object) -> Value:
        target = _target(entry)
        if target is not None and isinstance(held, int):
            name = names.get((target, held))
            return Value(name, held if target == "customer" and name else None)
        return Value(_readable(entry, held))

    return [Told(one, noun(crm, one.table), _field(fields, one), value(one, one.old), value(one, one.new)) for one in entries]


def noun(crm: Crm, table: str) -> str:
    """What a row of a table is to a person: its title, else the plugin's title and the rest of the table's name."""
    return str(NOUNS.get(table) or _info(table).get("title") or tables.title(crm, table))


def _fields(crm: Crm) -> dict[tuple[str, str], Text]:
    """The titles of columns that importers have given: a record's own before those of its parts."""
    found: dict[tuple[str, str], Text] = {}
    for is_root in (True, False):
        for importer in kinds.importers(crm).values():
            for table in importer.tables:
                if (table == importer.root) == is_root:
                    for column in importer.columns:
                        found.setdefault((table, column.name), column.title)
    return found


def _field(fields: Mapping[tuple[str, str], Text], entry: ChangeView) -> str:
    name = entry.field or ""
    words = FIELDS.get(name) if entry.table in NOUNS else None
    return str(words or fields.get((entry.table, name.removesuffix("_minor"))) or NOUNS.get(_target(entry) or "") or "")


def _names(crm: Crm, session: Session, viewer: Viewer, entries: Sequence[ChangeView]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        if (target := _target(entry) or "") in _NAMES:
            wanted[target].update(held for held in (entry.old, entry.new) if isinstance(held, int))
    return dict(pair for table, ids in wanted.items() for pair in _named(crm, session, viewer, table, ids))


def _named(crm: Crm, session: Session, viewer: Viewer, table: str, ids: set[int]) -> Iterator[tuple[tuple[str, int], str]]:
    name = _NAMES[table]
    query = sa.select(name.class_.id, name).where(name.class_.id.in_(ids))
    if table == "customer":
        query = query.where(crm.customers.visible_to(viewer))
    elif table == "store":
        query = query.where(in_scope(viewer, Store.__table__.c.id))
    return (((table, number), called) for number, called in session.execute(query))


def _target(entry: ChangeView) -> str | None:
    """The table that the ids in a field are of; blank if they are ids, and of nobody knows what."""
    column = _column(entry)
    if column is not None and column.foreign_keys:
        return next(iter(column.foreign_keys)).target_fullname.partition(".")[0]
    return "" if (entry.field or "").endswith("_id") else None


def _readable(entry: ChangeView, held: object) -> object:
    column = _column(entry)
    if isinstance(held, str):
        return VALUES.get((entry.table, entry.field or ""), {}).get(held, held)
    if isinstance(held, bool):
        return str(_("Yes") if held else _("No"))
    if column is not None and isinstance(held, int):
        if isinstance(column.type, UnitPrice | Quantity):
            return unscaled(held, column.type.digits)
        # How many of them make one of the currency stands in another field of the row.
        return None if column.name.endswith("_minor") else held
    return held


def _column(entry: ChangeView) -> sa.Column[Any] | None:
    table = Base.metadata.tables.get(entry.table)
    return None if table is None else table.c.get(entry.field or "")


def _info(table: str) -> Mapping[Any, Any]:
    found = Base.metadata.tables.get(table)
    return {} if found is None else found.info
