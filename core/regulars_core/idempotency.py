"""Answers that were given, kept for a day under the caller's key: a request sent again gets the same answer and does nothing twice."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from regulars_plugin_api.db import Base, dump_as, upsert

KEPT = dt.timedelta(hours=24)


class IdempotencyKey(Base):
    """The answer to one request. Written in the transaction of what the request did, so neither is there without the other."""

    __tablename__ = "idempotency_key"
    __table_args__ = {"info": dump_as("user_id", "route", "key", omit=("body",), journal=True)}

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    route: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    request_hash: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[int] = mapped_column(default=0)
    headers: Mapped[dict[str, str]] = mapped_column(sa.JSON, default=dict)
    body: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(index=True)


def claim(session: Session, user_id: int, route: str, key: str, request_hash: str, at: dt.datetime) -> IdempotencyKey | None:
    """The answer that was kept under this key; None if there is none, and from now on it is the caller's to ``keep``.

    Waits for another transaction that holds the key. The answer may be to another request: compare ``request_hash``.
    """
    forget(session, at)
    row = {"user_id": user_id, "route": route, "key": key, "request_hash": request_hash}
    fresh = upsert(session, IdempotencyKey).values(**row, status=0, headers={}, body="", created_at=at).on_conflict_do_nothing()
    if session.execute(fresh.returning(IdempotencyKey.key)).first() is not None:
        return None
    return session.get_one(IdempotencyKey, (user_id, route, key))


def keep(session: Session, user_id: int, route: str, key: str, *, status: int, headers: dict[str, str], body: str) -> None:
    """Keep the answer under a key that was claimed in this transaction."""
    mine = (IdempotencyKey.user_id == user_id, IdempotencyKey.route == route, IdempotencyKey.key == key)
    session.execute(sa.update(IdempotencyKey).where(*mine).values(status=status, headers=headers, body=body))


def forget(session: Session, at: dt.datetime) -> None:
    """Drop the answers whose day is over."""
    session.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.created_at < at - KEPT))
