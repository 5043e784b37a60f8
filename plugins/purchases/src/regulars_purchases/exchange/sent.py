"""What an importer works with when a program sends its records one by one: no file, no run, one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from regulars_plugin_api.exchange import ImportContext, Importer, Journal, Notes, StoreRef
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.services import crm_of

NO_RUN = 0


class KeptNotes:
    """Implements ``Notes``: the message of each code, record by record."""

    def __init__(self) -> None:
        self.messages: dict[tuple[int, str], Text] = {}

    def add(self, code: str, message: Text, record: int, amount: int = 1) -> None:
        """Note ``code`` for ``record``."""
        self.messages.setdefault((record, code), message)


class SeenRows:
    """Implements ``Seen`` for what fits into one transaction."""

    def __init__(self) -> None:
        self._rows: set[tuple[str, int]] = set()

    def first_time(self, table: str, row_id: int) -> bool:
        """True once per row."""
        known = len(self._rows)
        self._rows.add((table, row_id))
        return len(self._rows) > known


def context_of(
    session: Session, importer: Importer, *, source: str, stores: Mapping[str, StoreRef], journal: Journal, notes: Notes
) -> ImportContext:
    """What ``importer`` may know: every column is said, numbers have a decimal point, times their offset."""
    crm = crm_of(session)
    return ImportContext(
        run_id=NO_RUN,
        source=source,
        mode="upsert",
        at=crm.clock.now(),
        columns=frozenset(column.name for column in importer.columns),
        date_order=None,
        decimal=".",
        country=crm.config.country,
        timezone=None,
        chain_timezone=crm.timezone,
        chain_currency=crm.config.currency,
        stores=stores,
        journal=journal,
        seen=SeenRows(),
        notes=notes,
    )


def cell(value: Any) -> str:
    """A value as a file would have it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return "" if value is None else str(value)
