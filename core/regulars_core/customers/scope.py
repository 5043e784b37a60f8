"""Which customers a viewer may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from regulars_core.customers.models import Customer
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer


def visible(viewer: Viewer, happenings: Sequence[sa.Select[Any]] = ()) -> sa.ColumnElement[bool]:
    """True where the home store is in scope, or there is none, or something happened to the customer in a store in scope.

    ``happenings`` are what sources of the timeline select.
    """
    if viewer.store_ids is None:
        return sa.true()
    reasons: list[sa.ColumnElement[bool]] = [in_scope(viewer, Customer.__table__.c.store_id), Customer.store_id.is_(None)]
    for select in happenings:
        happened = select.subquery()
        here = sa.select(sa.literal(1)).where(happened.c.customer_id == Customer.id, in_scope(viewer, happened.c.store_id))
        reasons.append(here.correlate(Customer).exists())
    return sa.or_(*reasons)
