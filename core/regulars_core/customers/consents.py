"""What customers agreed to, channel by channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.models import Consent, ConsentState, Customer, Kind, Status
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.events import ConsentChanged, emit
from regulars_plugin_api.i18n import _
from regulars_plugin_api.views import ConsentView

if TYPE_CHECKING:
    from regulars_core.crm import Crm


def overrides(theirs: Consent, mine: Consent) -> bool:
    """Whether of two answers of one person the first counts: the later of yes and no, the no of the same day, proof before none."""
    answers = {theirs.state, mine.state}
    if len(answers) == 1:
        return False
    if answers == {ConsentState.GRANTED, ConsentState.WITHDRAWN}:
        days = [one.given_on or one.recorded_at.date() for one in (theirs, mine)]
        return days[0] > days[1] or (days[0] == days[1] and theirs.state is ConsentState.WITHDRAWN)
    return theirs.state is not ConsentState.UNPROVEN


def tell(session: Session, customer_id: int, rows: Iterable[Consent]) -> None:
    """Emit what these channels of the customer's have come to."""
    for row in rows:
        emit(session, ConsentChanged(customer_id=customer_id, channel=row.channel, state=row.state.value))


class ConsentService:
    """Implements ``regulars_plugin_api.services.Consents``."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm

    def of(self, customer_ids: Sequence[int], *, session: Session | None = None) -> Mapping[int, Sequence[ConsentView]]:
        """The state of each channel, by customer. Nothing about a channel means nothing was said: not permitted."""
        asked = sa.select(Consent).where(Consent.customer_id.in_(customer_ids)).order_by(Consent.customer_id, Consent.channel)
        found: dict[int, list[ConsentView]] = {customer_id: [] for customer_id in customer_ids}
        with nullcontext(session) if session is not None else self.crm.read() as reader:
            for row in reader.scalars(asked):
                found[row.customer_id].append(ConsentView(row.channel, row.state.value, row.given_on, row.source))
        return found

    def permitting(self, session: Session, customer_ids: Sequence[int], channel: str) -> set[int]:
        """Those who may be written to: they said yes, with proof, and are neither blocked, thrown away, merged nor erased."""
        granted = sa.select(Consent.customer_id).where(Consent.channel == channel, Consent.state == ConsentState.GRANTED)
        living = sa.and_(Customer.status != Status.BLOCKED, Customer.deleted_at.is_(None), Customer.merged_into_id.is_(None))
        return set(session.scalars(sa.select(Customer.id).where(Customer.id.in_(customer_ids), Customer.id.in_(granted), living)))

    def record(self, session: Session, customer_id: int, channel: str, state: str, *, given_at: dt.date | None, source: str | None) -> None:
        """Write down what a customer said. A "yes" without date and source is kept as unproven."""
        customer = session.get(Customer, customer_id)
        if customer is None:
            raise NotFound(_("There is no such customer."))
        if customer.kind is Kind.HOUSEHOLD:
            raise InvalidInput(consent=_("A household can't consent; its persons can."))
        said = ConsentState(state)
        if said is ConsentState.GRANTED and (given_at is None or not source):
            said = ConsentState.UNPROVEN
        row = session.scalar(sa.select(Consent).where(Consent.customer_id == customer_id, Consent.channel == channel))
        if row is None:
            row = Consent(customer_id=customer_id, channel=channel)
            session.add(row)
        elif (row.state, row.given_on, row.source) == (said, given_at, source):
            return
        row.state, row.given_on, row.source, row.recorded_at = said, given_at, source, session.info["at"]
        session.flush()
        emit(session, ConsentChanged(customer_id=customer_id, channel=channel, state=said.value))
