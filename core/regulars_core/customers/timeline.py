"""A customer's history: what core and plugins know of it, newest first, in one statement whatever the number of sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_core.customers.models import Consent, ConsentState, Customer
from regulars_plugin_api.contributions import TimelineEntry, TimelineSource
from regulars_plugin_api.db import BigInt, UtcDateTime, read_rows
from regulars_plugin_api.errors import InvalidInput
from regulars_plugin_api.hookspecs import customers as hooks
from regulars_plugin_api.i18n import PLATFORM, Text, _
from regulars_plugin_api.views import Viewer

if TYPE_CHECKING:
    from regulars_core.crm import Crm

T = TypeVar("T")


class Position(NamedTuple):
    """The place of one happening in the order of all."""

    at: dt.datetime
    source: str
    ref: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(dt.UTC).replace(tzinfo=None).isoformat()}~{self.source}~{self.ref}"

    @classmethod
    def parse(cls, token: str) -> Position:
        """The reverse of ``str``. Raises ``InvalidInput``."""
        try:
            at, source, ref = token.split("~")
            return cls(dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC), source, int(ref))
        except ValueError as error:
            raise InvalidInput(after=_("This is not a place in the list.")) from error


class Narrowing(NamedTuple):
    """What is asked for: happenings of one source, channel, store, or member of staff who took part. None is all."""

    source: str | None = None
    channel: str | None = None
    store_id: int | None = None
    user_id: int | None = None


class Happening(NamedTuple):
    """One line of the history."""

    source: str
    kind: str
    channel: str | None
    store_id: int | None
    at: dt.datetime
    ref: int
    entry: TimelineEntry

    @property
    def position(self) -> Position:
        """Its place in the order."""
        return Position(self.at, self.source, self.ref)


@dataclass(frozen=True)
class Timeline:
    """A page of a history. ``following`` is the last place shown, None if there is nothing older. ``failed`` names plugins left out."""

    happenings: Sequence[Happening]
    following: Position | None
    sources: Sequence[TimelineSource]
    failed: Sequence[Text]


def page(
    crm: Crm, viewer: Viewer, customer_id: int, narrowing: Narrowing | None = None, *, after: Position | None = None, limit: int = 30
) -> Timeline:
    """Happenings older than ``after``. Whether the viewer may see the customer is the caller's to settle.

    A plugin that raises, sends wrong SQL or does not come back within the budget of a page is left out and named.
    """
    return _Reading(crm, viewer, customer_id, narrowing or Narrowing(), after, limit).page()


def happenings(crm: Crm, viewer: Viewer) -> list[sa.Select[Any]]:
    """What the plugins' sources select; those that fail are left out."""
    offered = [(answer.plugin, source) for answer in crm.bus.answers(hooks.timeline_sources) for source in answer.value or ()]
    answers = (crm.bus.guarded(plugin, f"timeline {source.name}", partial(source.select, viewer)) for plugin, source in offered)
    return [answer.value for answer in answers if answer.value is not None]


class _Row(NamedTuple):
    rank: int
    at: dt.datetime
    kind: str
    channel: str | None
    store_id: int | None
    ref: int


# By their names alone, for there is one table below each: SQLAlchemy takes its time to copy the columns of subqueries into subqueries.
_at, _ref, _customer_id = sa.column("at", UtcDateTime()), sa.column("ref", BigInt), sa.column("customer_id", BigInt)
_rank, _kind = sa.column("rank", sa.Integer), sa.column("kind", sa.Text)
_channel, _store_id = sa.column("channel", sa.Text), sa.column("store_id", BigInt)
_names = {"customer_id", "at", "kind", "channel", "store_id", "ref"}
_CUSTOMER = "timeline_customer_id"
_row = (_rank, _at, _kind, _channel, _store_id, _ref)
# A NULL without a type would be text to PostgreSQL, and fit no other source's numbers.
_typed = tuple(sa.cast(column, column.type).label(column.name) for column in (_kind, _channel, _store_id))


class _Reading:
    """One page being put together."""

    def __init__(self, crm: Crm, viewer: Viewer, customer_id: int, narrowing: Narrowing, after: Position | None, limit: int) -> None:
        self.crm, self.viewer, self.customer_id, self.narrowing, self.after, self.limit = crm, viewer, customer_id, narrowing, after, limit
        answers = crm.bus.answers(hooks.timeline_sources)
        self.failed = [answer.plugin for answer in answers if answer.failure]
        offered = [(PLATFORM, source) for source in CORE_SOURCES]
        offered += [(answer.plugin, source) for answer in answers for source in answer.value or ()]
        # Their rank in the order of names breaks ties of time, alike in Python and on every database.
        self.sources = sorted((one for one in offered if viewer.may(one[1].permission)), key=lambda named: named[1].name)

    def page(self) -> Timeline:
        rows = self._rows()
        shown = rows[: self.limit]
        entries = self._entries(shown)
        happenings = [
            Happening(self.sources[row.rank][1].name, row.kind, row.channel, row.store_id, row.at, row.ref, entry)
            for row in shown
            if (entry := entries[row.rank].get(row.ref)) is not None
        ]
        following = Position(shown[-1].at, self.sources[shown[-1].rank][1].name, shown[-1].ref) if len(rows) > self.limit else None
        titles = {plugin: self.crm.plugins.loaded[plugin].manifest.title for plugin in self.failed if plugin in self.crm.plugins.loaded}
        return Timeline(happenings, following, [source for _plugin, source in self.sources], list(titles.values()))

    def _rows(self) -> list[_Row]:
        branches = {rank: branch for rank in range(len(self.sources)) if (branch := self._branch(rank)) is not None}
        if not branches:
            return []
        found = self._read(PLATFORM, list(branches.values()))
        if found is not None:
            return found
        # Somebody's part spoils the whole: each is asked alone, to find out whose.
        alone = [self._read(self.sources[rank][0], [branch]) for rank, branch in branches.items()]
        self.failed += [self.sources[rank][0] for rank, rows in zip(branches, alone, strict=True) if rows is None]
        everything = [row for rows in alone for row in rows or ()]
        return sorted(everything, key=lambda row: (row.at, row.rank, row.ref), reverse=True)[: self.limit + 1]

    def _branch(self, rank: int) -> sa.Select[Any] | None:
        """The newest happenings of one source; as many as the page can need of it, so that an index on (customer, time) serves it."""
        plugin, source = self.sources[rank]
        wanted = self.narrowing
        if wanted.source not in (None, source.name) or (wanted.user_id is not None and source.involves is None):
            return None
        rest = (source.involves, wanted, self.after, self.limit + 1)
        made = self.crm.bus.guarded(*self._code(rank), lambda: _newest(rank, source.name, source.select(self.viewer), *rest))
        self.failed += [plugin] if made.failure else []
        return made.value

    def _read(self, plugin: str, branches: Sequence[sa.Select[Any]]) -> list[_Row] | None:
        query, customer = _united(tuple(branches), self.limit + 1), {_CUSTOMER: self.customer_id}
        return self._guarded(plugin, "timeline", lambda session: [_Row._make(row) for row in read_rows(session, query, customer)])

    def _entries(self, rows: Sequence[_Row]) -> dict[int, dict[int, TimelineEntry]]:
        """What is said of each row, by its rank and number: one batch per source."""
        refs: dict[int, list[int]] = {}
        for row in rows:
            refs.setdefault(row.rank, []).append(row.ref)
        said = {rank: self._guarded(*self._code(rank), partial(self._say, self.sources[rank][1], refs[rank])) for rank in sorted(refs)}
        self.failed += [self.sources[rank][0] for rank, entries in said.items() if entries is None]
        return {rank: entries or {} for rank, entries in said.items()}

    def _code(self, rank: int) -> tuple[str, str]:
        plugin, source = self.sources[rank]
        return plugin, f"timeline {source.name}"

    def _say(self, source: TimelineSource, refs: Sequence[int], session: Session) -> dict[int, TimelineEntry]:
        return dict(source.render(session, refs, self.viewer))

    def _guarded(self, plugin: str, what: str, work: Callable[[Session], T]) -> T | None:
        def working() -> T:
            with self.crm.read(self.viewer) as session:
                return work(session)

        return self.crm.bus.guarded(plugin, what, working).value


# Statements are put together once for sources that select the same again, which is most of what a page with a history takes.
@lru_cache(maxsize=64)
def _newest(
    rank: int, name: str, selected: sa.Select[Any], involves: Any, wanted: Narrowing, after: Position | None, limit: int
) -> sa.Select[*tuple[Any, ...]]:
    if missing := _names - set(selected.selected_columns.keys()):
        raise TypeError(f"selects no {', '.join(sorted(missing))}")
    rows = selected.subquery()
    columns: list[sa.ColumnElement[Any]] = [sa.literal_column(str(rank), sa.Integer).label("rank"), _at, *_typed, _ref]
    asked: list[sa.ColumnElement[bool]] = [_customer_id == sa.bindparam(_CUSTOMER, type_=BigInt)]
    asked += [column == value for column, value in ((_channel, wanted.channel), (_store_id, wanted.store_id)) if value is not None]
    asked += [] if wanted.user_id is None or involves is None else [involves(rows.c.ref, wanted.user_id)]
    asked += [] if after is None else [_older(name, after)]
    return sa.select(*columns).select_from(rows).where(*asked).order_by(_at.desc(), _ref.desc()).limit(limit)


@lru_cache(maxsize=16)
def _united(branches: Sequence[sa.Select[Any]], limit: int) -> sa.Select[*tuple[Any, ...]]:
    # SQLite takes ORDER BY and LIMIT inside a UNION only where each part is a subquery.
    union = sa.union_all(*(sa.select(*_row).select_from(branch.subquery()) for branch in branches)).subquery()
    return sa.select(*_row).select_from(union).order_by(_at.desc(), _rank.desc(), _ref.desc()).limit(limit)


def _older(source: str, after: Position) -> sa.ColumnElement[bool]:
    if source == after.source:
        return sa.tuple_(_at, _ref) < sa.tuple_(sa.literal(after.at, _at.type), sa.literal(after.ref))
    return _at <= after.at if source < after.source else _at < after.at


def _happenings(customer_id: Any, at: Any, kind: str, channel: Any, store_id: Any, ref: Any) -> sa.Select[*tuple[Any, ...]]:
    columns = {"customer_id": customer_id, "at": at, "kind": sa.literal(kind), "channel": channel, "store_id": store_id, "ref": ref}
    return sa.select(*(column.label(name) for name, column in columns.items()))


_added = _happenings(Customer.id, Customer.created_at, "added", sa.null(), Customer.store_id, Customer.id)
_CONSENTS = sa.select(Consent.id, Consent.state, Consent.source).where(Consent.id.in_(sa.bindparam("wanted", expanding=True)))
_consents = _happenings(Consent.customer_id, Consent.recorded_at, "consent", Consent.channel, sa.null(), Consent.id)


def _say_added(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
    return {ref: TimelineEntry(_("Record added"), icon="user") for ref in refs}


def _say_consents(session: Session, refs: Sequence[int], viewer: Viewer) -> Mapping[int, TimelineEntry]:
    found = read_rows(session, _CONSENTS, {"wanted": list(refs)})
    return {ref: TimelineEntry(_WORDS[state], source or "", icon=_ICONS[state]) for ref, state, source in found}


_WORDS = {
    ConsentState.GRANTED: _("Consented to being written to"),
    ConsentState.WITHDRAWN: _("Withdrew consent"),
    ConsentState.UNPROVEN: _("Said yes, without proof"),
}
_ICONS = {ConsentState.GRANTED: "shield-check", ConsentState.WITHDRAWN: "ban", ConsentState.UNPROVEN: "alert-triangle"}

CORE_SOURCES = (
    TimelineSource("customer.added", _("Customer record"), "customers.view", lambda viewer: _added, _say_added),
    TimelineSource("customer.consents", _("Consent"), "customers.view", lambda viewer: _consents, _say_consents),
)
