"""All that is kept about one person, as a ZIP: JSON for programs, a table per section for people, files as they are."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit import history
from regulars_core.customers.models import Customer
from regulars_core.dump import name_of, plain
from regulars_core.exchange.files.formulas import neutralised
from regulars_core.privacy.tables import CORE, saved, title
from regulars_plugin_api.db import Base, from_minor
from regulars_plugin_api.errors import NotFound
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.manifest import PersonalTable

if TYPE_CHECKING:
    from regulars_core.crm import Crm

OWN = ("kind", "status", "display_name", "first_name", "last_name", "birthday", "gender", "language", "notes", "store_id", "created_at")
CHANGES = 100_000


@dataclass
class Section:
    """A part of the package: rows with readable headings, and files by name."""

    owner: str
    title: str
    rows: Sequence[Mapping[str, Any]]
    files: Mapping[str, bytes] = field(default_factory=dict)


def write(crm: Crm, session: Session, customer_id: int, out: IO[bytes]) -> int:
    """Write the package of a customer and of all that was merged into it; the id it has now. Raises ``NotFound``, ``PluginFailed``."""
    meant = sa.select(sa.func.coalesce(Customer.merged_into_id, Customer.id)).where(Customer.id == customer_id).scalar_subquery()
    both = sa.select(Customer.id, Customer.uid).where(sa.or_(Customer.id == meant, Customer.merged_into_id == meant))
    uids: dict[int, str] = {row.id: row.uid for row in session.execute(both.where(Customer.erased_at.is_(None)).order_by(Customer.id))}
    if not uids:
        raise NotFound(_("There is no such customer."))
    target: int = session.scalars(sa.select(meant)).one()
    found = [one for one in sections(crm, session, list(uids)) if one.rows or one.files]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        told = [{"from": one.owner, "title": one.title, "rows": one.rows, "files": sorted(one.files)} for one in found]
        whole = {"customer": uids[target], "made_at": session.info["at"].isoformat(), "sections": told}
        archive.writestr("data.json", json.dumps(whole, ensure_ascii=False, indent=2, default=str))
        for place, one in enumerate(found, 1):
            name = f"{place:02d}-{_file_name(one.title)}"
            if one.rows:
                archive.writestr(f"{name}.csv", _table(one.rows))
            for file, content in one.files.items():
                archive.writestr(f"{name}/{_file_name(file)}", content)
    return target


def sections(crm: Crm, session: Session, ids: Collection[int]) -> Iterator[Section]:
    """Core's part, each table of the plugins' maps, what their hooks add, and what changed when."""
    yield Section("regulars", str(_("Person")), list(_rows(session, PersonalTable("customer", "id", export=OWN), ids)))
    for owner, tables in {"regulars": CORE, **saved(session)}.items():
        for rule in tables:
            yield Section(owner, title(crm, rule.table), list(_rows(session, rule, ids)))
    for one in ids:
        for plugin, given in crm.bus.each(hooks.export_personal_data, crm=crm, session=session, customer_id=one):
            for section in given:
                rows = [{name: plain(value) for name, value in row.items()} for row in section.rows]
                yield Section(plugin, str(section.title), rows, section.files)
    changes = [change for one in ids for change in history.of_customer(session, one, limit=CHANGES) if change.field]
    told = [{"when": one.at.isoformat(), "what": _words(one.field or ""), "from": one.old, "to": one.new} for one in changes]
    yield Section("regulars", str(_("Changes")), told)


def _rows(session: Session, rule: PersonalTable, ids: Collection[int]) -> Iterator[dict[str, Any]]:
    """Rows of one table; what points at other records is named, money is in whole units of its currency."""
    if not rule.export:
        return
    table = Base.metadata.tables.get(rule.table)
    if table is None:
        table = sa.Table(rule.table, sa.MetaData(), autoload_with=session.connection(), resolve_fks=False)
    source: sa.FromClause = table
    columns: dict[str, sa.ColumnElement[Any]] = {}
    for name in rule.export:
        key = next(iter(table.c[name].foreign_keys), None)
        if key is None or table.metadata is not Base.metadata:
            columns[name] = table.c[name]
        else:
            source, columns[name.removesuffix("_id")] = name_of(key.column.table, table.c[name], source)
    query = sa.select(*(column.label(f"c{place}") for place, column in enumerate(columns.values()))).select_from(source)
    for row in session.execute(query.where(table.c[rule.customer_column].in_(ids)).order_by(*table.primary_key)):
        values = dict(zip(columns, row, strict=True))
        for name in [one for one in columns if one.endswith("_minor") and values.get("currency") and values[one] is not None]:
            values[name.removesuffix("_minor")] = from_minor(values.pop(name), values["currency"])
        yield {_words(name): plain(value) for name, value in values.items() if value is not None}


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    # Spreadsheets take a file for UTF-8 when it begins like this.
    text.write("\ufeff")
    headings = list(dict.fromkeys(name for row in rows for name in row))
    sheet = csv.writer(text)
    sheet.writerow(headings)
    sheet.writerows([neutralised(str(row.get(name, "") if row.get(name) is not None else "")) for name in headings] for row in rows)
    return text.getvalue()


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _file_name(text: str) -> str:
    """A name that stays inside the folder it is unpacked in."""
    return re.sub(r"[^\w.-]+", "-", text).strip(".-")[:80] or "file"
