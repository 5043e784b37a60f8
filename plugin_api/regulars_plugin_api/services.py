"""What the host offers: the ``crm`` object handed to hooks, handlers and jobs, and ``current_crm()`` in a view."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Any, ParamSpec, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from regulars_plugin_api.contributions.work import LeasedBatch
from regulars_plugin_api.events import DomainEvent
from regulars_plugin_api.i18n import Text
from regulars_plugin_api.views import ConsentView, CustomerView, Viewer

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=DomainEvent)


class Clock(Protocol):
    """The time, replaceable in tests."""

    def now(self) -> dt.datetime:
        """This instant, aware, in UTC."""


class Settings(Protocol):
    """Each plugin's settings, checked by its own schema."""

    def of(self, owner: str) -> Mapping[str, Any]:
        """Values of ``owner``: stored ones, overridden by ``REGULARS__<OWNER>__<KEY>``, else defaults."""

    def save(self, session: Session, owner: str, values: Mapping[str, Any]) -> None:
        """Check and store ``values``. Raises ``InvalidInput`` by field; a field set from outside can't be changed here."""


@dataclass(frozen=True)
class HttpReply:
    """What another system answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Http(Protocol):
    """Calls to other systems: public addresses only unless allowed, no redirects, a deadline, a cap on the size of the answer."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        seconds: float = 25.0,
        enough: int | None = None,
    ) -> HttpReply:
        """Send a request, all of it within ``seconds``. An answer of more than ten megabytes is refused.

        With ``enough`` the first so many bytes of the answer's body, as they come, are all that is read of it; the status counts even if
        the rest is endless or late. Raises ``OutboundRefused`` where the guard says no, and ``OSError`` when the other side fails.
        """


class Vault(Protocol):
    """Encrypts secrets that a plugin keeps in tables of its own. Those of its settings are encrypted by themselves."""

    def lock(self, text: str, place: str) -> str:
        """Encrypt ``text`` for ``place``, such as ``loyalty.card:<uid>``: copied to another place it can't be read."""

    def unlock(self, locked: str, place: str) -> str:
        """The reverse. Raises ``LostKey``."""


class Signals(Protocol):
    """In-process notice after commit. What must not be lost belongs in an event handler."""

    def connect(self, plugin: str, event: type[E], receiver: Callable[[E], None]) -> None:
        """Call ``receiver`` after each commit that emitted ``event``, while ``plugin`` is enabled."""


class Hooks(Protocol):
    """Calls hooks, each plugin in its own guard. For plugins that declare hooks of their own."""

    def collect(self, spec: Callable[P, Iterable[T] | None], *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """Everything the enabled plugins contribute, in plugin order."""

    def each(self, spec: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs) -> list[tuple[str, T]]:
        """What each enabled plugin answers, by its name."""

    def first(self, spec: Callable[P, T | None], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The first answer that is not None."""


class Jobs(Protocol):
    """Work done later by the worker."""

    def start(
        self, session: Session, job: str, key: str, payload: Mapping[str, Any] | None = None, *, due_at: dt.datetime | None = None
    ) -> bool:
        """Ask for one run of ``job`` when this transaction commits. False if that ``key`` was asked for before."""

    def deliver(self, batch: LeasedBatch) -> None:
        """Run leased deliveries; for executors."""

    def drain(self) -> None:
        """Begin nothing more in this process: what a batch has not begun is given back at once; for executors that are told to stop."""


class Notices(Protocol):
    """Telling staff what concerns them: the bell on every page."""

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
        """Tell users of something, each in their own language; how many had not been told under this ``key`` before.

        ``url`` is where a click leads, ``icon`` one of ``icons.svg``. With ``customer_id`` the notice goes when the customer goes.
        """

    def holders(self, session: Session, permission: str) -> Sequence[int]:
        """Ids of the active users who hold a permission, administrators among them: whom to tell."""


class CustomerService(Protocol):
    """Reading and writing customers. Without ``session`` each call is a transaction of its own."""

    def get(self, customer_id: int, *, session: Session | None = None) -> CustomerView | None:
        """The customer, followed to the one it was merged into; None if there is none or it is in the trash."""

    def get_many(self, customer_ids: Sequence[int], *, session: Session | None = None) -> Mapping[int, CustomerView]:
        """Living customers by id."""

    def seen_by(self, session: Session, viewer: Viewer, customer_id: int) -> CustomerView:
        """The customer if the viewer may see it, followed to the one it was merged into, in the trash or not. Raises ``NotFound``."""

    def ids_seen_by(self, session: Session, viewer: Viewer, where: Any | None = None) -> sa.Select[int]:
        """A SELECT of the ids of living customers the viewer may see: a plugin's own lists say ``customer_id.in_(…)`` of it.

        With ``where``, a filter of the filter language, only those it selects. Raises ``InvalidInput`` where it can't be taken.
        """

    def create(self, values: Mapping[str, Any], *, session: Session | None = None, warn: Callable[[Text], None] = ...) -> int:
        """Add a customer and return its id; ``warn`` hears what plugins only point out. Raises ``InvalidInput``."""

    def update(
        self, customer_id: int, changes: Mapping[str, Any], *, session: Session | None = None, warn: Callable[[Text], None] = ...
    ) -> None:
        """Change the named fields; ``warn`` hears what plugins only point out. Raises ``InvalidInput``, ``NotFound``."""

    def merge(self, keep_id: int, drop_id: int, *, session: Session | None = None) -> int:
        """Make ``drop_id`` part of ``keep_id`` and return the number of the merge.

        All that points at the one points at the other; empty fields are filled, others stay. Raises ``NotFound``, ``NotAllowedYet`` where
        something can't be united, ``PluginFailed`` where a plugin could not do its part. Then nothing is merged.
        """

    def unmerge(self, merge_id: int, *, session: Session | None = None) -> None:
        """Take a merge back. What was changed since stays as it is. Raises ``NotFound``, ``NotAllowedYet``, ``PluginFailed``."""


class Consents(Protocol):
    """What customers agreed to."""

    def of(self, customer_ids: Sequence[int], *, session: Session | None = None) -> Mapping[int, Sequence[ConsentView]]:
        """The state of each channel, by customer."""

    def permitting(self, session: Session, customer_ids: Sequence[int], channel: str) -> set[int]:
        """Those of ``customer_ids`` who may be written to on ``channel``: a yes with date and source, and a customer who is there.

        Nothing said is no. A yes without proof is no until somebody records one with it. Vetoes come on top.
        """

    def record(self, session: Session, customer_id: int, channel: str, state: str, *, given_at: dt.date | None, source: str | None) -> None:
        """Write down what a customer said."""


class Privacy(Protocol):
    """What a person may ask for."""

    def personal_data(self, customer_id: int, out: IO[bytes]) -> None:
        """Write a ZIP of all that is kept about a customer, and note that it was handed out. Raises ``NotFound``, ``PluginFailed``."""

    def erase(self, customer_id: int, *, session: Session | None = None) -> int:
        """Forget a customer; books stay without the name. Returns the number of the receipt. There is no way back.

        Raises ``NotFound``, ``NotAllowedYet``, ``PluginFailed``. The worker scrubs the files soon after.
        """

    def receipt(self, number: int, *, session: Session | None = None) -> Mapping[str, Any]:
        """What an erasure says of itself: which rows, what was kept and why, when the files were scrubbed. Raises ``NotFound``."""


class Home(Protocol):
    """What the system was set up with."""

    @property
    def base_url(self) -> str:
        """Its address as people reach it, without a slash at the end: for links in messages."""

    @property
    def currency(self) -> str:
        """The chain's currency."""

    @property
    def country(self) -> str | None:
        """The chain's country, ISO 3166 alpha-2, if it was set."""


class Crm(Protocol):
    """The running system."""

    @property
    def config(self) -> Home:
        """What it was set up with."""

    @property
    def privacy(self) -> Privacy:
        """Handing out and erasing what is known about a person."""

    @property
    def customers(self) -> CustomerService:
        """Customers."""

    @property
    def consents(self) -> Consents:
        """Consents."""

    @property
    def settings(self) -> Settings:
        """Settings of plugins."""

    @property
    def jobs(self) -> Jobs:
        """Work done later."""

    @property
    def notices(self) -> Notices:
        """Telling staff what concerns them."""

    @property
    def signals(self) -> Signals:
        """In-process notices after commit."""

    @property
    def hooks(self) -> Hooks:
        """Calls hooks."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def http(self) -> Http:
        """Calls to other systems."""

    @property
    def vault(self) -> Vault:
        """Secrets in a plugin's own tables."""

    @property
    def timezone(self) -> ZoneInfo:
        """The chain's zone: its days are those of whatever has no store."""

    def transaction(self, actor: Viewer | None = None, cause: str | None = None) -> AbstractContextManager[Session]:
        """A writing session: commits at the end of the block, rolls back on an exception, then sends the signals of emitted events."""

    def read(self, viewer: Viewer | None = None) -> AbstractContextManager[Session]:
        """A read-only session."""


def crm_of(session: Session) -> Crm:
    """The running system a session belongs to, where only the session is given: in ``EventHandler.apply``, ``Panel.load`` and services."""
    return cast(Crm, session.info["crm"])
