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
_SEPARATOR, _EVERYTHING, _NOWHERE = ",", "*", 0


def _gathered(text: Any) -> Any:
    return sa.func.aggregate_strings(text, _SEPARATOR)


# A role that may do everything is said by a mark among permissions: it needs none.
_PERMISSIONS = (
    sa.select(_gathered(sa.case((Role.name == ADMINISTRATOR, _EVERYTHING), else_=RolePermission.permission)))
    .select_from(UserRole)
    .join(Role, Role.id == UserRole.role_id)
    .outerjoin(RolePermission, RolePermission.role_id == Role.id)
    .where(UserRole.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)
# A region without stores still narrows what its user sees: to nothing.
_SEEN = sa.union_all(
    sa.select(UserStore.store_id.label("id")).where(UserStore.user_id == User.id).correlate(User),
    sa.select(sa.func.coalesce(Store.id, _NOWHERE))
    .select_from(UserRegion)
    .outerjoin(Store, Store.region_id == UserRegion.region_id)
    .where(UserRegion.user_id == User.id)
    .correlate(User),
).subquery()
_STORES = sa.select(_gathered(sa.cast(_SEEN.c.id, sa.String))).scalar_subquery()

_SWITCHES = sa.select(
    sa.cast(sa.func.max(PluginRow.switched_at), sa.String) + sa.literal_column("' '") + sa.cast(sa.func.count(), sa.String)
).scalar_subquery()
_HELD = (_PERMISSIONS, _STORES)
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


def _viewer(user: User, permissions: str | None, stores: str | None) -> Viewer:
    held = frozenset(permissions.split(_SEPARATOR)) if permissions else frozenset()
    return Viewer(
        user_id=user.id,
        name=user.name,
        permissions=held - {_EVERYTHING},
        store_ids=None if stores is None else frozenset(map(int, stores.split(_SEPARATOR))) - {_NOWHERE},
        everything=_EVERYTHING in held,
    )
