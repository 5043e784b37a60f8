"""What is done with users. Functions take a session and never commit."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session, selectinload

from regulars_core.stores.models import Region, Store
from regulars_core.users import passwords
from regulars_core.users.models import Role, User, UserRegion, UserSession, UserStore
from regulars_core.users.roles import ADMINISTRATOR, TITLES
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.ids import uuid7

LOCALES = {"en": "English", "sv": "Svenska", "fa": "فارسی"}
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class UserView:
    """A user as an administrator sees one. Without stores and regions a user sees the whole chain."""

    uid: str
    email: str
    name: str
    active: bool
    roles: tuple[str, ...]
    stores: tuple[str, ...]
    regions: tuple[str, ...]
    last_sign_in_at: dt.datetime | None
    id: int = 0


def create(session: Session, *, email: str, name: str, password: str, roles: Sequence[str], at: dt.datetime, locale: str = "en") -> User:
    """Add a user who may sign in at once. Raises ``InvalidInput`` naming each wrong field."""
    address = _address(email)
    if session.scalar(sa.select(User.id).where(User.email == address)):
        raise InvalidInput(email=_("There is already a user with this e-mail address."))
    if not name.strip():
        raise InvalidInput(name=_("Give the user a name."))
    _check_password(password, address)
    user = User(
        uid=uuid7(),
        email=address,
        name=name.strip(),
        password=passwords.hashed(password),
        active=True,
        fs_uniquifier=secrets.token_hex(32),
        locale=locale,
        theme="auto",
        created_at=at,
    )
    user.roles = _roles(session, roles)
    session.add(user)
    session.flush()
    return user


def find(session: Session, email: str) -> User:
    """The user with this e-mail address, or ``NotFound``."""
    user = session.scalar(sa.select(User).where(User.email == email.strip().lower()).options(selectinload(User.roles)))
    if user is None:
        raise NotFound(_("There is no user with the e-mail address %(email)s.", email=email))
    return user


def listed(session: Session, *, after: str = "", limit: int | None = None, uid: str | None = None) -> list[UserView]:
    """Users by e-mail address, those after the address ``after``; or the one with ``uid``."""
    found = sa.select(User).where(User.email > after if uid is None else User.uid == uid)
    users = session.scalars(found.options(selectinload(User.roles)).order_by(User.email).limit(limit)).all()
    ids = [user.id for user in users]
    stores = _names(session, sa.select(UserStore.user_id, Store.code).join(Store).where(UserStore.user_id.in_(ids)).order_by(Store.code))
    in_region = sa.select(UserRegion.user_id, Region.name).join(Region).where(UserRegion.user_id.in_(ids))
    regions = _names(session, in_region.order_by(Region.name))
    return [
        UserView(
            uid=user.uid,
            email=user.email,
            name=user.name,
            active=user.active,
            roles=tuple(role.name for role in user.roles),
            stores=tuple(stores.get(user.id, ())),
            regions=tuple(regions.get(user.id, ())),
            last_sign_in_at=user.last_sign_in_at,
            id=user.id,
        )
        for user in users
    ]


def get(session: Session, uid: str) -> UserView:
    """The user with this uid. Raises ``NotFound``."""
    found = listed(session, uid=uid)
    if not found:
        raise NotFound(_("There is no such user."))
    return found[0]


def enable(session: Session, email: str) -> User:
    """Let a disabled user sign in again."""
    user = find(session, email)
    user.active = True
    return user


def disable(session: Session, email: str) -> User:
    """Keep a user from signing in, and end every session at once. The last administrator stays."""
    user = find(session, email)
    _keep_an_administrator(session, user)
    user.active = False
    end_sessions(session, user)
    return user


def set_password(session: Session, user: User, password: str) -> None:
    """Replace the password and end every session of the user at once."""
    _check_password(password, user.email)
    user.password = passwords.hashed(password)
    end_sessions(session, user)


def grant(session: Session, email: str, *, roles: Sequence[str], stores: Sequence[str] = (), regions: Sequence[str] = ()) -> User:
    """Give a user exactly these roles and this scope (store codes, region names; none of either is the whole chain)."""
    user = find(session, email)
    new_roles = _roles(session, roles)
    if ADMINISTRATOR not in roles:
        _keep_an_administrator(session, user)
    store_ids = _ids(session, Store, Store.code, stores, "stores")
    region_ids = _ids(session, Region, Region.name, regions, "regions")
    user.roles = new_roles
    session.execute(sa.delete(UserStore).where(UserStore.user_id == user.id))
    session.execute(sa.delete(UserRegion).where(UserRegion.user_id == user.id))
    session.add_all(UserStore(user_id=user.id, store_id=store_id) for store_id in store_ids)
    session.add_all(UserRegion(user_id=user.id, region_id=region_id) for region_id in region_ids)
    end_sessions(session, user)
    return user


def save_profile(session: Session, user_id: int, *, locale: str, theme: str) -> None:
    """Keep the language and the theme a user chose."""
    if locale not in LOCALES:
        raise InvalidInput(locale=_("Choose one of the languages in the list."))
    if theme not in THEMES:
        raise InvalidInput(theme=_("Choose one of the themes in the list."))
    session.execute(sa.update(User).where(User.id == user_id).values(locale=locale, theme=theme))


def prefer(session: Session, user_id: int, **changes: Any) -> None:
    """Keep what a user chose for the pages; a value of None forgets the choice."""
    user = session.get_one(User, user_id)
    user.preferences = {name: value for name, value in (user.preferences | changes).items() if value is not None}


def end_sessions(session: Session, user: User) -> None:
    """Sign a user out everywhere."""
    user.fs_uniquifier = secrets.token_hex(32)
    session.execute(sa.delete(UserSession).where(UserSession.user_id == user.id))


def _address(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as wrong:
        raise InvalidInput(email=_("This is not an e-mail address: %(email)s", email=email)) from wrong


def _check_password(password: str, email: str) -> None:
    objections = passwords.objections(password, email)
    if objections:
        raise InvalidInput(password=" ".join(objections))


def _roles(session: Session, names: Sequence[str]) -> list[Role]:
    found = list(session.scalars(sa.select(Role).where(Role.name.in_(names)).order_by(Role.name)))
    unknown = sorted(set(names) - {role.name for role in found})
    if unknown:
        raise InvalidInput(
            roles=_("There is no role %(names)s. The roles are: %(known)s.", names=", ".join(unknown), known=", ".join(TITLES))
        )
    if not found:
        raise InvalidInput(roles=_("Give the user at least one role: %(known)s.", known=", ".join(TITLES)))
    return found


def _ids(
    session: Session, model: type[Store] | type[Region], key: sa.orm.InstrumentedAttribute[str], names: Sequence[str], field: str
) -> list[int]:
    found = {row.name: row.id for row in session.execute(sa.select(key.label("name"), model.id).where(key.in_(names)))}
    unknown = sorted(set(names) - set(found))
    if unknown:
        raise InvalidInput(**{field: _("Nobody knows %(names)s.", names=", ".join(unknown))})
    return sorted(found.values())


def _names(session: Session, statement: sa.Select[int, str]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for row in session.execute(statement):
        names.setdefault(row[0], []).append(row[1])
    return names


def _keep_an_administrator(session: Session, leaving: User) -> None:
    is_one = any(role.name == ADMINISTRATOR for role in leaving.roles)
    if is_one and set(administrators(session)) <= {leaving.email}:
        raise InvalidInput(user=_("This is the last administrator. Make somebody else one first."))


def names(session: Session, refs: Iterable[str]) -> dict[str, str]:
    """Names of the users the event log calls ``user:<id>``."""
    ids = {int(ref[5:]) for ref in refs if ref.startswith("user:")}
    if not ids:
        return {}
    return {f"user:{row.id}": row.name for row in session.execute(sa.select(User.id, User.name).where(User.id.in_(ids)))}


def administrators(session: Session) -> Sequence[str]:
    """E-mail addresses of the active administrators."""
    statement = sa.select(User.email).join(User.roles).where(Role.name == ADMINISTRATOR, User.active).order_by(User.email)
    return session.scalars(statement).all()
