"""What the plugin shows on the platform's own pages: panel, columns, history, search."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import CustomerColumn, Panel, Place, SearchHit, SearchSource, TimelineEntry, TimelineSource
from regulars_plugin_api.formats import money, money_of
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import CustomerView, Viewer
from regulars_purchases import service
from regulars_purchases.i18n import _, _n
from regulars_purchases.models import Receipt
from regulars_purchases.records import PaidView, ReceiptView

LAST_RECEIPTS = 5
READ_AHEAD = 30
"""What the panel reads for the history beside it, which shows so many of the newest happenings."""


def history(session: Session, customer: CustomerView, viewer: Viewer) -> Mapping[str, Any]:
    """Figures and last receipts of a customer."""
    rows = service.rows_of(session, customer.id, limit=READ_AHEAD)
    session.info["purchases.receipts"] = {one.id: one for one in rows}
    return {
        "figures": service.figures_of(session, [customer.id]).get(customer.id, ()),
        "shows_value": service.sees_all_amounts(viewer),
        "receipts": [service.view_of(one, viewer) for one in rows[:LAST_RECEIPTS]],
    }


def _last_on(session: Session, ids: Sequence[int], viewer: Viewer) -> Mapping[int, dt.date]:
    found = _paid(session, ids).items()
    return {customer: paid[0].last_on if len(paid) == 1 else max([one.last_on for one in paid]) for customer, paid in found}


def _value(session: Session, ids: Sequence[int], viewer: Viewer) -> Mapping[int, str]:
    if not service.sees_all_amounts(viewer):
        return {}
    found = _paid(session, ids).items()
    return {customer: money_of(paid[0].minor, paid[0].currency) if len(paid) == 1 else _sum(paid) for customer, paid in found}


def _sum(paid: Sequence[PaidView]) -> str:
    """What was paid in each currency; one of which everything was given back is left out beside others."""
    kept = [one for one in paid if one.minor] or paid[:1]
    return "\u00a0+ ".join([money_of(one.minor, one.currency) for one in kept])


def _paid(session: Session, ids: Sequence[int]) -> Mapping[int, Sequence[PaidView]]:
    """Read once for all columns of a page, which share their session."""
    read: dict[tuple[int, ...], Mapping[int, Sequence[PaidView]]] = session.info.setdefault("purchases.paid", {})
    if tuple(ids) not in read:
        read[tuple(ids)] = service.paid_by(session, ids)
    return read[tuple(ids)]


_RECEIPTS = sa.select(
    Receipt.customer_id.label("customer_id"),
    Receipt.sold_at.label("at"),
    sa.literal("receipt").label("kind"),
    sa.null().label("channel"),
    Receipt.store_id.label("store_id"),
    Receipt.id.label("ref"),
).where(Receipt.customer_id.is_not(None))


def _render(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
    """Those that the panel of the same page has read are not asked for again."""
    read: Mapping[int, Any] = session.info.get("purchases.receipts", {})
    missing = [ref for ref in refs if ref not in read]
    found = {**read, **{one.id: one for one in service.rows_by_id(session, missing)}} if missing else read
    return {ref: _entry(found[ref], viewer) for ref in refs if ref in found}


def _entry(one: Any, viewer: Viewer) -> TimelineEntry:
    where = " · ".join([one.store or "", *_amount(service.total_of(one, viewer), one.currency)])
    if one.total_minor < 0:
        said = _n("Brought back one article", "Brought back %(num)s articles", one.line_count)
    else:
        said = _n("Bought one article", "Bought %(num)s articles", one.line_count)
    return TimelineEntry(said, where, _url(one), icon="receipt")


def _search(session: Session, text: str, limit: int, viewer: Viewer) -> Sequence[SearchHit]:
    found = service.receipts_by_number(session, text.strip(), viewer, limit)
    return [SearchHit(_("Receipt %(number)s", number=one.receipt_no), _url(one), _detail(one)) for one in found]


def _detail(receipt: ReceiptView) -> Text:
    return " · ".join([receipt.store or "", receipt.business_date.isoformat(), *_amount(receipt.total, receipt.currency)])


def _amount(total: Decimal | None, currency: str) -> list[str]:
    return [] if total is None else [money(total, currency)]


def _url(receipt: Any) -> str:
    return f"/purchases/receipts/{receipt.id}"


# Made once: pages ask for them all the time.
PANEL = Panel(_("Purchases"), Place.SIDE, "purchases/panel.html", history, weight=10)
COLUMNS = (
    CustomerColumn("purchases.last_on", _("Last purchase"), "purchases.view", _last_on),
    CustomerColumn("purchases.value", _("Purchases"), "purchases.view", _value),
)
TIMELINE = TimelineSource("purchases.receipts", _("Purchases"), "purchases.view", lambda viewer: _RECEIPTS, _render)
SEARCH = SearchSource(_("Receipts"), "purchases.view", _search)
