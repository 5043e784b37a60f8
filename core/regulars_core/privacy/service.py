"""What a person may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from regulars_core.audit.journal import BulkJournal
from regulars_core.privacy import erasing, package

if TYPE_CHECKING:
    from regulars_core.crm import Crm

HANDED_OUT = "personal_data"


class PrivacyService:
    """Implements ``regulars_plugin_api.services.Privacy``."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm

    def personal_data(self, customer_id: int, out: IO[bytes]) -> None:
        """Write the package, and then, in a transaction of its own, that it was handed out."""
        with self.crm.read() as session:
            target = package.write(self.crm, session, customer_id, out)
        journal = BulkJournal()
        journal.updated("customer", [(target, HANDED_OUT, None, "handed out")])
        with self.crm.transaction() as session:
            about = session.info
            journal.write(session, actor_id=about["actor_id"], cause=about["cause"] or "system", at=about["at"])

    def erase(self, customer_id: int, *, session: Session | None = None) -> int:
        """Forget a customer, see ``erasing.erase``; the number of the receipt."""
        with nullcontext(session) if session is not None else self.crm.transaction() as writer:
            return erasing.erase(self.crm, writer, customer_id)

    def receipt(self, number: int, *, session: Session | None = None) -> Mapping[str, Any]:
        """What an erasure says of itself, see ``erasing.receipt``."""
        with nullcontext(session) if session is not None else self.crm.read() as reader:
            return erasing.receipt(reader, number)
