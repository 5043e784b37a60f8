"""A customer's record: what plugins know of it, what they say when it is saved, merged, exported or erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from regulars_plugin_api.contributions import CustomerColumn, DataSection, ErasureNote, Problem, TimelineSource
from regulars_plugin_api.hookspecs import OnFailure, hookspec
from regulars_plugin_api.services import Crm
from regulars_plugin_api.views import CustomerView


@hookspec(page=True)
def customer_columns() -> Iterable[CustomerColumn]:
    """Columns for the customer list, exports and ``?include=``.

    Asked for each list; the columns chosen are then loaded for a whole page at once. On failure its columns are
    missing. Since 1.0.
    """
    raise NotImplementedError


@hookspec(page=True)
def timeline_sources() -> Iterable[TimelineSource]:
    """Kinds of happenings in a customer's history.

    Asked for each history; their SELECTs become one UNION ALL. On failure its happenings are missing. Since 1.0.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def find_customer(session: Session, identifier: str) -> int | None:
    """The customer behind something scanned or typed: a card, a phone, a receipt number.

    Asked in plugin order until one knows; core's own identifiers come first. The id, or None for "not mine". On
    failure the next plugin is asked. Since 1.0.
    """
    raise NotImplementedError


@hookspec
def validate_customer(session: Session, draft: Mapping[str, Any], existing: CustomerView | None) -> Iterable[Problem]:
    """Refuse or warn before a customer is saved.

    Asked in the transaction of each save by hand or API. ``draft`` holds the fields about to be set, ``existing`` is
    None for a new one. On failure the customer is saved, with a warning. Since 1.0.
    """
    raise NotImplementedError


@hookspec(on_failure=OnFailure.ABORT, disabled_too=True)
def customers_merging(crm: Crm, session: Session, keep_id: int, drop_id: int) -> None:
    """Two customers become one: do what the personal-data map can't say, such as choosing between two rows.

    Called in the transaction of the merge, before anything is re-pointed, of disabled plugins too. Nothing comes
    back. On failure nothing is merged. Since 1.0.
    """
    raise NotImplementedError


@hookspec(on_failure=OnFailure.ABORT, disabled_too=True)
def customers_unmerging(crm: Crm, session: Session, merge: Mapping[str, Any]) -> None:
    """A merge is taken back: take back what ``customers_merging`` did.

    Called in the transaction, of disabled plugins too. ``merge`` has ``keep_id``, ``drop_id`` and the before-image.
    On failure nothing is taken back. Since 1.0.
    """
    raise NotImplementedError


@hookspec(on_failure=OnFailure.ABORT, disabled_too=True)
def export_personal_data(crm: Crm, session: Session, customer_id: int) -> Iterable[DataSection]:
    """Personal data beyond the map: files, data kept in other systems.

    Called for each package handed to a customer, of disabled plugins too. On failure no package is made. Since 1.0.
    """
    raise NotImplementedError


@hookspec(on_failure=OnFailure.ABORT, disabled_too=True)
def erase_personal_data(crm: Crm, session: Session, customer_id: int) -> Iterable[ErasureNote]:
    """Erase what the map can't say: files, data kept in other systems.

    Called in the transaction of the erasure, of disabled plugins too. Notes go on the receipt. On failure nothing is
    erased. Since 1.0.
    """
    raise NotImplementedError
