"""Endpoints and their secrets. Functions take a session and never commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.errors import Conflict, InvalidInput, NotFound
from regulars_plugin_api.events import known_events
from regulars_plugin_api.ids import uuid7
from regulars_plugin_api.services import Crm
from regulars_webhooks.i18n import _
from regulars_webhooks.models import Delivery, Endpoint, State
from regulars_webhooks.sending.asking import ask_for_run
from regulars_webhooks.signing import new_secret

LONGEST_TITLE, LONGEST_URL = 200, 2000


@dataclass(frozen=True)
class Draft:
    """An endpoint as somebody wants it. No ``types`` means every type."""

    title: str
    url: str
    types: tuple[str, ...] = ()
    active: bool = True

    def check(self) -> None:
        """Raise ``InvalidInput`` for what can't be taken, all of it at once."""
        wrong = {}
        if not self.title.strip():
            wrong["title"] = _("Say what it is, such as: the warehouse.")
        if not _is_callable(self.url):
            wrong["url"] = _("Give an address that begins with https:// or http://, without a password.")
        if unknown := sorted(set(self.types) - known_events().keys()):
            wrong["types"] = _("There is no event %(names)s.", names=", ".join(unknown))
        if wrong:
            raise InvalidInput(**wrong)


def listed(session: Session, *, after: int = 0, limit: int = 200) -> Sequence[Endpoint]:
    """Endpoints in the order they were added, those after the id ``after``."""
    return session.scalars(sa.select(Endpoint).where(Endpoint.id > after).order_by(Endpoint.id).limit(limit)).all()


def parked_of(session: Session, endpoint_ids: Sequence[int]) -> dict[int, int]:
    """How many parked deliveries each of these endpoints has, where there are any."""
    parked = sa.select(Delivery.endpoint_id, sa.func.count()).where(Delivery.endpoint_id.in_(endpoint_ids), Delivery.state == State.PARKED)
    return {row[0]: row[1] for row in session.execute(parked.group_by(Delivery.endpoint_id))}


def get(session: Session, endpoint_id: int, *, to_change: bool = False) -> Endpoint:
    """One endpoint. Raises ``NotFound``."""
    found = session.get(Endpoint, endpoint_id, with_for_update=to_change or None)
    if found is None:
        raise NotFound(_("There is no such endpoint."))
    return found


def create(crm: Crm, session: Session, draft: Draft) -> tuple[Endpoint, str]:
    """Add an endpoint; it, and its secret, which is told only now. Raises ``InvalidInput``."""
    draft.check()
    uid, secret = uuid7(), new_secret()
    endpoint = Endpoint(uid=uid, secret=crm.vault.lock(secret, _place(uid)), created_at=session.info["at"])
    _take_over(endpoint, draft)
    session.add(endpoint)
    session.flush()
    return endpoint, secret


def change(session: Session, endpoint_id: int, draft: Draft, *, version: int | None = None) -> Endpoint:
    """Change an endpoint; one that was given up is tried again. Raises ``InvalidInput``, ``NotFound``, ``Conflict``."""
    draft.check()
    endpoint = get(session, endpoint_id, to_change=True)
    if version is not None and version != endpoint.version:
        raise Conflict
    _take_over(endpoint, draft)
    endpoint.version += 1
    wake(session, endpoint)
    return endpoint


def delete(session: Session, endpoint_id: int) -> None:
    """Remove an endpoint and all that was or is to be sent to it. Raises ``NotFound``."""
    session.delete(get(session, endpoint_id, to_change=True))


def rotate(crm: Crm, session: Session, endpoint_id: int) -> tuple[Endpoint, str]:
    """Make a new secret; it is told only now. The old one signs beside it for as long as the settings say. Raises ``NotFound``."""
    endpoint, secret = get(session, endpoint_id, to_change=True), new_secret()
    overlap = dt.timedelta(hours=crm.settings.of("webhooks")["overlap_hours"])
    endpoint.old_secret, endpoint.old_until = endpoint.secret, session.info["at"] + overlap
    endpoint.secret = crm.vault.lock(secret, _place(endpoint.uid))
    endpoint.version += 1
    session.flush()
    return endpoint, secret


def wake(session: Session, endpoint: Endpoint) -> None:
    """Forget failures, so that what waits for the endpoint is sent at once."""
    endpoint.failures, endpoint.retry_at, endpoint.parked_at, endpoint.gone_at = 0, None, None, None
    session.flush()
    ask_for_run(session, session.info["at"])


def secrets_of(crm: Crm, endpoint: Endpoint) -> list[str]:
    """The secrets that sign now, the newest first. Raises ``LostKey``."""
    locked = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until and endpoint.old_until > crm.clock.now():
        locked.append(endpoint.old_secret)
    return [crm.vault.unlock(one, _place(endpoint.uid)) for one in locked]


def _take_over(endpoint: Endpoint, draft: Draft) -> None:
    endpoint.title, endpoint.url = draft.title.strip(), draft.url.strip()
    endpoint.types, endpoint.active = sorted(set(draft.types)), draft.active


def _place(uid: str) -> str:
    return f"webhooks:{uid}"


def _is_callable(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").encode("idna")
        is_plain = url.isascii() and url.isprintable() and " " not in url.strip()
        return bool(parts.scheme in ("http", "https") and host and is_plain and not (parts.username or parts.password or parts.port == 0))
    except ValueError:
        return False
