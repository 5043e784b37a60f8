"""What undoing an import of customers must put right beside the rows themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers import naming
from regulars_core.customers.models import Consent, Customer, CustomerAddress, CustomerEmail, CustomerPhone, CustomerTag, ExternalId
from regulars_plugin_api.bulk import staged, update_rows
from regulars_plugin_api.db import BigInt
from regulars_plugin_api.values import fold


def customers_of(session: Session, rows: Mapping[str, Iterable[int]]) -> set[int]:
    """The customers that rows of customer tables belong to."""
    found = set(rows.get("customer", ()))
    for model in (CustomerEmail, CustomerPhone, CustomerAddress, ExternalId, CustomerTag, Consent):
        ids = list(rows.get(model.__tablename__, ()))
        if ids:
            with staged(session, {"id": BigInt}, ((one,) for one in ids)) as stage:
                found.update(session.scalars(sa.select(model.customer_id).where(model.id.in_(sa.select(stage.c.id)))))
    return found


def refold(session: Session, ids: Iterable[int]) -> None:
    """Make the folded forms of these customers' names and towns fit again."""
    with staged(session, {"id": BigInt}, ((one,) for one in ids)) as stage:
        chosen = sa.select(stage.c.id)
        names = sa.select(Customer.id, Customer.display_name, Customer.first_name, Customer.last_name).where(Customer.id.in_(chosen))
        folded = [(row.id, *naming.folded(row.display_name, row.first_name, row.last_name)) for row in session.execute(names)]
        towns = sa.select(CustomerAddress.id, CustomerAddress.city).where(CustomerAddress.customer_id.in_(chosen))
        cities = [(row.id, fold(row.city) if row.city else None) for row in session.execute(towns)]
    update_rows(session, Customer.__table__, ("fold_name", "fold_first", "fold_last"), folded)
    update_rows(session, CustomerAddress.__table__, ("fold_city",), cities)
