"""Browsers that are signed in: a random token in the cookie, its digest in the database."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.users.models import User, UserSession

LONGEST = dt.timedelta(days=7)
"""However busy: after this a user signs in again."""


def start(session: Session, user_id: int, at: dt.datetime, device: str = "") -> str:
    """Note a sign-in and return the token for the cookie. Sessions that have run out are cleared on the way."""
    token = secrets.token_urlsafe(32)
    session.execute(sa.delete(UserSession).where(UserSession.expires_at < at))
    session.add(UserSession(token_hash=digest_of(token), user_id=user_id, created_at=at, expires_at=at + LONGEST, device=device[:120]))
    session.execute(sa.update(User).where(User.id == user_id).values(last_sign_in_at=at))
    return token


def end(session: Session, token: str) -> None:
    """Sign one browser out."""
    session.execute(sa.delete(UserSession).where(UserSession.token_hash == digest_of(token)))


def of_user(session: Session, user_id: int, at: dt.datetime) -> Sequence[UserSession]:
    """The browsers in which a user is signed in, latest first."""
    living = sa.select(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at > at)
    return session.scalars(living.order_by(UserSession.created_at.desc()).limit(100)).all()


def end_others(session: Session, user_id: int, token: str, digest: str | None = None) -> None:
    """Sign a user out of the browser with this ``digest``, or of all but the one that holds ``token``."""
    others = sa.delete(UserSession).where(UserSession.user_id == user_id, UserSession.token_hash != digest_of(token))
    session.execute(others if digest is None else others.where(UserSession.token_hash == digest))


def digest_of(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
