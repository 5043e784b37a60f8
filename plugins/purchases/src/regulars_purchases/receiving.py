"""Receipts that tills and shops send as they are made. What a receipt means, whose it is and what it changes, the importer knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.bulk import journaling
from regulars_plugin_api.db import customers, stores
from regulars_plugin_api.errors import Conflict, InvalidInput
from regulars_plugin_api.exchange import ImportContext, Outcome, Record, Rejected, StoreRef
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.services import crm_of
from regulars_plugin_api.views import Viewer
from regulars_purchases.exchange.sale_batch import SaleBatch
from regulars_purchases.exchange.sale_rows import AMOUNT_COLUMNS, HEAD_COLUMNS, ReceiptKey
from regulars_purchases.exchange.sales import SaleImporter
from regulars_purchases.exchange.sent import KeptNotes, cell, context_of
from regulars_purchases.i18n import _

LINE_COLUMNS = ("line_no", "sku", *AMOUNT_COLUMNS)
ATTEMPTS = 5
# A key that another has just taken, a serialization failure, a deadlock: seen again, what the other wrote is known.
_RACES = frozenset({"23505", "40001", "40P01"})

Sent = Mapping[str, Any]


class Noted(NamedTuple):
    """An oddity that does not keep a receipt from being taken in, and the line it was met on."""

    code: str
    detail: Text
    line_no: int


class TakenIn(NamedTuple):
    """What became of a receipt that was sent."""

    receipt_id: int
    result: Literal["created", "updated", "unchanged"]
    notes: Sequence[Noted]


def take_in(session: Session, viewer: Viewer, sent: Sequence[Sent], *, source: str, places: Sequence[str]) -> list[TakenIn]:
    """Add receipts, or change those that are there by what is sent; all or none. What became of each, in order.

    A receipt is a mapping of ``HEAD_COLUMNS`` and ``lines``, these of ``LINE_COLUMNS``; ``customer`` may name its customer by id or uid.
    ``source`` has given the customers' numbers; ``places`` says what precedes the name of a wrong field of each. Takes a constant number
    of statements. Raises ``InvalidInput``, and ``Conflict`` if others write the same again and again.
    """
    for _attempt in range(ATTEMPTS):
        try:
            with session.begin_nested():
                return _Intake(session, viewer, sent, places).run(source)
        except Exception as failure:
            if getattr(getattr(failure, "orig", failure), "sqlstate", None) not in _RACES:
                raise
    raise Conflict


class _Line(NamedTuple):
    """A line as a file would have it, and where it stood: which receipt, which line of it."""

    receipt: int
    place: int
    row: Mapping[str, str]


class _Intake:
    """One attempt to take receipts in."""

    def __init__(self, session: Session, viewer: Viewer, sent: Sequence[Sent], places: Sequence[str]) -> None:
        self.session, self.viewer, self.sent, self.places = session, viewer, sent, places
        self.wrong: dict[str, Text] = {}

    def run(self, source: str) -> list[TakenIn]:
        lines, notes, importer = list(self._lines()), KeptNotes(), SaleImporter()
        with journaling(self.session) as journal:
            context = context_of(self.session, importer, source=source, stores=self._stores(), journal=journal, notes=notes)
            records = self._parsed(lines, importer, context)
            batch = SaleBatch(self.session, records, context)
            outcomes = self._accepted(lines, batch.apply())
        said: dict[int, list[Noted]] = defaultdict(list)
        for (number, code), message in notes.messages.items():
            said[lines[number - 1].receipt].append(Noted(code, message, records[number - 1].value.line_no))
        changed = {line.receipt for line, outcome in zip(lines, outcomes, strict=True) if outcome is not Outcome.UNCHANGED}
        found = {line.receipt: batch.receipts[record.value.head.key] for line, record in zip(lines, records, strict=True)}
        return [
            TakenIn(one.id, "created" if one.is_new else "updated" if at in changed else "unchanged", said[at]) for at, one in found.items()
        ]

    def _lines(self) -> Iterator[_Line]:
        uids = self._uids()
        for at, receipt in enumerate(self.sent):
            head = {name: cell(receipt.get(name)) for name in HEAD_COLUMNS}
            if receipt.get("customer") is not None:
                self._name_customer(at, head, uids.get(_reference(receipt)))
            for place, line in enumerate(receipt["lines"]):
                yield _Line(at, place, head | {name: cell(line.get(name)) for name in LINE_COLUMNS})

    def _name_customer(self, at: int, head: dict[str, str], uid: str | None) -> None:
        if head["customer_external_id"]:
            self._refuse(at, "customer", _("Give customer or customer_external_id, not both."))
        elif uid is None:
            self._refuse(at, "customer", _("There is no such customer."))
        else:
            head["customer_external_id"] = uid

    def _parsed(self, lines: Sequence[_Line], importer: SaleImporter, context: ImportContext) -> list[Record]:
        records: list[Record] = []
        first: dict[ReceiptKey, int] = {}
        for number, line in enumerate(lines, start=1):
            try:
                value = importer.parse(line.row, context, number)
            except Rejected as rejected:
                self._refuse_line(line, rejected)
                continue
            if first.setdefault(value.head.key, line.receipt) != line.receipt:
                self._refuse(line.receipt, "receipt_no", _("This receipt stands twice in what was sent."))
            records.append(Record(number, value))
        self._stop_if_wrong()
        return records

    def _accepted(self, lines: Sequence[_Line], outcomes: Sequence[Outcome | Rejected]) -> Sequence[Outcome | Rejected]:
        for line, outcome in zip(lines, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                self._refuse_line(line, outcome)
            elif outcome is Outcome.MERGED:
                self._refuse_line(line, Rejected("line_no", "line_repeated", _("Two lines of the receipt have this number.")))
        self._stop_if_wrong()
        return outcomes

    def _refuse_line(self, line: _Line, rejected: Rejected) -> None:
        name = f"lines[{line.place}].{rejected.field}" if rejected.field in LINE_COLUMNS else rejected.field
        self._refuse(line.receipt, name, rejected.message)

    def _refuse(self, at: int, name: str, message: Text) -> None:
        self.wrong.setdefault(self.places[at] + name, message)

    def _stop_if_wrong(self) -> None:
        if self.wrong:
            raise InvalidInput(None, **self.wrong)

    def _stores(self) -> dict[str, StoreRef]:
        """Those of the stores that were named in which the viewer may act."""
        columns = (stores.c.id, stores.c.code, stores.c.timezone, stores.c.currency, stores.c.country)
        named = stores.c.code.in_({cell(receipt.get("store")).strip() for receipt in self.sent})
        found = self.session.execute(sa.select(*columns).where(named, in_scope(self.viewer, stores.c.id)))
        return {one.code: StoreRef(one.id, one.code, ZoneInfo(one.timezone), one.currency, one.country) for one in found}

    def _uids(self) -> dict[str, str]:
        """The uid of whom each id or uid that was sent leads to, as far as the viewer may see them."""
        references = {_reference(receipt) for receipt in self.sent if receipt.get("customer") is not None}
        if not references or not self.viewer.may("customers.view"):
            return {}
        named, kept = customers.alias("named"), customers.alias("kept")
        ids = [int(one) for one in references if one.isdecimal()]
        seen = crm_of(self.session).customers.ids_seen_by(self.session, self.viewer)
        query = (
            sa.select(named.c.id, named.c.uid, kept.c.uid.label("meant"))
            .join_from(named, kept, kept.c.id == sa.func.coalesce(named.c.merged_into_id, named.c.id))
            .where(sa.or_(named.c.id.in_(ids), named.c.uid.in_(references)), kept.c.id.in_(seen))
        )
        return {key: one.meant for one in self.session.execute(query) for key in (str(one.id), one.uid)}


def _reference(receipt: Sent) -> str:
    given = str(receipt["customer"])
    return str(int(given)) if given.isdecimal() else given
