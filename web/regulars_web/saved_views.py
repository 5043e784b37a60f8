"""Saved views of the list of customers. Functions take a session and never commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.users.models import SavedView
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.i18n import _

LONGEST_NAME, MOST = 60, 50


def find(session: Session, user_id: int, view_id: int) -> SavedView | None:
    """A view that the user may use: one's own, or a shared one."""
    usable = (SavedView.user_id == user_id) | SavedView.shared
    return session.scalar(sa.select(SavedView).where(SavedView.id == view_id, usable))


def save(session: Session, user_id: int, name: str, query: Mapping[str, Any], *, shared: bool) -> SavedView:
    """Keep a view under a name; one's own view of that name is replaced. Raises ``InvalidInput``."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise InvalidInput(name=_("Give the view a name of at most %(count)d characters.", count=LONGEST_NAME))
    view = session.scalar(sa.select(SavedView).where(SavedView.user_id == user_id, SavedView.name == name))
    if view is None:
        if session.scalar(sa.select(sa.func.count()).where(SavedView.user_id == user_id)) == MOST:
            raise InvalidInput(name=_("You have %(count)d views already. Delete one first.", count=MOST))
        view = SavedView(user_id=user_id, name=name)
        session.add(view)
    view.query, view.shared = dict(query), shared
    session.flush()
    return view


def delete(session: Session, user_id: int, view_id: int) -> SavedView:
    """Delete one's own view and return what it was. Raises ``NotFound``."""
    view = session.scalar(sa.select(SavedView).where(SavedView.user_id == user_id, SavedView.id == view_id))
    if view is None:
        raise NotFound(_("There is no such view of yours."))
    session.delete(view)
    return view
