"""A customer is forgotten: what says who it was goes, the books stay, and a receipt says so."""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.audit import chain
from regulars_core.audit.journal import BulkJournal, as_json
from regulars_core.audit.models import DELETED, ROW, Change
from regulars_core.bus.models import Delivery
from regulars_core.customers import search
from regulars_core.customers.merges import CustomerMerge
from regulars_core.customers.models import Customer, CustomerTag, Status, Tag
from regulars_core.customers.viewing import view
from regulars_core.exchange.models import ImportReject, ImportRun
from regulars_core.idempotency import IdempotencyKey
from regulars_core.jobs.models import JobSlot
from regulars_core.privacy.models import Erasure
from regulars_core.privacy.tables import CORE, saved
from regulars_plugin_api.bulk import staged
from regulars_plugin_api.db import BigInt
from regulars_plugin_api.errors import NotAllowedYet, NotFound
from regulars_plugin_api.events import CustomerErased, emit
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import _
from regulars_plugin_api.manifest import Erase, PersonalTable
from regulars_plugin_api.values import fold
from regulars_plugin_api.views import CustomerView

if TYPE_CHECKING:
    from regulars_core.crm import Crm

# A name shorter than this, in one word, is too many people's to look for in other texts.
TELLING = 12
# Texts that may quote a customer without pointing at one, and what stands there afterwards.
_QUOTING: tuple[tuple[Any, dict[str, Any]], ...] = (
    (ImportReject.cells, {"cells": [], "message": "-"}),
    (ImportReject.message, {"cells": [], "message": "-"}),
    *((column, {column.name: []}) for column in (ImportRun.questions, ImportRun.kept)),
    (ImportRun.notes, {"notes": {}}),
    *((column, {column.name: None}) for column in (ImportRun.trouble, Delivery.error, JobSlot.error)),
    (JobSlot.payload, {"payload": {}}),
    (IdempotencyKey.body, {"body": ""}),
)


def erase(crm: Crm, session: Session, customer_id: int) -> int:
    """Forget a customer and all that was merged into it; the number of the receipt.

    Raises ``NotFound``, ``NotAllowedYet``, and ``PluginFailed`` where a plugin could not do its part: then nothing is erased.
    """
    people = _people(session, customer_id)
    ids = [one.id for one in people]
    erasure = Erasure(customer_id=ids[0], actor_id=session.info["actor_id"], at=session.info["at"])
    session.add(erasure)
    session.flush()
    journal, uid, texts = BulkJournal(), people[0].uid, _telling([view(one) for one in people])
    notes = [
        {"plugin": plugin, "text": str(note.text), "kept": note.kept}
        for one in ids
        for plugin, found in crm.bus.each(hooks.erase_personal_data, crm=crm, session=session, customer_id=one)
        for note in found
    ]
    session.flush()
    notes += _uploads(session, crm.config.home, texts)
    counts, rows = _empty_tables(session, ids, journal)
    rows["customer"].update(ids)
    counts["customer"] = _anonymise(session, ids, journal)
    session.execute(sa.update(CustomerMerge).where(_either(ids)).values(image=sa.null()).execution_options(synchronize_session=False))
    search.forget(session, ids)
    session.expire_all()
    erasure.changes = sum(chain.blank(session, which) for which in _entries(session, rows, ids))
    counts["quoted"] = _stop_quoting(session, texts)
    erasure.receipt = {"rows": {name: count for name, count in sorted(counts.items()) if count}, "notes": notes}
    journal.updated(chain.ERASED[0], [(erasure.id, chain.ERASED[1], None, erasure.changes)])
    journal.write(session, actor_id=erasure.actor_id, cause=f"erasure:{erasure.id}", at=erasure.at)
    emit(session, CustomerErased(customer_id=ids[0], uid=uid))
    return erasure.id


def receipt(session: Session, number: int) -> dict[str, Any]:
    """What an erasure says of itself: when, which rows, what was kept and why, and when the files were scrubbed. Raises ``NotFound``."""
    found = session.get(Erasure, number)
    if found is None:
        raise NotFound
    stamps = {name: at and at.isoformat() for name, at in (("at", found.at), ("scrubbed_at", found.scrubbed_at))}
    return {"erasure": found.id, "customer": found.customer_id, **stamps, "changes": found.changes, **found.receipt}


def _people(session: Session, customer_id: int) -> Sequence[Customer]:
    """The customer, and those merged into it."""
    target = session.scalar(sa.select(sa.func.coalesce(Customer.merged_into_id, Customer.id)).where(Customer.id == customer_id))
    if target is None:
        raise NotFound(_("There is no such customer."))
    both = sa.select(Customer).where(sa.or_(Customer.id == target, Customer.merged_into_id == target)).with_for_update()
    found = sorted(session.scalars(both.execution_options(populate_existing=True)), key=lambda one: (one.id != target, one.id))
    if found[0].erased_at is not None:
        raise NotAllowedYet(_("This customer has been erased already."))
    return found


def _empty_tables(session: Session, ids: Collection[int], journal: BulkJournal) -> tuple[dict[str, int], dict[str, set[int]]]:
    """Do as the map says; how many rows of each table, and which rows the journal may hold values of."""
    inspector = sa.inspect(session.connection())
    present = set(inspector.get_table_names())
    tags = set(session.scalars(sa.select(CustomerTag.tag_id).where(CustomerTag.customer_id.in_(ids))))
    counts: dict[str, int] = defaultdict(int)
    rows: dict[str, set[int]] = defaultdict(set)
    for rule in (*CORE, *(one for tables in saved(session).values() for one in tables)):
        if rule.table not in present:
            continue
        columns = {one["name"]: one for one in inspector.get_columns(rule.table)}
        table = sa.table(rule.table, *map(sa.column, columns))
        mine = table.c[rule.customer_column].in_(ids)
        if "id" in columns:
            rows[rule.table].update(session.scalars(sa.select(table.c.id).where(mine)))
        counts[rule.table] += _empty(session, rule, table, mine, columns)
        if rule.erase is Erase.DELETE:
            journal.deleted(rule.table, sorted(rows[rule.table]), owner=min(ids))
    # A word that nobody else is sorted by may have been about this person.
    unused = sa.delete(Tag).where(Tag.id.in_(tags), ~sa.exists().where(CustomerTag.tag_id == Tag.id))
    gone = session.scalars(unused.returning(Tag.id).execution_options(synchronize_session=False)).all()
    journal.deleted("tag", gone)
    rows["tag"].update(gone)
    return counts, rows


def _empty(session: Session, rule: PersonalTable, table: sa.TableClause, mine: sa.ColumnElement[bool], columns: dict[str, Any]) -> int:
    if rule.erase is Erase.DELETE:
        statement: Any = sa.delete(table).where(mine)
    else:
        cleared = {name: None if columns[name]["nullable"] else "" for name in rule.clear}
        statement = sa.update(table).where(mine).values(cleared)
    return session.connection().execute(statement).rowcount


def _anonymise(session: Session, ids: Collection[int], journal: BulkJournal) -> int:
    now, name = session.info["at"], str(_("Erased customer"))
    empty = dict.fromkeys(("first_name", "last_name", "birthday", "gender", "language", "notes", "fold_first", "fold_last"))
    values = empty | {"display_name": name, "fold_name": fold(name), "status": Status.INACTIVE, "version": Customer.version + 1}
    since = sa.func.coalesce(Customer.deleted_at, sa.literal(now, Customer.deleted_at.type))
    changed = sa.update(Customer).where(Customer.id.in_(ids)).values(values | {"erased_at": now, "updated_at": now, "deleted_at": since})
    session.execute(changed.execution_options(synchronize_session=False))
    journal.entries.extend(("customer", one, ROW, None, "erased") for one in ids)
    return len(ids)


def _entries(session: Session, rows: dict[str, set[int]], ids: Collection[int]) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions for the entries of the journal that hold values of this person, also of rows that went long ago."""
    # Written out, so that both databases see that the partial index fits.
    went = sa.and_(sa.text(f"column_name = '{ROW}'"), sa.text(f"new = '{DELETED}'"), Change.old.in_([str(as_json(one)) for one in ids]))
    for table, row_id in session.execute(sa.select(Change.table_name, Change.row_id).where(went)):
        rows[table].add(row_id)
    for name, numbers in sorted(rows.items()):
        with staged(session, {"id": BigInt}, ((one,) for one in sorted(numbers))) as stage:
            yield sa.and_(Change.table_name == name, Change.row_id.in_(sa.select(stage.c.id)))


def _telling(people: Sequence[CustomerView]) -> list[str]:
    """Texts by which somebody may be recognised elsewhere."""
    found: set[str] = set()
    for one in people:
        found.update(part for email in one.emails for part in (email.address, email.match))
        found.update(part for phone in one.phones for part in (phone.number, phone.e164))
        found.update(value for _source, value in one.external_ids if len(value) >= TELLING / 2)
        found.update(name for name in (one.display_name, one.first_name, one.last_name) if name and (" " in name or len(name) >= TELLING))
    return sorted(found)


def _stop_quoting(session: Session, texts: Sequence[str]) -> int:
    count = 0
    if texts:
        # JSON keeps what is not ASCII in a form of its own.
        forms = sorted({form for text in texts for form in (text, json.dumps(text)[1:-1])})
        for column, values in _QUOTING:
            quotes = sa.or_(*(sa.cast(column, sa.Text).contains(form, autoescape=True) for form in forms))
            changed = sa.update(column.class_.__table__).where(quotes).values(values)
            count += session.connection().execute(changed).rowcount
    return count


def _uploads(session: Session, home: Path, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Files that wait to be imported are not changed: they are named."""
    forms = [text.encode() for text in texts]
    named = [str(path) for path in (home / "uploads").glob("*") if any(form in part for part in _parts(path) for form in forms)]
    names = session.scalars(sa.select(ImportRun.file_name).where(ImportRun.file_path.in_(named)).order_by(ImportRun.id)).all()
    text = _("A file that waits to be imported still names this person: %(file)s", file=", ".join(names))
    return [{"plugin": "", "text": str(text), "kept": True}] if names else []


def _parts(path: Path) -> Iterator[bytes]:
    if not zipfile.is_zipfile(path):
        yield path.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        yield from (archive.read(name) for name in archive.namelist() if name.endswith(".xml"))


def _either(ids: Collection[int]) -> sa.ColumnElement[bool]:
    return sa.or_(CustomerMerge.keep_id.in_(ids), CustomerMerge.drop_id.in_(ids))
