"""Links by which somebody chooses a password: signed, good for a week, and for one use."""

from __future__ import annotations

import datetime as dt
import hashlib

from flask import current_app, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from regulars_core.users import service
from regulars_core.users.models import User
from regulars_plugin_api.errors import NotFound

GOOD_FOR = dt.timedelta(days=7)


def link(session: Session, email: str) -> str:
    """The whole address for the user with this e-mail address. A new password makes every earlier link void."""
    user = service.find(session, email)
    return url_for("account.welcome", token=_signer().dumps([user.email, _fingerprint(user)]), _external=True)


def invited(session: Session, token: str) -> User | None:
    """Whom a link was made for; None if it is void."""
    try:
        email, fingerprint = _signer().loads(token, max_age=int(GOOD_FOR.total_seconds()))
        user = service.find(session, email)
    except (BadSignature, NotFound, ValueError, TypeError):
        return None
    return user if user.active and fingerprint == _fingerprint(user) else None


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="invitation")


def _fingerprint(user: User) -> str:
    # It changes with the password, so a used link is void.
    return hashlib.sha256(user.fs_uniquifier.encode()).hexdigest()[:16]
