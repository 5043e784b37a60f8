"""The running system, put together once per process and handed to hooks, handlers, jobs, commands and pages."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

import regulars_core.models  # noqa: F401 - every table is known wherever the system runs
from regulars_core import logs
from regulars_core.acting import now_acting
from regulars_core.audit.journal import BulkJournal
from regulars_core.bus.eventlog import emit
from regulars_core.bus.hooks import HookBus
from regulars_core.bus.models import Event
from regulars_core.bus.signals import SignalHub
from regulars_core.clock import SystemClock
from regulars_core.config import Config
from regulars_core.customers.consents import ConsentService
from regulars_core.customers.service import CustomerService
from regulars_core.db import Database
from regulars_core.jobs.service import JobService
from regulars_core.outbound import GuardedHttp
from regulars_core.plugins.loader import Candidate
from regulars_core.plugins.models import PluginRow
from regulars_core.plugins.registry import PluginRegistry
from regulars_core.privacy.service import PrivacyService
from regulars_core.settings.service import SettingsService
from regulars_core.users.notices import NoticeService
from regulars_plugin_api.events import DomainEvent
from regulars_plugin_api.hookspecs import access, customers, data, lifecycle, messaging, web
from regulars_plugin_api.services import Clock, Http, Vault
from regulars_plugin_api.views import Viewer

_writing: ContextVar[bool] = ContextVar("regulars_writing", default=False)
_shared: ContextVar[Session | None] = ContextVar("regulars_shared_reading", default=None)


class _Sharing:
    """One of those who read in the same session."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> Session:
        return self._session

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is not None:
            # PostgreSQL answers nothing more in a transaction in which a statement failed.
            Session.rollback(self._session)


class Crm:
    """Made by ``open_crm``. Implements ``regulars_plugin_api.services.Crm``."""

    def __init__(self, config: Config, *, clock: Clock | None = None, http: Http | None = None) -> None:
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.http: Http = http or GuardedHttp(config.http_allow)
        self.database = Database(config.database_url)
        self.plugins = PluginRegistry(self)
        self.bus = HookBus(self.plugins.is_enabled)
        for module in (lifecycle, access, web, customers, data, messaging):
            self.bus.add_specs(module)
        self.signals = SignalHub(self.plugins.is_enabled)
        self.settings = SettingsService(self)
        self.jobs = JobService(self)
        self.notices = NoticeService()
        self.customers = CustomerService(self)
        self.consents = ConsentService(self)
        self.privacy = PrivacyService(self)
        self._has_database = False

    @cached_property
    def vault(self) -> Vault:
        """Secrets under the keys of this home. Raises ``WrongSetting`` where it has none."""
        # Six megabytes of cryptography, which most processes never need.
        from regulars_core.settings import secrets

        return secrets.Vault(self.config.needed_key(), map(str.encode, self.config.former_keys))

    @property
    def timezone(self) -> ZoneInfo:
        """The chain's zone."""
        return self.config.timezone

    @property
    def hooks(self) -> HookBus:
        """The bus, under the name plugins know it by."""
        return self.bus

    @contextmanager
    def transaction(
        self, actor: Viewer | None = None, cause: str | None = None, *, repeatable: bool = False, optimistic: bool = False
    ) -> Iterator[Session]:
        """A writing session: committed at the end of the block, rolled back if it raises; then signals tell of its events.

        Without ``actor`` and ``cause`` it is whoever acts in this request, command, job or handler. Inside of it, pass the session on:
        a second transaction would wait for the first one for ever, and is refused.
        """
        if _writing.get():
            raise RuntimeError("a transaction is open already: pass its session on")
        acting = now_acting()
        emitted: list[tuple[Event | None, DomainEvent]] = []
        token = _writing.set(True)
        try:
            with self.database.transaction(repeatable=repeatable, optimistic=optimistic) as session:
                about = self._about(actor or acting.actor, cause or acting.cause, acting.depth)
                session.info.update(about, emit=emit, emitted=emitted, journal=BulkJournal)
                yield session
        finally:
            _writing.reset(token)
        for row, event in emitted:
            # Closing detached what was committed; a row whose savepoint was rolled back was never more than pending.
            if row is None or sa.inspect(row).detached:
                self.signals.send(event)

    def read(self, viewer: Viewer | None = None) -> AbstractContextManager[Session]:
        """A read-only session."""
        acting = now_acting()
        about = self._about(viewer or acting.actor, acting.cause, acting.depth)
        shared = _shared.get()
        if shared is None:
            return self._read_alone(about)
        shared.info.update(about)
        return _Sharing(shared)

    @contextmanager
    def _read_alone(self, about: dict[str, object]) -> Iterator[Session]:
        with self.database.read() as session:
            session.info.update(about)
            yield session

    @contextmanager
    def reading_once(self, opened: AbstractContextManager[Session] | None = None) -> Iterator[None]:
        """All that is read inside the block, by one thread, is read in one session.

        ``opened`` gives the session, if there is one already.
        """
        with opened or self.database.read() as session:
            token = _shared.set(session)
            try:
                yield
            finally:
                _shared.reset(token)

    def _about(self, actor: Viewer, cause: str | None, depth: int) -> dict[str, object]:
        now = self.clock.now()
        return {"crm": self, "actor": actor, "actor_id": actor.user_id, "cause": cause, "depth": depth, "at": now}

    def has_database(self) -> bool:
        """Whether the platform's tables are there; asking makes no database."""
        if not self._has_database and not (self.database.is_sqlite and not Path(str(self.database.url.database)).exists()):
            with self.database.read() as session:
                self._has_database = sa.inspect(session.connection()).has_table(PluginRow.__tablename__)
        return self._has_database

    def close(self) -> None:
        """Close the database connections."""
        self.database.dispose()


def open_crm(config: Config, *, plugins: Iterable[Candidate] | None = None, clock: Clock | None = None, http: Http | None = None) -> Crm:
    """Put the system together: load the plugins (those installed, unless given), see who is enabled, start them.

    Raises ``WrongSetting``. Works without a database, with every plugin off.
    """
    if not structlog.is_configured():
        logs.configure(as_json=not sys.stderr.isatty())
    crm = Crm(config, clock=clock, http=http)
    crm.plugins.load(plugins)
    crm.settings.check_overrides()
    crm.plugins.refresh()
    return crm
