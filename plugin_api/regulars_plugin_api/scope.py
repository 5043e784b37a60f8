"""Which rows a viewer may see: one helper, used by core and by plugins from the first day."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from regulars_plugin_api.views import Viewer


def in_scope(viewer: Viewer, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """True where the store id in ``column`` is one the viewer may see. No store is nobody's: only the whole chain sees it."""
    if viewer.store_ids is None:
        return sa.true()
    return column.in_(sorted(viewer.store_ids))
