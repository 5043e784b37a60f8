"""Changing a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.stores import service
from regulars_core.stores.models import Store
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.events import StoreUpdated, emit
from regulars_plugin_api.i18n import _
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer

NEEDED = ("name", "timezone", "currency")


def locked(session: Session, viewer: Viewer, code: str) -> Store:
    """A store the viewer may see, which nobody else changes meanwhile. Raises ``NotFound``."""
    query = sa.select(Store).where(Store.code == code, in_scope(viewer, Store.__table__.c.id))
    found = session.scalar(query.with_for_update(of=Store))
    if found is None:
        raise NotFound(_("There is no such store."))
    return found


def change(session: Session, store: Store, given: Mapping[str, Any]) -> None:
    """Change what is ``given`` of a store; None empties a field. Business days of what was sold stay. Raises ``InvalidInput``."""
    read, wrong = service.parsed({name: str(value) for name, value in given.items() if value is not None})
    wanted = dict.fromkeys(given) | read
    wrong = {name: _("A value is needed here.") for name in NEEDED if name in wanted and wanted[name] is None} | wrong
    if wrong:
        raise InvalidInput(None, **wrong)
    if "region" in wanted:
        wanted["region"] = service.region(session, wanted["region"])
    changed = [name for name, value in wanted.items() if getattr(store, name) != value]
    for name in changed:
        setattr(store, name, wanted[name])
    session.flush()
    if changed:
        emit(session, StoreUpdated(store_id=store.id, code=store.code, changed=tuple(sorted(changed))))
