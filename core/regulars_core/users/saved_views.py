"""Saved views of the list of customers. Functions take a session and never commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.users.models import SavedView
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.i18n import _

LONGEST_NAME, MOST = 60, 50


def listed(session: Session, user_id: int) -> Sequence[SavedView]:
    """The views a user may choose: own ones first, then shared ones, each by name."""
    mine = SavedView.user_id == user_id
    return session.scalars(sa.select(SavedView).where(mine | SavedView.shared).order_by(mine.desc(), SavedView.name).limit(2 * MOST)).all()


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
