"""Claiming due work so that nobody else does it, and writing down how it ended. For deliveries and job runs alike."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import InstrumentedAttribute, Session

from regulars_core.bus.models import DEAD, DONE, READY, Delivery, Subscription
from regulars_core.jobs.models import JobSlot
from regulars_plugin_api.contributions import LeasedBatch
from regulars_plugin_api.ids import uuid7

if TYPE_CHECKING:
    from regulars_core.crm import Crm

log = structlog.get_logger(__name__)
Work = type[Delivery] | type[JobSlot]
_NAME, _NOW = sa.bindparam("name", type_=sa.String), sa.bindparam("now", type_=Delivery.due_at.type)


@dataclass(frozen=True)
class Limits:
    """How work is cut and how often it is tried. A batch gives up SQLite's write lock after ``hold``."""

    lease: dt.timedelta = dt.timedelta(seconds=60)
    batch: int = 50
    attempts: int = 10
    hold: dt.timedelta = dt.timedelta(milliseconds=100)
    longest_wait: dt.timedelta = dt.timedelta(hours=1)


def name_of(work: Work) -> InstrumentedAttribute[str]:
    """The column that says who does the work: the handler or the job."""
    return Delivery.handler if work is Delivery else JobSlot.job


def waiting(session: Session, work: Work, names: Collection[str], now: dt.datetime) -> list[str]:
    """Which of ``names`` have work that is due and not leased. One probe of an index each, however much waits."""
    return list(session.scalars(_probes(work, tuple(sorted(names))), {"now": now})) if names else []


# Asked for every batch: to put these together takes as long as to run them.
@lru_cache(maxsize=64)
def _probes(work: Work, names: Sequence[str]) -> sa.CompoundSelect[str]:
    return sa.union_all(*(sa.select(sa.literal(name)).where(sa.exists().where(name_of(work) == name, *_due(work))) for name in names))


def claim(session: Session, work: Work, name: str, now: dt.datetime, limits: Limits, *, in_order: bool = False) -> LeasedBatch | None:
    """Lease a batch of the work of ``name``; None if others were quicker, or ``in_order`` while what comes first is not done."""
    about = {"name": name, "now": now}
    if in_order:
        # Who claims at the same time waits here, and then sees the lease.
        session.execute(sa.select(Subscription.type).where(Subscription.handler == name).with_for_update())
        ready, *free = _due(work)
        if session.scalar(sa.select(sa.exists().where(name_of(work) == _NAME, ready, sa.not_(sa.and_(*free)))), about):
            return None
    fence = uuid7()
    about |= {"most": limits.batch, "new_fence": fence, "until": now + limits.lease}
    ids = tuple(sorted(session.scalars(_leased(work, in_order=in_order), about)))
    return LeasedBatch(ids, fence) if ids else None


@cache
def _leased(work: Work, *, in_order: bool) -> Any:
    order = (Delivery.event_id,) if in_order else (work.due_at, work.id)
    chosen = sa.select(work.id).where(name_of(work) == _NAME, *_due(work)).order_by(*order).limit(sa.bindparam("most", type_=sa.Integer))
    leased = sa.update(work).values(fence=sa.bindparam("new_fence"), leased_until=sa.bindparam("until")).returning(work.id)
    return leased.where(work.id.in_(chosen.with_for_update(skip_locked=True))).execution_options(synchronize_session=False)


def _due(work: Work) -> tuple[sa.ColumnElement[bool], ...]:
    # Written as the partial index has it: a bound value would keep the planner from using that.
    ready = sa.literal_column(f"{work.__tablename__}.state") == sa.literal_column(f"'{READY}'")
    return ready, work.due_at <= _NOW, sa.or_(work.leased_until.is_(None), work.leased_until <= _NOW)


def held(session: Session, work: Work, batch: LeasedBatch) -> set[int]:
    """Which of the batch are still ours, locked until the transaction ends: a lease may have been lost meanwhile."""
    return set(session.scalars(_held(work), {"ids": batch.ids, "by": batch.fence}))


@cache
def _held(work: Work) -> sa.Select[int]:
    return sa.select(work.id).where(*ours(work)).order_by(work.id).with_for_update()


def ours(work: Work) -> tuple[sa.ColumnElement[bool], ...]:
    """What of the batch of ``ids``, leased ``by`` its fence, has not been lost meanwhile."""
    return work.id.in_(sa.bindparam("ids", expanding=True)), work.fence == sa.bindparam("by"), work.state == READY


def finish(session: Session, work: Work, ids: Sequence[int]) -> None:
    """Mark as done."""
    _write(session, work, ids, state=DONE, fence=None, leased_until=None, error=None)


def give_back(session: Session, work: Work, ids: Sequence[int]) -> None:
    """Let go of work that was leased and not begun."""
    _write(session, work, ids, fence=None, leased_until=None)


def fail(session: Session, work: Work, row_id: int, attempts: int, error: str, now: dt.datetime, limits: Limits, *, hopeless: bool) -> None:
    """Count a failed attempt: it is tried again later and later, and is dead after the last or when ``hopeless``."""
    dead = hopeless or attempts >= limits.attempts
    wait = min(dt.timedelta(seconds=2**attempts), limits.longest_wait) * random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries
    state = {"state": DEAD} if dead else {"due_at": now + wait}
    _write(session, work, [row_id], attempts=attempts, error=error, fence=None, leased_until=None, **state)


def _write(session: Session, work: Work, ids: Sequence[int], **values: Any) -> None:
    if ids:
        session.execute(sa.update(work).where(work.id.in_(ids)).values(**values).execution_options(synchronize_session=False))


class LeaseKeeper:
    """Renews the leases of work that takes longer, from a thread of its own; after a crash nobody does, and the work is done again."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._kept: dict[object, tuple[Work, LeasedBatch]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, work: Work, batch: LeasedBatch, limits: Limits) -> Iterator[None]:
        """Hold the lease of ``batch`` for as long as the block takes."""
        one = object()  # The same batch may be here twice: an executor's message can arrive again.
        with self._lock:
            self._kept[one] = (work, batch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew_all, args=(limits.lease,), name="regulars-leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._kept[one]

    def let_go(self) -> None:
        """Give everything back, for others to do at once. May wait for a lock that the work holds; that one ends with the process."""
        with self._lock:
            kept = list(self._kept.values())
        self.renew(kept, dt.timedelta(0))

    def _renew_all(self, lease: dt.timedelta) -> None:
        seen: set[object] = set()
        pause = threading.Event()
        while True:
            pause.wait(lease.total_seconds() / 3)
            with self._lock:
                kept = dict(self._kept)
                if not kept and not seen:
                    self._thread = None
                    return
            # Only what was there a round ago takes long enough to need it.
            long = [about for one, about in kept.items() if one in seen]
            seen = set(kept)
            try:
                self.renew(long, lease)
            except sa.exc.SQLAlchemyError:
                log.exception("leases could not be renewed")

    def renew(self, kept: Sequence[tuple[Work, LeasedBatch]], lease: dt.timedelta) -> None:
        """Hold what is still ours for another ``lease``."""
        if not kept:
            return
        with self._crm.database.transaction() as session:
            until = self._crm.clock.now() + lease
            for work, batch in kept:
                renewed = sa.update(work).where(*ours(work)).values(leased_until=until).execution_options(synchronize_session=False)
                session.execute(renewed, {"ids": batch.ids, "by": batch.fence})
