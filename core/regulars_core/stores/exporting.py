"""The exporter of stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.stores.models import Region, Store
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.exchange import Exporter
from regulars_plugin_api.i18n import _
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.views import Viewer

COLUMNS = ("code", "name", "city", "region", "country", "timezone", "currency", "opened_on")


class StoreExporter(Exporter):
    """Stores by code."""

    kind = "store"
    title = _("Stores")
    permission = "stores.view"

    def columns(self, session: Session) -> Sequence[str]:
        """The columns of the importer."""
        return COLUMNS

    def rows(self, session: Session, viewer: Viewer, where: Any | None) -> Iterator[Sequence[Any]]:
        """Stores the viewer may see."""
        if where is not None:
            raise InvalidInput(filter=_("Stores can't be filtered."))
        columns = [Region.name if name == "region" else getattr(Store, name) for name in COLUMNS]
        found = sa.select(*columns).select_from(Store).outerjoin(Region).where(in_scope(viewer, Store.__table__.c.id)).order_by(Store.code)
        yield from session.execute(found.execution_options(yield_per=1000))
