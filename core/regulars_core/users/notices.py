"""Telling staff what concerns them. Implements ``regulars_plugin_api.services.Notices``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.users.models import Notice, Role, RolePermission, User
from regulars_core.users.roles import ADMINISTRATOR
from regulars_plugin_api.db import upsert
from regulars_plugin_api.i18n import Text, in_locale

KEPT = dt.timedelta(days=90)


class NoticeService:
    """What every page's bell counts and the page of notices lists."""

    def tell(
        self,
        session: Session,
        user_ids: Sequence[int],
        key: str,
        text: Text,
        url: str,
        *,
        icon: str = "bell",
        customer_id: int | None = None,
    ) -> int:
        """Tell users of something, each in their own language; how many had not been told under this ``key`` before."""
        at = session.info["at"]
        users = session.execute(sa.select(User.id, User.locale).where(User.id.in_(user_ids), User.active)).all()
        if not users:
            return 0
        rows = []
        for user in users:
            with in_locale(user.locale):
                rows.append({"user_id": user.id, "key": key, "text": str(text), "url": url})
        about = {"icon": icon, "customer_id": customer_id, "at": at}
        told = upsert(session, Notice).values([row | about for row in rows]).on_conflict_do_nothing().returning(Notice.user_id)
        fresh = session.scalars(told).all()
        session.execute(
            sa.update(User).where(User.id.in_(fresh)).values(unread=User.unread + 1).execution_options(synchronize_session=False)
        )
        return len(fresh)

    def holders(self, session: Session, permission: str) -> Sequence[int]:
        """Ids of the active users who hold a permission, administrators among them."""
        granting = sa.select(RolePermission.role_id).where(RolePermission.permission == permission)
        holds = User.roles.any(sa.or_(Role.name == ADMINISTRATOR, Role.id.in_(granting)))
        return session.scalars(sa.select(User.id).where(User.active, holds).order_by(User.id)).all()


def listed(session: Session, user_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Notice]:
    """A user's notices, newest first, those before the id ``before``."""
    query = sa.select(Notice).where(Notice.user_id == user_id).order_by(Notice.id.desc()).limit(limit)
    return session.scalars(query if before is None else query.where(Notice.id < before)).all()


def mark_read(session: Session, user_id: int, notice_id: int | None = None) -> str | None:
    """Note that a user has read one notice, or all; the address the one leads to. Old ones are forgotten on the way."""
    mine = Notice.user_id == user_id
    chosen = mine if notice_id is None else sa.and_(mine, Notice.id == notice_id)
    session.execute(sa.update(Notice).where(chosen, Notice.read_at.is_(None)).values(read_at=session.info["at"]))
    session.execute(sa.delete(Notice).where(mine, Notice.at < session.info["at"] - KEPT))
    unread = sa.select(sa.func.count()).where(mine, Notice.read_at.is_(None)).scalar_subquery()
    session.execute(sa.update(User).where(User.id == user_id).values(unread=unread).execution_options(synchronize_session=False))
    return None if notice_id is None else session.scalar(sa.select(Notice.url).where(chosen))
