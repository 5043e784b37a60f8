"""What a user may do and see, read beside the user's row in one statement: every request asks it."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.stores.models import Store
from regulars_core.users.models import Role, RolePermission, User, UserRegion, UserRole, UserSession, UserStore
from regulars_core.users.roles import ADMINISTRATOR
from regulars_core.users.sessions import digest_of
from regulars_plugin_api.views import Viewer

U = TypeVar("U", bound=User)
_SEPARATOR = ","


def _gathered(column: Any, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[str]:
    text = sa.func.aggregate_strings(sa.cast(column, sa.String), _SEPARATOR)
    return sa.select(text).where(*conditions).correlate(User).scalar_subquery()


_PERMISSIONS = _gathered(RolePermission.permission, RolePermission.role_id == UserRole.role_id, UserRole.user_id == User.id)
_ROLES = _gathered(Role.name, Role.id == UserRole.role_id, UserRole.user_id == User.id)
_STORES = _gathered(UserStore.store_id, UserStore.user_id == User.id)
_REGIONS = _gathered(UserRegion.region_id, UserRegion.user_id == User.id)
_STORES_OF_REGIONS = _gathered(Store.id, Store.region_id == UserRegion.region_id, UserRegion.user_id == User.id)


def viewer_of(session: Session, user: User) -> Viewer:
    """What a user may do and see."""
    held = session.execute(sa.select(_PERMISSIONS, _ROLES, _STORES, _REGIONS, _STORES_OF_REGIONS).where(User.id == user.id)).one()
    return _viewer(user, *held)


def signed_in(session: Session, model: type[U], uniquifier: str, token: str, at: dt.datetime) -> tuple[U, Viewer] | None:
    """The active user a session cookie names, if the browser's ``token`` still counts, and what that user may do and see."""
    is_alive = sa.exists().where(UserSession.token_hash == digest_of(token), UserSession.user_id == User.id, UserSession.expires_at > at)
    found = session.execute(
        sa.select(model, _PERMISSIONS, _ROLES, _STORES, _REGIONS, _STORES_OF_REGIONS).where(
            User.fs_uniquifier == uniquifier, User.active, is_alive
        )
    ).one_or_none()
    return (found[0], _viewer(*found)) if found else None


def _viewer(user: User, permissions: str | None, roles: str | None, stores: str | None, regions: str | None, theirs: str | None) -> Viewer:
    # A region without stores still narrows what its user sees: to nothing.
    is_narrowed = stores is not None or regions is not None
    return Viewer(
        user_id=user.id,
        name=user.name,
        permissions=frozenset(_split(permissions)),
        store_ids=frozenset(int(store) for store in (*_split(stores), *_split(theirs))) if is_narrowed else None,
        everything=ADMINISTRATOR in _split(roles),
    )


def _split(text: str | None) -> list[str]:
    return text.split(_SEPARATOR) if text else []
