"""What a user may do and see, read beside the user's row in one statement: every request asks it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, class_mapper

from regulars_core.plugins.models import PluginRow
from regulars_core.stores.models import Store
from regulars_core.users.models import Role, RolePermission, User, UserRegion, UserRole, UserSession, UserStore
from regulars_core.users.roles import ADMINISTRATOR
from regulars_core.users.sessions import digest_of
from regulars_plugin_api.db import read_rows
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

_SWITCHES = sa.select(
    sa.cast(sa.func.max(PluginRow.switched_at), sa.String) + sa.literal_column("' '") + sa.cast(sa.func.count(), sa.String)
).scalar_subquery()
_HELD = (_PERMISSIONS, _ROLES, _STORES, _REGIONS, _STORES_OF_REGIONS)
_USER = tuple(column.key for column in User.__table__.c)
_NOW = sa.bindparam("now", type_=UserSession.expires_at.type)
_IS_ALIVE = sa.exists().where(
    UserSession.token_hash == sa.bindparam("digest"), UserSession.user_id == User.id, UserSession.expires_at > _NOW
)
_SIGNED_IN = sa.select(_SWITCHES, *_HELD, *User.__table__.c).where(User.fs_uniquifier == sa.bindparam("uniquifier"), User.active, _IS_ALIVE)


def viewer_of(session: Session, user: User) -> Viewer:
    """What a user may do and see."""
    held = session.execute(sa.select(*_HELD).where(User.id == user.id)).one()
    return _viewer(user, *held)


class SignedIn(NamedTuple, Generic[U]):
    """Who it is, what may be done and seen, and a mark that changes with every switching of a plugin, by whichever process."""

    user: U
    viewer: Viewer
    switches: str | None


def signed_in(session: Session, model: type[U], uniquifier: str, token: str, at: dt.datetime) -> SignedIn[U] | None:
    """The active user a session cookie names, if the browser's ``token`` still counts, and what that user may do and see.

    The user is a copy that belongs to no session: nothing is loaded later, nothing that is done to it is saved.
    """
    named = {"uniquifier": uniquifier, "digest": digest_of(token), "now": at}
    found = read_rows(session, _SIGNED_IN, named)
    if not found:
        return None
    switches, *rest = found[0]
    # As the ORM makes one of a row it has read: by its constructor, each value would be noted as a change.
    user: U = class_mapper(model).class_manager.new_instance()
    user.__dict__.update(zip(_USER, rest[len(_HELD) :], strict=True))
    return SignedIn(user, _viewer(user, *rest[: len(_HELD)]), switches)


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
