"""Work that is done later: consumers of events, jobs, and where they run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.orm import Session

from regulars_plugin_api.contributions.base import Contribution
from regulars_plugin_api.events import Delivered, DomainEvent
from regulars_plugin_api.i18n import Text

if TYPE_CHECKING:
    from regulars_plugin_api.services import Crm


@dataclass(frozen=True)
class EventHandler(Contribution):
    """A durable consumer, named ``<plugin>.<what>``.

    ``outside(crm, event)`` comes first, before any transaction: calls to other systems, at least once, with ``event.id`` as
    idempotency key. ``apply(session, event)`` changes the database in the transaction that marks the delivery done: exactly once.
    ``replay`` asks for the whole history when the plugin is first enabled. ``in_order`` gives it one event after the other, as they stand
    in the log: while one is tried again all later ones wait. Without it, events come in any order.
    """

    name: str
    events: tuple[type[DomainEvent], ...]
    apply: Callable[[Session, Delivered[Any]], None] | None = None
    outside: Callable[[Crm, Delivered[Any]], None] | None = None
    replay: bool = False
    in_order: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.apply is None and self.outside is None:
            raise ValueError(f"event handler {self.name} does nothing: give it apply or outside")


class Progress(Protocol):
    """How a run of a job says how far it is."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Tell staff. Raises ``JobCancelled``."""


def _to_nobody(done: int, total: int | None = None) -> None:
    pass


@dataclass(frozen=True)
class JobRun:
    """One run of a job. ``slot`` is the period it stands for, or the key it was started with.

    ``progress(done, total)`` tells staff how far it is; without ``total`` only how much is done. Call it between batches, outside of a
    transaction, as often as you like: it writes once a second. It raises ``JobCancelled`` when somebody has cancelled the run, or
    another worker has it: leave it uncaught, or tidy up and raise it again. What the run has committed stays.
    """

    job: str
    slot: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    progress: Progress = field(default=_to_nobody, compare=False, repr=False)


@dataclass(frozen=True)
class Job(Contribution):
    """Work by name, ``<plugin>.<what>``, idempotent: after a crash ``run(crm, job_run)`` is called again with the same slot.

    With ``every`` it runs once per period for the whole chain, however many workers there are; else when ``crm.jobs.start`` asks.
    """

    name: str
    run: Callable[[Crm, JobRun], None]
    every: dt.timedelta | None = None


@dataclass(frozen=True)
class LeasedBatch:
    """Deliveries leased for one executor; ``fence`` proves the lease when their work is written down."""

    ids: tuple[int, ...]
    fence: str


def _always(_crm: Crm) -> bool:
    return True


@dataclass(frozen=True)
class Executor(Contribution):
    """Where leased batches run. ``submit(crm, batch)`` passes one on; whoever gets it calls ``crm.jobs.deliver(batch)``.

    ``has_room(crm)`` is asked before a batch is leased; until it is true the work stays in the database. A batch that could not be passed
    on is given back. One that is lost on the way is leased again later, one that arrives twice takes effect once.
    """

    name: str
    title: Text
    submit: Callable[[Crm, LeasedBatch], None]
    has_room: Callable[[Crm], bool] = _always


@dataclass(frozen=True)
class HealthCheck(Contribution):
    """One question of ``regulars doctor``: ``check(session)`` is None when all is well, else says what is wrong.

    ``needed`` makes ``/readyz`` fail with it.
    """

    name: str
    title: Text
    check: Callable[[Session], Text | None]
    needed: bool = False
