"""Personal access tokens: programs that act for a user, with no more than the user may do. A token is shown once, when it is made."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from regulars_core.users.holding import viewer_of
from regulars_core.users.models import User
from regulars_core.users.roles import CORE_PERMISSIONS
from regulars_core.users.service import find
from regulars_plugin_api import values
from regulars_plugin_api.contributions import Permission
from regulars_plugin_api.db import Base, Uid, dump_as
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.i18n import _
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.values import BadValue
from regulars_plugin_api.views import Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

PREFIX = "rgl_"
"""By which a token is known for one, by people and by programs that look for leaked secrets."""
EVERYTHING = "*"
NOTED_EVERY = dt.timedelta(minutes=1)


class ApiToken(Base):
    """A key that lets a program act for a user. Only its digest is kept; ``scopes`` narrow what the user may do (``*``: all of it)."""

    __tablename__ = "api_token"
    __table_args__ = {"info": dump_as("uid", omit=("token_hash",), journal=True)}

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Uid]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


@dataclass(frozen=True)
class TokenView:
    """A token as its user sees it; the secret itself is nowhere."""

    uid: str
    user: str
    name: str
    scopes: tuple[str, ...]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


@dataclass(frozen=True)
class Holder:
    """Whom a token acts for, as far as its scopes go; ``use_is_noted``: its last use was written down a moment ago."""

    token_id: int
    viewer: Viewer
    use_is_noted: bool


def create(
    session: Session,
    email: str,
    *,
    name: str,
    scopes: Collection[str] = (EVERYTHING,),
    known: Collection[str],
    at: dt.datetime,
    lasts: dt.timedelta | None = None,
) -> tuple[TokenView, str]:
    """Make a token for a user; returns it with the secret, which nobody can show again.

    ``scopes`` are permissions out of the ``known`` ones that the user holds. Raises ``InvalidInput``, ``NotFound``.
    """
    user = find(session, email)
    wrong = {}
    try:
        title = values.code(name)
    except BadValue as bad:
        wrong["name"] = bad.message
    if not user.active:
        wrong["user"] = _("This user can't sign in any more.")
    viewer = viewer_of(session, user)
    wanted = sorted(set(scopes))
    beyond = [one for one in wanted if one != EVERYTHING and not (one in known and viewer.may(one))]
    if beyond or not wanted:
        wrong["scopes"] = _("Give permissions that the user holds. Not among them: %(names)s.", names=", ".join(beyond) or "-")
    if wrong:
        raise InvalidInput(**wrong)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        uid=uuid7(),
        user_id=user.id,
        name=title,
        token_hash=_digest(secret),
        scopes=wanted,
        created_at=at,
        expires_at=at + lasts if lasts else None,
    )
    session.add(token)
    session.flush()
    return _view(token, user.email), secret


def known_scopes(crm: Crm) -> set[str]:
    """Every permission there is, those of plugins included."""
    of_plugins = (one.name for found in crm.plugins.permissions().values() for one in found if isinstance(one, Permission))
    return {*(one.name for one in CORE_PERMISSIONS), *of_plugins}


def listed(session: Session, email: str | None = None) -> Sequence[TokenView]:
    """Every token, or a user's, newest first; those that have ended too."""
    query = sa.select(ApiToken, User.email).join(User, User.id == ApiToken.user_id).order_by(ApiToken.id.desc())
    return [_view(token, owner) for token, owner in session.execute(query if email is None else query.where(User.email == email))]


def revoke(session: Session, uid: str, at: dt.datetime) -> None:
    """End a token at once. Raises ``NotFound``."""
    token = session.scalar(sa.select(ApiToken).where(ApiToken.uid == uid))
    if token is None:
        raise NotFound(_("There is no such token."))
    token.revoked_at = token.revoked_at or at


def holder(session: Session, secret: str, at: dt.datetime) -> Holder | None:
    """Whom the secret stands for; None if it is unknown, revoked or over, or its user was disabled."""
    living = sa.and_(ApiToken.revoked_at.is_(None), sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > at), User.active)
    query = sa.select(ApiToken, User).join(User, User.id == ApiToken.user_id).where(ApiToken.token_hash == _digest(secret), living)
    found = session.execute(query).first()
    if found is None:
        return None
    token, user = found
    noted = token.last_used_at is not None and at - token.last_used_at < NOTED_EVERY
    return Holder(token.id, _narrowed(viewer_of(session, user), token.scopes), noted)


def note_use(session: Session, token_id: int, at: dt.datetime) -> None:
    """Write down that a token was used."""
    session.execute(sa.update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=at))


def _narrowed(viewer: Viewer, scopes: Sequence[str]) -> Viewer:
    if EVERYTHING in scopes:
        return viewer
    allowed = frozenset(one for one in scopes if viewer.may(one))
    return Viewer(viewer.user_id, viewer.name, allowed, viewer.store_ids)


def _view(token: ApiToken, email: str) -> TokenView:
    return TokenView(
        uid=token.uid,
        user=email,
        name=token.name,
        scopes=tuple(token.scopes),
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )


def _digest(secret: str) -> str:
    # Fast on purpose: 256 bits of chance can't be guessed, however quickly each guess is tried.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
