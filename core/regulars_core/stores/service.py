"""Reading and adding stores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.stores.models import Region, Store
from regulars_plugin_api import values
from regulars_plugin_api.db import read_rows
from regulars_plugin_api.errors import InvalidInput, NotFound
from regulars_plugin_api.events import StoreCreated, emit
from regulars_plugin_api.exchange import StoreRef
from regulars_plugin_api.i18n import _
from regulars_plugin_api.scope import in_scope
from regulars_plugin_api.values import BadValue
from regulars_plugin_api.views import StoreView, Viewer

PARSERS = {
    "code": values.code,
    "name": values.text,
    "city": values.text,
    "region": values.text,
    "country": values.country,
    "timezone": values.timezone,
    "currency": values.currency,
    "opened_on": values.date,
}


STORED = ("id", "code", "name", "city", "country", "timezone", "currency", "opened_on")


def store_refs(session: Session) -> dict[str, StoreRef]:
    """Every store by its code."""
    rows = session.execute(sa.select(Store.id, Store.code, Store.timezone, Store.currency, Store.country))
    return {row.code: StoreRef(row.id, row.code, ZoneInfo(row.timezone), row.currency, row.country) for row in rows}


def listed(session: Session, viewer: Viewer, *, after: str = "", limit: int = 200) -> list[StoreView]:
    """Stores the viewer may see, by code, those after the code ``after``."""
    found = session.execute(_seen_by(viewer).where(Store.code > after).order_by(Store.code).limit(limit))
    return [StoreView(**row._mapping) for row in found.all()]


def find(session: Session, viewer: Viewer, code: str) -> StoreView:
    """The store with this code, if the viewer may see it. Raises ``NotFound``."""
    row = session.execute(_seen_by(viewer).where(Store.code == code)).one_or_none()
    if row is None:
        raise NotFound(_("There is no such store."))
    return StoreView(**row._mapping)


def _seen_by(viewer: Viewer) -> sa.Select[Any]:
    columns = [Store.__table__.c[name] for name in STORED]
    query = sa.select(*columns, Region.name.label("region")).outerjoin(Region, Region.id == Store.region_id)
    return query.where(in_scope(viewer, Store.__table__.c.id))


_NAMES = sa.select(Store.id, Store.name).where(Store.id.in_(sa.bindparam("wanted", expanding=True)))


def names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """Names of stores by id."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    return dict(read_rows(session, _NAMES, {"wanted": list(wanted)}))


def codes(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """Codes of stores by id."""
    wanted = {one for one in ids if one is not None}
    return dict(session.execute(sa.select(Store.id, Store.code).where(Store.id.in_(wanted))).all()) if wanted else {}


def add(session: Session, given: Mapping[str, str], *, timezone: str, currency: str) -> int:
    """Add a store out of what was typed; ``timezone`` and ``currency`` are the chain's. Raises ``InvalidInput``."""
    read, wrong = parsed(given)
    found = {"timezone": timezone, "currency": currency} | read
    if "code" not in found and "code" not in wrong:
        wrong["code"] = _("A store needs its code.")
    elif session.scalar(sa.select(Store.id).where(Store.code == found.get("code"))):
        wrong["code"] = _("There is a store with this code already.")
    if wrong:
        raise InvalidInput(**wrong)
    name = found.pop("region", None)
    store = Store(**({"name": found["code"]} | found), region=region(session, name))
    session.add(store)
    session.flush()
    emit(session, StoreCreated(store_id=store.id, code=store.code))
    return store.id


def parsed(given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a store out of what was typed, without blank ones, and what is wrong with others."""
    found: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    for name, parse in PARSERS.items():
        if raw := given.get(name, "").strip():
            try:
                value = parse(raw)  # type: ignore[operator]
                found[name] = value.key if isinstance(value, ZoneInfo) else value
            except BadValue as bad:
                wrong[name] = bad.message
    return found, wrong


def region(session: Session, name: str | None) -> Region | None:
    """The region of this name, a new one if there is none yet; None without a name."""
    return (session.scalar(sa.select(Region).where(Region.name == name)) or Region(name=name)) if name else None
